"""By how much skills became harder or easier in the last weeks, for the same students.

Forecasts made just before each answer are off by skill and by stage of practice, and more than a weak skill is. Here
one logistic model explains all answers, those of the last weeks too: by how able each student is, and on each skill; by
how hard skills and items are; by what practice adds and time takes away. What the last weeks' answers on a skill leave
over is its shift; how well it is known takes into account that the model has bent towards these answers.

Source: Breslow and Clayton 1993, Approximate inference in generalized linear mixed models, doi
10.1080/01621459.1993.10594284; the efficient score of Cox and Hinkley 1974, Theoretical Statistics, section 9.3.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from features.profiles.kernel import NO_TIME
from features.profiles.rasch import ABILITY_VARIANCE, ITEM_VARIANCE, PASSES, SKILL_VARIANCE
from serving.models.insight.comparison import LEAST_STUDENTS, Funnel, Group, place
from serving.models.insight.residuals import Floats, Ints, Residuals

STUDENT_SKILL_VARIANCE = 0.7
"""Variance of students on a skill around their ability, in squared logits."""

PRACTICE_VARIANCE = 1.0
"""Variance of what practice and time do, in squared logits: nothing is known before."""

COUNTS = (1, 2, 3, 4, 6, 8, 11, 15, 21, 31)
"""Answers of a student on a skill so far, from which on practice may do something else."""

LATELY_DAYS = 14.0
"""Days in which answers count as practice of late."""

LATELY = (1, 2, 4, 7, 12, 20)
"""The same as `COUNTS` for answers of late."""

PAUSES = (0.5, 5)
"""The same for days since the last answer on the skill."""

DAY = 86_400_000_000
"""Microseconds."""


@dataclass(frozen=True)
class Expected:
    """Answers beside what the model expects of them; one element of each array is an answer.

    Attributes:
        answers: The answers; their forecasts are not used.
        since: Beginning of the last weeks, microseconds since 1970 UTC.
        pair: Number of the student and node together.
        left: Right answers less expected ones.
        variance: Of an answer, as expected.
    """

    answers: Residuals
    since: int
    pair: Ints
    left: Floats
    variance: Floats

    def compare_skills(self, counted: npt.NDArray[np.bool_] | None = None) -> Funnel:
        """The funnel of skills, by the shift of each since the beginning of the last weeks.

        Where enough students practiced a skill alone, answers that need other skills too do not count.

        Args:
            counted: Students whose answers count; null: all.
        """
        answers = self.answers
        single = np.array([len(skills) == 1 for skills in answers.nodes])[answers.node]
        kept = np.ones(len(answers), bool) if counted is None else counted[answers.student]
        found: dict[str, Group] = {}
        few = 0
        for skill, at in answers.by_skill().items():
            alone = at[single[at]]
            every = alone if self._count(alone[kept[alone]]) >= LEAST_STUDENTS else at
            mine = every[kept[every]]
            if self._count(mine) >= LEAST_STUDENTS:
                found[skill] = self._measure(mine, every)
            else:
                few += self._count(mine) > 0
        return place(found, few)

    def _late(self, at: Ints) -> Ints:
        return at[self.answers.moment[at] >= self.since]

    def _count(self, at: Ints) -> int:
        return len(np.unique(self.answers.student[self._late(at)]))

    def _measure(self, at: Ints, of_all: Ints) -> Group:
        """The shift of a skill by answers at some positions, of all those at others.

        What is known of it is what remains once each student's own level on the skill, and the skill's difficulty, may
        be anything that their priors and the other answers allow.
        """
        late, prior = self._late(at), 1 / STUDENT_SKILL_VARIANCE
        every = np.bincount(self.pair[of_all], self.variance[of_all])
        recent = np.bincount(self.pair[late], self.variance[late], len(every))
        level_known = recent * (1 - recent / (every + prior))
        with_difficulty = recent * prior / (every + prior)
        of_difficulty = every * prior / (every + prior)
        information = float(level_known.sum() - with_difficulty.sum() ** 2 / (of_difficulty.sum() + 1 / SKILL_VARIANCE))
        return Group(
            self._count(at),
            len(late),
            shift=float(self.left[late].sum()) / information,
            information=information,
            evenness=float(self.variance[late].sum()),
        )


def expect_answers(answers: Residuals, since: int) -> Expected:
    """Fits the model to answers.

    Args:
        answers: The whole history of a school's students; those without a clock are left out.
        since: Beginning of the last weeks, microseconds since 1970 UTC.
    """
    answers = answers.take(answers.moment > NO_TIME)
    pair = np.unique(answers.student * len(answers.nodes) + answers.node, return_inverse=True)[1]
    practice = _code_practice(pair, answers.moment / DAY)
    codes = np.stack([answers.student, answers.item, answers.node, pair, practice])
    variances = np.array([ABILITY_VARIANCE, ITEM_VARIANCE, SKILL_VARIANCE, STUDENT_SKILL_VARIANCE, PRACTICE_VARIANCE])
    chance = _fit(codes, variances, answers.right)
    return Expected(answers, since, pair, answers.right - chance, chance * (1 - chance))


def _code_practice(pair: Ints, day: Floats) -> Ints:
    """A number for each answer of how often, how often of late and how long ago the student practiced the same."""
    order = np.lexsort((day, pair))
    begins = np.searchsorted(pair[order], pair[order])
    place = np.arange(len(pair))
    day = day - day.min(initial=np.inf)
    clock = day[order] + pair[order] * (day.max(initial=0.0) + LATELY_DAYS + 1)  # pairs lie further apart than days
    count = place - begins
    lately = place - np.maximum(begins, np.searchsorted(clock, clock - LATELY_DAYS))
    pause = np.where(count > 0, np.diff(clock, prepend=0.0), 0.0)
    coded = np.empty(len(pair), np.int64)
    coded[order] = np.ravel_multi_index(
        (np.digitize(count, COUNTS), np.digitize(lately, LATELY), np.digitize(pause, PAUSES)),
        (len(COUNTS) + 1, len(LATELY) + 1, len(PAUSES) + 1),
    )
    return coded


def _fit(codes: Ints, variances: Floats, right: Floats) -> Floats:
    """The chance of each answer to be right, by one effect for each row of codes, each with a normal prior.

    Newton's steps over one row of codes after the other, cut where they would leap.
    """
    share = (right.sum() + 1) / (len(right) + 2)
    logit = np.full(len(right), np.log(share / (1 - share)))
    effects = [np.zeros(int(code.max(initial=-1)) + 1) for code in codes]
    for _ in range(PASSES):
        for code, effect, variance in zip(codes, effects, variances, strict=True):
            chance = expit(logit)
            pull = np.bincount(code, right - chance, len(effect)) - effect / variance
            weight = np.bincount(code, chance * (1 - chance), len(effect)) + 1 / variance
            step = np.clip(pull / weight, -1, 1)
            np.add(effect, step, out=effect)
            logit += step[code]
    return expit(logit)
