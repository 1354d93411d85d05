"""What must hold of every profile, whatever the log."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numba.core.dispatcher import Dispatcher

from features.profiles import kernel
from features.profiles.difficulty import PAIR_PRIOR, Pairs, Statistics, Transitions, fit_statistics
from features.profiles.fold import build_profiles, fold, read_profiles, read_student_profiles
from features.profiles.kernel import COLUMNS, Skill
from features.profiles.state import State
from features.profiles.timeline import (
    count_responses,
    fit_responses,
    name_skills,
    recode_items,
    sort_events,
)
from features.profiles.vocabulary import build_vocabulary
from features.schema import Events, check_table
from tests.examples import holds_for

START = datetime(2024, 9, 2, 8, tzinfo=UTC)
TAGS = pd.DataFrame(
    [("easy", "add"), ("hard", "add"), ("mixed", "add"), ("mixed", "carry"), ("new", "carry"), ("solo", "carry")],
    columns=["item_id", "skill_id"],
)
STATISTICS = fit_statistics(
    build_vocabulary(TAGS, ["untagged"]),
    np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 4, 4, 5], np.int32),
    np.array([1, 1, 1, 0, 1, 0, 0, 0, 1, 1, 0, 1], bool),
    # skill, the skill before it (none: -1), whether a run starts: as `find_transitions` packs them
    np.array([(1 + n % 3) << 32 | (1 + n % 4 - 1) << 1 | n % 2 for n in range(12)]),
)
# item, the item before it (none: -1), whether that was right: as `find_pairs` packs them
PAIR_KEYS = np.array([n // 6 << 32 | (n % 6 // 2) << 1 | n % 2 for n in range(24) if n % 6 != 1])
STATISTICS = replace(STATISTICS, pairs=Pairs(PAIR_KEYS, 3.0 + np.arange(20) % 7, np.sin(np.arange(20))))


def make_events(rows):
    """Rows of (student, minutes since the start, item or None for a video, correct, hints, attempt), maybe skills."""
    columns = ["student_id", "minutes", "item_id", "correct", "hints", "attempt", "skills"]
    table = pd.DataFrame([(*row, None)[:7] for row in rows], columns=columns)
    answered = table["item_id"].notna()
    return check_table(
        Events,
        pd.DataFrame(
            {
                "event_id": [f"e{number}" for number in range(len(table))],
                "student_id": table["student_id"],
                "kind": np.where(answered, "response", "video"),
                "occurred_at": pd.to_datetime([START + timedelta(minutes=m) for m in table["minutes"]]),
                "sequence": pd.array([pd.NA] * len(table), "Int64"),
                "item_id": table["item_id"],
                "score": table["correct"].astype(float).where(answered),
                "correct": table["correct"].astype("boolean").where(answered),
                "attempt": table["attempt"].astype("Int64").where(answered),
                "hints": table["hints"],
                "duration_s": np.where(answered, 30.0, 300.0),
                "source": "test",
                "skills": table["skills"].where(answered),
            }
        ),
    )


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["007", "NA", "zoë"]),
        st.integers(0, 60 * 24 * 20).map(lambda minutes: minutes // 7 * 7),
        st.sampled_from(["easy", "hard", "mixed", "new", "solo", "untagged", None]),
        st.booleans(),
        st.one_of(st.none(), st.integers(0, 3)),
        st.sampled_from([1, 1, 1, 2]),
        st.sampled_from([None, None, "add", "carry", "add\x1fcarry"]),
    ),
    max_size=40,
).map(make_events)


def rows_by_event(events, statistics=STATISTICS):
    timeline = sort_events(events, statistics)
    rows, state = fold(timeline, statistics, State.empty())
    table = pd.DataFrame(rows, columns=list(COLUMNS), index=events["event_id"].iloc[timeline.row])
    return table.sort_index(), state


def same_state(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
        for name in ("student", "skill_start", "skill_node", "skill", "item_start", "item_code", "item")
    )


@holds_for(20, 200, EVENTS, st.lists(st.integers(0, 60 * 24 * 20), min_size=1, max_size=3))
def test_fold_of_all_is_fold_of_the_parts(events, cuts):
    """Folding in two or more parts leaves the same state and the same rows as folding at once."""
    edges = [START + timedelta(minutes=cut) for cut in sorted(cuts)]
    whole, whole_state = rows_by_event(events)

    state, parts = State.empty(), []
    for begin, end in zip([START, *edges], [*edges, START + timedelta(days=99)], strict=True):
        part = events[(events["occurred_at"] >= begin) & (events["occurred_at"] < end)]
        timeline = sort_events(part, STATISTICS, state.students)
        rows, state = fold(timeline, STATISTICS, state)
        parts.append(pd.DataFrame(rows, columns=list(COLUMNS), index=part["event_id"].iloc[timeline.row]))

    pd.testing.assert_frame_equal(pd.concat(parts).sort_index(), whole)
    order = pd.Index(whole_state.students).get_indexer(state.students)
    np.testing.assert_array_equal(state.student, whole_state.student[order])
    pd.testing.assert_frame_equal(profiles_of(state), profiles_of(whole_state))


def profiles_of(state, as_of=START + timedelta(days=30)):
    profiles = read_profiles(state, STATISTICS, as_of)
    return profiles.sort_values(["student_id", "skill_id"], ignore_index=True)


@holds_for(15, 150, EVENTS, st.integers(0, 60 * 24 * 20))
def test_events_at_or_after_the_moment_change_nothing(events, minutes):
    """A profile as of a moment does not know what comes at it or later."""
    as_of = START + timedelta(minutes=minutes)
    past = events[events["occurred_at"] < as_of]

    with_future, _ = build_profiles(events, STATISTICS, as_of)
    without, _ = build_profiles(past, STATISTICS, as_of)

    pd.testing.assert_frame_equal(with_future, without)


@holds_for(15, 150, EVENTS, st.randoms(use_true_random=False))
def test_row_order_changes_nothing(events, random):
    """The order of rows in the file decides nothing, not even among events of the same moment."""
    order = list(range(len(events)))
    random.shuffle(order)

    rows, state = rows_by_event(events)
    shuffled_rows, shuffled_state = rows_by_event(events.iloc[order].reset_index(drop=True))

    pd.testing.assert_frame_equal(rows, shuffled_rows)
    assert same_state(state, shuffled_state)


@holds_for(15, 150, EVENTS)
@example(make_events([("007", 0, "easy", False, None, 1, skills) for skills in (None, "carry", "add\x1fcarry")]))
def test_spelling_of_ids_changes_nothing(events):
    """Students and items with other names get the same numbers."""
    spell = {"easy": "z9", "hard": "a0", "mixed": "m", "new": "0", "solo": "ü", "untagged": "NA"}
    skills = {"add": "zz", "carry": "aa"}
    tags = TAGS.assign(item_id=TAGS["item_id"].map(spell), skill_id=TAGS["skill_id"].map(skills))
    vocabulary = build_vocabulary(tags, [spell["untagged"]])
    at = STATISTICS.vocabulary.items.map(spell)
    order = vocabulary.items.get_indexer(at)
    counts = [np.empty(len(at)), np.empty(len(at))]
    for target, values in zip(counts, (STATISTICS.item_responses, STATISTICS.item_correct), strict=True):
        target[order] = values
    combined = {**skills, "add\x1fcarry": "aa\x1fzz"}
    renamed = events.assign(
        skills=events["skills"].map(combined).astype("str"),
        student_id=events["student_id"].map({"007": "x", "NA": "9", "zoë": "k"}).astype("str"),
        item_id=events["item_id"].map(spell).astype("str"),
    )

    rows, _ = rows_by_event(events)
    names = STATISTICS.vocabulary.nodes.map({"": "", "add": "zz", "carry": "aa", "add\x1fcarry": "aa\x1fzz"})
    code = vocabulary.nodes.get_indexer(names)
    known = STATISTICS.transitions
    before = (known.key % 2**32) // 2 - 1
    key = code[known.node] << 32 | (np.where(before < 0, -1, code[before]) + 1) << 1 | known.starts
    put = np.argsort(key)
    transitions = Transitions(key[put], known.responses[put], known.correct[put])
    pairs = STATISTICS.pairs
    last = (pairs.key % 2**32) // 2 - 1
    key = order[pairs.key >> 32] << 32 | (np.where(last < 0, -1, order[last]) + 1) << 1 | pairs.key & 1
    put = np.argsort(key)
    pairs = Pairs(key[put], pairs.responses[put], pairs.residual[put])

    spelled, _ = rows_by_event(renamed, Statistics(vocabulary, *counts, transitions, pairs=pairs))

    pd.testing.assert_frame_equal(rows.drop(columns="skill"), spelled.drop(columns="skill"))


@holds_for(15, 150, EVENTS)
def test_other_students_change_nothing(events):
    """A student's rows are the same whoever else is in the log."""
    rows, _ = rows_by_event(events)

    for _, alone in events.groupby("student_id"):
        own, _ = rows_by_event(alone.reset_index(drop=True))
        pd.testing.assert_frame_equal(own, rows.loc[own.index])


