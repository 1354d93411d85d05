"""Tests of the Rasch model that items are compared with."""

import numpy as np
import pandas as pd
import pytest

from features.profiles.difficulty import Statistics, fit_statistics
from features.profiles.rasch import fit_easiness
from features.profiles.vocabulary import build_catalog


def test_an_item_that_only_strong_students_see_is_not_taken_for_easy():
    """Both items are right four times in five, one of them only because strong students answer it."""
    rng = np.random.default_rng(1)
    ability = np.repeat([1.5, -1.5], 200)
    student = np.repeat(np.arange(400), 20)
    item = np.tile(np.arange(20), 400).astype(np.int32)
    weak = student >= 200
    item = np.where(item == 0, np.where(weak, 1, 0), item).astype(np.int32)  # weak students get item 1 instead
    easiness = np.zeros(20)
    easiness[[0, 1]] = -1.0, 2.0
    correct = rng.random(len(item)) < 1 / (1 + np.exp(-(ability[student] + easiness[item])))

    fitted = fit_easiness(student, item, correct, np.zeros(20, np.int32), 1)

    assert fitted.item[1] - fitted.item[0] > 1.5
    assert fitted.item[2:] == pytest.approx(np.zeros(18), abs=0.5)


def test_new_items_and_skills_get_what_their_skill_or_the_log_has():
    """An unseen item of a known skill is as easy as the skill; one of an unseen skill as the log."""
    catalog = build_catalog(pd.DataFrame({"item_id": ["a", "b"], "skill_id": ["s", "s"]}))
    item = np.array([0, 1, 0, 1], np.int32)
    counts = fit_statistics(catalog, item, np.array([True, True, True, False]))
    easiness = fit_easiness(
        np.array([0, 0, 1, 1]), item, np.array([True, True, True, False]), catalog.node_of_item, len(catalog.nodes)
    )
    known = Statistics(catalog, counts.item_responses, counts.item_correct, counts.transitions, easiness)

    grown = known.extend(
        pd.DataFrame({"item_id": ["c", "d"], "skill_id": ["s", "t"]}), pd.Series(["a", "c", "d"], dtype="str")
    )

    code = {name: grown.catalog.items.get_loc(name) for name in ("a", "c", "d")}
    node = grown.catalog.node_of_item[code["c"]]
    assert grown.item_easiness[code["a"]] == easiness.item[0]
    assert grown.item_easiness[code["c"]] == easiness.node[node]
    assert grown.item_easiness[code["d"]] == easiness.overall
    again = Statistics.from_json(grown.to_json())
    assert again.item_easiness.tolist() == grown.item_easiness.tolist()
