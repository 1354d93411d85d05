"""A question-level deep knowledge tracing network: a program of its own, in an environment of its own.

It is run by `python -m experiments benchmark deep-peer`, with the Python of an environment that `requirements.lock`
beside it makes, so that nothing else of regroup needs PyTorch. It reads the answers of training students, holds a tenth
of these students out to stop by, and writes the probability that each answer of the test students is correct.

An LSTM reads each answer as the embedding of (skill, answer), to which the item's difficulty, a number, adds so many
times a second embedding of (skill, answer). The readout of the next item is a vector of its skill, varied by its
difficulty in the same way. Training cuts histories into sequences of `LENGTH`.

Embeddings of (item, answer) and a vector of each item's own were tried first and overfit: on held-out training students
.7737 at best where this passes .78 on `gervet-assistments09`; .7481, .7511 and .7483 in three passes over the 51,632
items of `assistments-2012`. Of dropout .2 and .5, tried with these, .5 was better.

Source: Piech et al. (2015), "Deep knowledge tracing": an LSTM of 200 hidden units, dropout before the readout. Ghosh,
Heffernan and Lan (2020), "Context-aware attentive knowledge tracing", and Liu et al. (2023), "simpleKT": difficulties
of items in embeddings of skills, and their small penalty. Sonkar et al. (2020), "qDKT": embeddings of 100. Liu et al.
(2022), "pyKT": sequences of 200, batches of 64, Adam and its rate.

Example:
    python dkt.py answers.npz predictions.npz --threads 2
"""

import argparse
import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

EMBEDDING, HIDDEN, DROPOUT = 100, 200, 0.5

PENALTY = 0.01
"""Weight of the mean square of the items' own numbers in a batch, beside the log-loss of an answer."""

LENGTH, BATCH, RATE = 200, 64, 1e-3

EPOCHS, PATIENCE = 60, 4
"""Passes at most, and passes without a better area on the held-out students after which training stops."""

HELD_OUT = 10
"""One of so many training students."""


@dataclass(frozen=True)
class Answers:
    """Answers by student and then in order, one entry each: codes of student, item and skill, and 1 or 0."""

    student: Codes
    item: Codes
    skill: Codes
    correct: Codes

    def take(self, keep: npt.NDArray[np.bool_]) -> "Answers":
        """Returns the marked answers."""
        return Answers(self.student[keep], self.item[keep], self.skill[keep], self.correct[keep])