def test_new_items_skills_and_students_get_the_prior():
    """What was never seen is answered with the prior, never with an error."""
    tags = pd.DataFrame({"item_id": ["brand-new"], "skill_id": ["brand-new-skill"]})
    events = make_events([("newcomer", 0, "brand-new", True, None, 1), ("newcomer", 5, "easy", True, None, 1)])

    statistics = STATISTICS.extend(tags, events["item_id"])
    rows, _ = rows_by_event(events, statistics)

    first = rows.loc["e0"]
    assert first["student_responses"] == 0
    assert first["skill_correct_share"] == pytest.approx(STATISTICS.global_mean)
    assert np.isnan(first["skill"])
    assert rows.loc["e1", "student_responses"] == 1


def test_answers_given_together_do_not_see_each_other():
    """Two answers of the same moment both show the history before it."""
    rows, state = rows_by_event(
        make_events([("s", 0, "easy", True, None, 1), ("s", 0, "hard", True, None, 1), ("s", 9, "easy", True, None, 1)])
    )

    assert rows["skill_opportunities"].tolist() == [0, 0, 2]
    assert state.skill[0, Skill.STREAK] == 3


def fitted_on(events):
    timeline = sort_events(events, STATISTICS)
    answered = (timeline.correct >= 0) & (timeline.item >= 0)
    return fit_responses(timeline, count_responses(timeline, STATISTICS.vocabulary, answered), answered)


