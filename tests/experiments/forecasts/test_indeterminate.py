"""Episodes that were undecided at a cut, and what the rest of the log says of them."""

import numpy as np
import pandas as pd

from experiments.benchmarks.forecasts.datasets import DATA_SETS, to_log
from experiments.benchmarks.forecasts.splits import build_student_split
from experiments.benchmarks.forecasts.struggle import find_undecided
from training.config import MasteryRule, load_config

BEFORE_THE_CUT = [("a", 1), ("b", 0), ("c", 1), ("d", 1), ("c", 1), ("a", 1), ("c", 1), ("b", 0)]
AFTER_IT = [("a", 1), ("b", 0), ("b", 0)]


def test_who_was_undecided_is_followed_to_the_end_of_the_log():
    """Three in a row within four: by then c is mastered; later a is, b is not, and d never comes again."""
    answers = [*BEFORE_THE_CUT, *AFTER_IT]
    skill, correct = (np.tile(column, 6) for column in zip(*answers, strict=True))
    table = pd.DataFrame(
        {
            "user_id": np.repeat(np.arange(6), len(answers)),
            "seq": np.tile(np.arange(len(answers)), 6),
            "item_id": skill,
            "skill_id": np.searchsorted(["a", "b", "c", "d"], skill),
            "correct": correct.astype(np.int64),
            "split": np.repeat(["train"] * 5 + ["test"], len(answers)),
        }
    )
    log = to_log(DATA_SETS["gervet-assistments09"], table)
    config = load_config().model_copy(update={"mastery_rule": MasteryRule(streak=3, horizon=4, lapse_days=60)})

    found = find_undecided(build_student_split(log.events, log.item_skills, log.test_students, config), config)

    assert sorted(zip(found.opportunity.tolist(), found.target.tolist(), strict=True)) == [(0, -1), (1, 0), (1, 1)]