class Network(nn.Module):  # type: ignore[misc]
    """The probability of the next answer, as a logit, after each prefix of a sequence."""

    def __init__(self, items: int, skills: int) -> None:
        super().__init__()
        self.answer, self.answer_varied = nn.Embedding(2 * skills, EMBEDDING), nn.Embedding(2 * skills, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
        self.dropout = nn.Dropout(DROPOUT)
        self.skill, self.skill_varied = nn.Embedding(skills, HIDDEN), nn.Embedding(skills, HIDDEN)
        self.difficulty, self.item_ease, self.skill_ease = (nn.Embedding(size, 1) for size in (items, items, skills))
        for table in (self.difficulty, self.item_ease, self.skill_ease):
            nn.init.zeros_(table.weight)  # what training never shows stays there: an item like others of its skill
        for table in (self.skill, self.skill_varied):
            nn.init.normal_(table.weight, std=HIDDEN**-0.5)

    def forward(
        self, item: torch.Tensor, skill: torch.Tensor, correct: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """Returns logits, the mean square of what is an item's own, and the state after the last answer.

        Args:
            item: Codes, a row per sequence.
            skill: Likewise.
            correct: 1 or 0, likewise; the logit of an answer depends on those before it only.
            state: Of the LSTM before the first answer, each 1 x sequences x `HIDDEN`.
        """
        difficulty, ease, answered = self.difficulty(item), self.item_ease(item), 2 * skill + correct
        read = self.dropout(self.answer(answered) + difficulty * self.answer_varied(answered))
        with torch.autocast("cpu", dtype=torch.bfloat16):  # two to three times as fast
            known, after = self.lstm(read, state)
        before = torch.cat([state[0].transpose(0, 1), known[:, :-1].float()], dim=1)
        wanted = self.skill(skill) + difficulty * self.skill_varied(skill)
        logit = (self.dropout(before) * wanted).sum(-1) + (ease + self.skill_ease(skill)).squeeze(-1)
        return logit, difficulty.square().mean() + ease.square().mean(), (after[0].float(), after[1].float())


@dataclass(frozen=True)
class Batch:
    """Sequences side by side, shorter ones filled with zeros.

    Attributes:
        at: The answer that each cell holds; -1 = none.
        item: Codes.
        skill: Codes.
        correct: 1 or 0.
    """

    at: Codes
    item: torch.Tensor
    skill: torch.Tensor
    correct: torch.Tensor


def cut(student: Codes, length: int | None) -> tuple[Codes, Codes]:
    """Returns where each sequence begins and how long it is: a student's answers, cut at `length`; null = uncut."""
    starts = np.flatnonzero(np.r_[True, np.diff(student) != 0])
    place = np.arange(len(student)) - np.repeat(starts, np.diff(np.r_[starts, len(student)]))
    begins = starts if length is None else np.flatnonzero(place % length == 0)
    return begins, np.diff(np.r_[begins, len(student)])


def make_batches(answers: Answers, begins: Codes, counts: Codes, rng: np.random.Generator | None) -> Iterator[Batch]:
    """Yields sequences of about equal length together; in random order where there is a generator."""
    jitter = counts if rng is None else counts * rng.uniform(0.9, 1.1, len(counts))
    order = np.argsort(jitter, kind="stable")
    groups = [order[first : first + BATCH] for first in range(0, len(order), BATCH)]
    for number in range(len(groups)) if rng is None else rng.permutation(len(groups)):
        chosen = groups[number]
        step = np.arange(counts[chosen].max())
        at = np.where(step < counts[chosen, None], begins[chosen, None] + step, -1)
        cells = [torch.from_numpy(np.where(at >= 0, codes[at], 0)) for codes in _columns(answers)]
        yield Batch(at, *cells)


def _columns(answers: Answers) -> tuple[Codes, Codes, Codes]:
    return answers.item, answers.skill, answers.correct


def start(sequences: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns the state before the first answer."""
    return torch.zeros(1, sequences, HIDDEN), torch.zeros(1, sequences, HIDDEN)


@torch.no_grad()  # type: ignore[untyped-decorator]
def predict(network: Network, answers: Answers, *, whole: bool) -> Floats:
    """Returns the probability that each answer is correct.

    Args:
        network: Trained.
        answers: Of students that it has not seen.
        whole: Whether the state is carried on from one stretch of `LENGTH` to the next; else each starts anew.
    """
    network.eval()
    probability = np.empty(len(answers.student))
    for batch in make_batches(answers, *cut(answers.student, None if whole else LENGTH), rng=None):
        state = start(len(batch.at))
        for first in range(0, batch.at.shape[1], LENGTH):
            part = slice(first, first + LENGTH)
            logit, _, state = network(batch.item[:, part], batch.skill[:, part], batch.correct[:, part], state)
            at = batch.at[:, part]
            probability[at[at >= 0]] = torch.sigmoid(logit).numpy()[at >= 0]
    return probability


def fit(train: Answers, items: int, skills: int, seed: int, cpu_minutes: float) -> tuple[Network, bool]:
    """Returns the network of the pass with the best area on held-out students, and whether it does better `whole`.

    Args:
        train: Answers of training students.
        items: Number of item codes.
        skills: Number of skill codes.
        seed: Of weights, held-out students and order.
        cpu_minutes: No pass begins after so many.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    students = np.unique(train.student)
    chosen = np.isin(train.student, rng.permutation(students)[: max(1, len(students) // HELD_OUT)])
    learned, held_out = train.take(~chosen), train.take(chosen)
    sequences = cut(learned.student, LENGTH)
    network = Network(items, skills)
    optimizer = torch.optim.Adam(network.parameters(), RATE, fused=True)
    recurrent = list(network.lstm.parameters())
    best, best_network, waited = 0.0, network, 0
    for epoch in range(1, EPOCHS + 1):
        began = time.perf_counter()
        network.train()
        for batch in make_batches(learned, *sequences, rng=rng):
            logit, square, _ = network(batch.item, batch.skill, batch.correct, start(len(batch.at)))
            there = torch.from_numpy(batch.at >= 0)
            loss = nn.functional.binary_cross_entropy_with_logits(logit[there], batch.correct[there].float())
            optimizer.zero_grad()
            (loss + PENALTY * square).backward()
            nn.utils.clip_grad_norm_(recurrent, 1.0)
            optimizer.step()
        area = roc_auc_score(held_out.correct, predict(network, held_out, whole=False))
        print(f"pass {epoch}: AUC {area:.4f} on held-out students, {time.perf_counter() - began:.0f} s", flush=True)
        waited += 1
        if area > best:
            best, best_network, waited = area, copy.deepcopy(network), 0
        if waited == PATIENCE or time.process_time() > 60 * cpu_minutes:
            break
    whole = roc_auc_score(held_out.correct, predict(best_network, held_out, whole=True))
    print(f"best {best:.4f}, state carried on {whole:.4f}", flush=True)
    return best_network, bool(whole > best)


def main() -> None:
    """Reads the answers, trains, and writes predictions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("answers", type=Path, help="an .npz file that deep-peer has written")
    parser.add_argument("predictions", type=Path, help="the .npz file to write")
    parser.add_argument("--threads", type=int, default=1, help="threads (default: %(default)s)")
    parser.add_argument("--cpu-minutes", type=float, default=25.0, help="begin no pass later (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=20, help="random seed (default: %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with np.load(options.answers) as file:
        digest = file["digest"]
        read = {name: file[name].astype(np.int64) for name in file.files if name != "digest"}
    train, test = (
        Answers(*(read[f"{part}_{name}"] for name in ("student", "item", "skill", "correct")))
        for part in ("train", "test")
    )
    began = time.perf_counter()
    network, whole = fit(train, int(read["items"]), int(read["skills"]), options.seed, options.cpu_minutes)
    fitted = time.perf_counter()
    probability = predict(network, test, whole=whole)
    seconds = {"fit_s": fitted - began, "predict_s": time.perf_counter() - fitted}
    np.savez(options.predictions, allow_pickle=False, digest=digest, probability=probability, **seconds)


if __name__ == "__main__":
    main()