def test_an_item_pair_says_what_followed_the_same_answer_to_the_same_item():
    """Whoever gets the first step wrong gets the next one wrong; a pair seen twice says nothing."""
    rows = []
    for number in range(40):
        right = number % 2 == 0
        rows += [(f"s{number:02}", 0, "easy", right, None, 1), (f"s{number:02}", 5, "hard", right, None, 1)]
        if number < 2:
            rows += [(f"s{number:02}", 9, "solo", True, None, 1)]

    fitted = fitted_on(make_events(rows))
    table, _ = rows_by_event(
        make_events(
            [
                ("right", 0, "easy", True, None, 1),
                ("right", 4, "easy", None, None, 2),
                ("right", 5, "hard", True, None, 1),
                ("right", 9, "solo", True, None, 1),
                ("wrong", 0, "easy", False, None, 1),
                ("wrong", 5, "hard", False, None, 1),
                ("together", 0, "easy", False, None, 1),
                ("together", 0, "hard", False, None, 1),
            ]
        ),
        fitted,
    )

    residual, responses = table["item_pair_residual"], table["item_pair_responses"]
    assert residual["e2"] > 0.1
    assert residual["e5"] < -0.1
    assert responses[["e0", "e2", "e3", "e5", "e7"]].tolist() == [40, 20, 0, 20, 0]
    assert residual[["e3", "e7"]].tolist() == [0, 0]
    assert table["item_known_responses"].dropna().tolist() == [40, 40, 2, 40, 40, 40, 40]


@settings(max_examples=20)
@given(EVENTS)
def test_item_pairs_are_summed_residuals_of_the_rasch_model(events):
    """The column is the mean of what the answers of a pair were beyond `rasch_expected`, shrunk to none."""
    timeline = sort_events(events, STATISTICS)
    answered = (timeline.correct >= 0) & (timeline.item >= 0)
    rows, _ = fold(timeline, statistics := fitted_on(events), State.empty())
    table = pd.DataFrame(rows, columns=list(COLUMNS))[answered]
    table["beyond"] = timeline.correct[answered] - table["rasch_expected"]
    table["key"] = 0
    keys, last = [], {}
    student, time = timeline.student, timeline.time
    for at in range(len(student)):
        before = last.get(student[at], []) if answered[at] else []
        earlier = [(item, right) for moment, item, right in before if moment < time[at]]
        keys.append((timeline.item[at], *(earlier[-1] if earlier else (-1, 0))))
        if answered[at]:
            last.setdefault(student[at], []).append((time[at], timeline.item[at], timeline.correct[at]))
    table["key"] = pd.Series(keys)[answered]

    by_key = table.groupby("key")["beyond"]
    count, total = by_key.transform("size"), by_key.transform("sum")

    known = count >= 3
    np.testing.assert_allclose(table["item_pair_residual"], (total / (count + PAIR_PRIOR)).where(known, 0), atol=1e-4)
    np.testing.assert_array_equal(table["item_pair_responses"], count.where(known, 0))
    assert len(statistics.pairs.key) == len(set(table.loc[known, "key"]))


