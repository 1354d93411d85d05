"""What a team's students have answered, drawn as a school's log shows it, and the forecasts that this gives.

A team works its way through a curriculum of skills that build on each other, and stands somewhere in it: what lies
behind was practiced long ago or only in reviews, what lies ahead few have begun. Answers are drawn one by one and
judged by the rules of the service (`serving/models/status.py`); risk and mastery are spread as its models give them.
The numbers below were fitted to the demo school, whose shares `experiments/README.md` tells beside those of these days.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from features.roster import SkillMap
from features.roster.records import Skill
from serving.models.forecasts import SkillForecast

Floats = npt.NDArray[np.float64]

STRANDS = 4
"""Chains of skills, taught in turn: each skill builds on the one as many places before it."""

BEGUN = {1: 0.87, 2: 0.65, 3: 0.38, 4: 0.12, 5: 0.02}
"""Share of students who have begun a skill that lies so far ahead; all the current one, nobody those beyond."""

ANSWERS = {0: 12.0, 1: 7.5, 2: 4.2, 3: 3.0, 4: 2.2, 5: 1.5}
"""Answers of a middling student on skills that lie so far ahead; behind, as below."""

TAUGHT, REVIEWED, KNOWN = 18.0, 4.5, 14
"""Answers on a skill taught while the log was kept, and on one from before, which lies so many skills behind."""

PACE, SPREAD = 0.5, 0.75
"""Spread of the logarithm of answers, between students and within."""

MOST = 40
"""Answers on a skill that are drawn; what came before would change nothing."""

ABILITY, STRAND, SKILL = 1.05, 0.35, 0.8
"""Spread of students, of their strands and of their skills, in logits."""

EASE, DIFFICULTY = 1.4, 1.4
"""Mean ease of skills and its spread, in logits."""

GUESS, SLIP = 0.08, 0.05
"""Chances of a right answer without knowing, and of a wrong one in spite of it."""

GROWTH, RATE = 1.3, 0.19
"""Logits that practice adds in the end, and the share of what is missing that one answer adds."""

STREAK, HORIZON, LAPSE_DAYS, LEAST_ANSWERS, MOSTLY_WRONG, DOUBTFUL, RECENT_DAYS = 3, 10, 60, 2, 3, 0.5, 28
"""The rules of status and recency, as in `training/default.toml` and `serving/settings.py`."""


@dataclass(frozen=True)
class Curriculum:
    """Skills in teaching order, and where the team stands.

    Attributes:
        ids: Skill ids.
        middle: Place of the current unit's middle in `ids`, with a fraction.
    """

    ids: tuple[str, ...]
    middle: float

    @property
    def skills(self) -> SkillMap:
        """Returns names and prerequisites."""
        return SkillMap(
            {skill: Skill(skill, f"Skill {at}") for at, skill in enumerate(self.ids)},
            {skill: (self.ids[at],) for at, skill in enumerate(self.ids[STRANDS:])},
        )

    @property
    def focus(self) -> dict[str, float]:
        """Returns the current unit: five skills by how near the middle they lie, 0-1."""
        first = int(self.middle) - 2
        near = [at for at in range(first, first + 5) if 0 <= at < len(self.ids)]
        return {self.ids[at]: round(1 / (1 + abs(at + 0.5 - self.middle)), 2) for at in near}


@dataclass(frozen=True)
class _Record:
    """What each student did on each skill; arrays of students x skills.

    Attributes:
        answers: First attempts.
        streak: Right answers in a row at the end; `best`: at any time.
        wrong: Wrong answers among the last five.
        logit: How likely the next answer is right, in logits.
        days: Days since the last answer.
    """

    answers: npt.NDArray[np.int64]
    streak: npt.NDArray[np.int64]
    best: npt.NDArray[np.int64]
    wrong: npt.NDArray[np.int64]
    logit: Floats
    days: Floats


def draw_forecasts(
    students: tuple[str, ...], curriculum: Curriculum, as_of: datetime, rng: np.random.Generator
) -> list[SkillForecast]:
    """Draws what the service would know of each student on each skill begun, student by student.

    Args:
        students: Ids.
        curriculum: Skills, and where the team stands.
        as_of: Moment of the forecasts, UTC.
        rng: Random generator; equal states give equal forecasts.
    """
    record = _draw_record(len(students), curriculum, rng)
    known = record.logit + 0.5 * rng.normal(size=record.logit.shape)
    mastery = GUESS + (1 - GUESS - SLIP) / (1 + np.exp(-known))
    odds = np.log(mastery / (1 - mastery))
    risk = 1 / (1 + np.exp(0.6 + 2.0 * odds - 0.6 * rng.normal(size=odds.shape)))
    status = _judge(record, mastery)
    forecasts: list[SkillForecast] = []
    for at, place in np.argwhere(record.answers > 0).tolist():
        scarce, proficient = status[at, place] == "thin_evidence", status[at, place] == "proficient"
        days = float(record.days[at, place])
        forecasts.append(
            SkillForecast(
                student=students[at],
                skill=curriculum.ids[place],
                row=len(forecasts),
                status=status[at, place],
                struggle_risk=None if scarce else 0.0 if proficient else float(risk[at, place]),
                mastery=None if scarce else float(mastery[at, place]),
                opportunities=int(record.answers[at, place]),
                last_practiced=as_of - timedelta(days=days),
                recent=days <= RECENT_DAYS,
                forgotten=bool(status[at, place] == "review_due" and days > LAPSE_DAYS),
                missing=LEAST_ANSWERS - 1 if scarce else 0,
            )
        )
    return forecasts


def _draw_record(students: int, curriculum: Curriculum, rng: np.random.Generator) -> _Record:
    skills = len(curriculum.ids)
    shape, ahead = (students, skills), np.round(np.arange(skills) - curriculum.middle).astype(int)
    begun = [1.0 if at <= 0 else BEGUN.get(at, 0.0) for at in ahead.tolist()]
    usual = [
        ANSWERS[min(at, max(ANSWERS))] if at >= 0 else TAUGHT if at > -KNOWN else REVIEWED for at in ahead.tolist()
    ]
    pace = PACE * rng.normal(size=(students, 1))
    counts = np.round(np.exp(np.log(usual) + pace + SPREAD * rng.normal(size=shape)))
    answers = np.where(rng.random(shape) < begun, np.clip(counts, 1, MOST), 0).astype(np.int64)
    strand = (STRAND * rng.normal(size=(students, STRANDS)))[:, np.arange(skills) % STRANDS]
    ease = EASE + DIFFICULTY * rng.normal(size=skills)
    logit = ABILITY * rng.normal(size=(students, 1)) + strand + SKILL * rng.normal(size=shape) + ease
    missing = np.full(shape, GROWTH)
    streak, best, last = (np.zeros(shape, np.int64) for _ in range(3))
    for at in range(MOST):
        going, right = at < answers, rng.random(shape) < GUESS + (1 - GUESS - SLIP) / (1 + np.exp(-logit))
        streak = np.where(going, np.where(right, streak + 1, 0), streak)
        best = np.maximum(best, streak)
        last = np.where(going, (last << 1 | ~right) & 31, last)
        logit = np.where(going, logit + RATE * missing, logit)
        missing = np.where(going, missing * (1 - RATE), missing)
    wrong = sum((last >> bit) & 1 for bit in range(5))
    days = np.minimum(rng.exponential(np.where(ahead < 0, np.minimum(3.0 - 2.5 * ahead, 36.0), 3.0), shape), 84.0)
    return _Record(answers, streak, best, np.asarray(wrong), logit, days)


def _judge(record: _Record, mastery: Floats) -> npt.NDArray[np.str_]:
    was_proficient, mostly_wrong = record.best >= STREAK, record.wrong >= MOSTLY_WRONG
    lost = was_proficient & (record.streak < STREAK) & (mostly_wrong | (mastery < DOUBTFUL))
    return np.select(
        [
            lost | (was_proficient & (record.days > LAPSE_DAYS)),
            was_proficient,
            record.answers < LEAST_ANSWERS,
            mostly_wrong | (record.answers >= HORIZON),
        ],
        ["review_due", "proficient", "thin_evidence", "not_yet_proficient"],
        "learning",
    )
