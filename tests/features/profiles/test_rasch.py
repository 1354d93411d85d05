"""Tests of the Rasch model that items are compared with."""

import numpy as np
import pandas as pd
import pytest

from features.profiles.difficulty import Statistics, fit_statistics
from features.profiles.rasch import fit_rasch
from features.profiles.vocabulary import build_vocabulary


def test_an_item_that_only_strong_students_see_is_not_taken_for_easy():
    """Both items are right four times in five, one of them only because strong students answer it."""
    rng = np.random.default_rng(1)
    ability = np.repeat([1.5, -1.5], 200)
    student = np.repeat(np.arange(400), 20)
    item = np.tile(np.arange(20), 400).astype(np.int32)
    weak = student >= 200
    item = np.where(item == 0, np.where(weak, 1, 0), item).astype(np.int32)  # weak students get item 1 instead
    item_logit = np.zeros(20)
    item_logit[[0, 1]] = -1.0, 2.0
    correct = rng.random(len(item)) < 1 / (1 + np.exp(-(ability[student] + item_logit[item])))

    fitted = fit_rasch(student, item, correct, np.zeros(20, np.int32), 1)

    assert fitted.item[1] - fitted.item[0] > 1.5
    assert fitted.item[2:] == pytest.approx(np.zeros(18), abs=0.5)


def test_new_items_and_skills_get_what_their_skill_or_the_log_has():
    """An unseen item of a known skill is as easy as the skill; one of an unseen skill as the log."""
    vocabulary = build_vocabulary(pd.DataFrame({"item_id": ["a", "b"], "skill_id": ["s", "s"]}))
    item = np.array([0, 1, 0, 1], np.int32)
    counts = fit_statistics(vocabulary, item, np.array([True, True, True, False]))
    rasch = fit_rasch(
        np.array([0, 0, 1, 1]),
        item,
        np.array([True, True, True, False]),
        vocabulary.node_of_item,
        len(vocabulary.nodes),
    )
    known = Statistics(vocabulary, counts.item_responses, counts.item_correct, counts.transitions, rasch)

    grown = known.extend(
        pd.DataFrame({"item_id": ["c", "d"], "skill_id": ["s", "t"]}), pd.Series(["a", "c", "d"], dtype="str")
    )

    code = {name: grown.vocabulary.items.get_loc(name) for name in ("a", "c", "d")}
    node = grown.vocabulary.node_of_item[code["c"]]
    assert grown.rasch_item_logit[code["a"]] == rasch.item[0]
    assert grown.rasch_item_logit[code["c"]] == rasch.node[node]
    assert grown.rasch_item_logit[code["d"]] == rasch.overall
    again = Statistics.from_json(grown.to_json())
    assert again.rasch_item_logit.tolist() == grown.rasch_item_logit.tolist()