def test_a_combination_moves_its_members():
    """An answer to an item of two skills is an opportunity on both, and the weakest member shows."""
    rows, state = rows_by_event(
        make_events(
            [
                ("s", 0, "easy", True, None, 1),
                ("s", 9, "mixed", True, None, 1),
                ("s", 18, "solo", False, None, 1),
                ("s", 27, "mixed", True, None, 1),
            ]
        )
    )
    profiles = read_profiles(state, STATISTICS, START + timedelta(days=1))

    assert rows["skill_opportunities"].tolist() == [0, 0, 1, 1]
    assert rows["weakest_opportunities"].tolist() == [0, 0, 1, 2]
    assert profiles["skill_id"].tolist() == ["add", "carry"]
    assert profiles["skill_opportunities"].tolist() == [3, 3]


def test_a_response_counts_on_the_skills_that_it_names():
    """Whatever its item is about otherwise; one that names none counts on what its item mostly is about."""
    rows, state = rows_by_event(
        make_events(
            [
                ("s", 0, "easy", True, None, 1, "carry"),
                ("s", 9, "easy", True, None, 1),
                ("s", 18, "hard", False, None, 1, "carry"),
                ("s", 27, "mixed", True, None, 1, "add"),
            ]
        )
    )
    profiles = read_profiles(state, STATISTICS, START + timedelta(days=1))

    assert rows["skill_opportunities"].tolist() == [0, 0, 1, 1]
    assert rows["stints"].tolist() == [0, 1, 2, 3]
    assert rows["item_responses"].tolist() == [0, 1, 0, 0]
    assert profiles[["skill_id", "skill_opportunities"]].to_numpy().tolist() == [["carry", 2], ["add", 2]]


def test_skills_are_as_hard_as_the_responses_that_name_them():
    """Two conditions of one item: the means of their skills differ, and the item is shrunk to the more usual one."""
    rows = [(f"s{number}", number, "q", number < 6, None, 1, "a" if number < 6 else "b") for number in range(10)]
    events = make_events(rows)
    vocabulary = build_vocabulary(TAGS.iloc[:0], ["q"], responses=events)
    timeline = sort_events(events, fit_statistics(vocabulary, np.empty(0, np.int32), np.empty(0, bool)))

    statistics = count_responses(timeline, vocabulary, timeline.correct >= 0)

    nodes = dict(zip(vocabulary.nodes, statistics.node_mean, strict=True))
    assert list(vocabulary.nodes) == ["", "a", "b"]
    assert statistics.node_responses.tolist() == [0, 6, 4]
    assert nodes["a"] == pytest.approx((6 + 20 * 7 / 12) / 26)
    assert nodes["b"] == pytest.approx((0 + 20 * 7 / 12) / 24)
    assert statistics.item_mean[0] == pytest.approx((6 + 10 * nodes["a"]) / 20)
    rasch = fit_responses(timeline, statistics, timeline.correct >= 0)
    assert rasch.rasch_node_logit[1] > rasch.rasch_node_logit[2] + 1


def test_skills_that_nobody_told_the_statistics_are_refused():
    events = make_events([("s", 0, "easy", True, None, 1, "unheard of")])

    with pytest.raises(KeyError, match="not in the vocabulary"):
        sort_events(events, STATISTICS)
    extended = STATISTICS.extend(TAGS, events["item_id"], events["skills"])
    assert extended.vocabulary.skills_of(int(sort_events(events, extended).node[0])) == ("unheard of",)


def test_other_codes_are_the_same_skills():
    """A timeline in the codes of another vocabulary names the same items and skills, or is refused."""
    own, few = STATISTICS.vocabulary, build_vocabulary(TAGS[TAGS["skill_id"] == "add"], ["solo"])
    other = build_vocabulary(TAGS, ["0"], responses=pd.DataFrame({"item_id": ["0"], "skills": ["0"]}))
    events = make_events(
        [("s", 0, "easy", True, None, 1, "carry"), ("s", 8, "solo", True, None, 1), ("s", 9, *[None] * 4)]
    )
    timeline = sort_events(events, STATISTICS)

    recoded = recode_items(timeline, own, other)

    for one, same in zip(name_skills(timeline, own), name_skills(recoded, other), strict=True):
        assert one.tolist() == same.tolist()
    assert name_skills(recoded, other)[1].tolist() == ["carry", "carry"]
    assert (recoded.item[0], recoded.item[2], recoded.node[2]) == (other.items.get_loc("easy"), -1, -1)
    with pytest.raises(KeyError, match="not in the vocabulary"):
        recode_items(timeline, own, few)


def test_retries_and_videos_only_pass_time():
    """A second try or a video is no opportunity, but it is time at work."""
    rows, _ = rows_by_event(
        make_events(
            [
                ("s", 0, "easy", False, None, 1),
                ("s", 1, "easy", True, None, 2),
                ("s", 2, None, None, None, 1),
                ("s", 9, "easy", True, None, 1),
            ]
        )
    )

    assert rows.loc[["e1", "e2"]].isna().all(axis=None)
    assert rows.loc["e3", "skill_opportunities"] == 1
    assert rows.loc["e3", "active_minutes_7d"] == pytest.approx(6.0)


def test_a_log_without_a_clock_has_an_order():
    """With an order and no times, the columns of time are null and the rest are as usual."""
    events = make_events([("s", 0, "easy", True, None, 1), ("s", 9, "easy", False, None, 1)])
    events["sequence"] = pd.array([2, 1], "Int64")
    events["occurred_at"] = pd.to_datetime(pd.Series([None, None]), utc=True).astype("datetime64[us, UTC]")

    rows, state = rows_by_event(events)
    profiles = read_profiles(state, STATISTICS, None)

    assert rows.loc["e0", "skill_first_correct"] == 0
    assert np.isnan(rows.loc["e0", "days_since_skill"])
    assert profiles["last_practiced"].isna().all()


def test_statistics_survive_storage():
    """Statistics read back from JSON are the ones written."""
    again = Statistics.from_json(STATISTICS.to_json())

    np.testing.assert_array_equal(again.item_mean, STATISTICS.item_mean)
    np.testing.assert_array_equal(again.node_mean, STATISTICS.node_mean)
    np.testing.assert_array_equal(again.pair_table, STATISTICS.pair_table)
    assert again.vocabulary.nodes.equals(STATISTICS.vocabulary.nodes)


def test_a_student_profile_speaks_of_the_student_alone():
    """Also of one whose items have no skill; the columns are those of the student's next row."""
    events = make_events([("s", 0, "easy", True, None, 1), ("s", 9, "untagged", False, None, 1)])
    _, state = rows_by_event(events)

    profiles = read_student_profiles(state, STATISTICS, START + timedelta(minutes=9, days=1))

    row = profiles.iloc[0]
    assert row["student_responses"] == 2
    assert row["student_streak"] == -1
    assert row["days_since_last_response"] == 1
    assert row["last_active"] == START + timedelta(minutes=9)
    assert [name for name in profiles if name.startswith(("skill", "item"))] == []


def test_a_saved_state_is_the_state(tmp_path):
    """Saved and loaded, it continues as if it had never left."""
    _, state = rows_by_event(make_events([("zoë", 0, "mixed", True, 2, 1), ("007", 3, None, None, None, 1)]))

    state.save(tmp_path / "state.npz")
    again = State.load(tmp_path / "state.npz")

    assert same_state(state, again)
    assert again.students.tolist() == state.students.tolist()


def test_every_compiled_function_has_one_signature(tmp_path):
    """Also when a state was saved and loaded, when it is empty, and without a clock."""
    events = make_events([("s", 0, "mixed", True, 2, 1), ("s", 3, "easy", None, None, None)])
    _, state = rows_by_event(events)
    state.save(tmp_path / "state.npz")

    for as_of in (START + timedelta(days=1), None):
        for before in (State.empty(), State.load(tmp_path / "state.npz")):
            _, after = build_profiles(events, STATISTICS, as_of, before)
            read_student_profiles(after, STATISTICS, as_of)

    functions = {name: part for name, part in vars(kernel).items() if isinstance(part, Dispatcher)}
    assert len(kernel.fold_events.signatures) == len(kernel.read_skills.signatures) == 1
    assert {name for name, function in functions.items() if len(function.signatures) > 1} == set()
