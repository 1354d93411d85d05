"""The kernel and plain pandas say the same, and the benchmark that times them says so."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from experiments.__main__ import main
from experiments.benchmarks.kernel.pandas_columns import build_columns
from experiments.benchmarks.kernel.pandas_steps import Difficulty, events_table
from experiments.benchmarks.kernel.timing import compare_columns, measure_history
from features.errors import InputError
from features.profiles.difficulty import Pairs, fit_statistics
from features.profiles.fold import fold
from features.profiles.kernel import COLUMNS
from features.profiles.state import State
from features.profiles.timeline import sort_events
from features.profiles.vocabulary import build_vocabulary
from features.schema import Events, check_table
from tests.examples import holds_for
from training.data.dataset import keep_students

pytestmark = pytest.mark.long  # whole benchmarks, if small ones

START = datetime(2024, 9, 2, 8, tzinfo=UTC)
TAGS = pd.DataFrame(
    [
        ("easy", "add"), ("hard", "add"), ("mixed", "add"), ("mixed", "carry"), ("new", "carry"),
        ("triple", "add"), ("triple", "carry"), ("triple", "borrow"), ("solo", "borrow"),
    ],
    columns=["item_id", "skill_id"],
)  # fmt: skip
STATISTICS = fit_statistics(
    build_vocabulary(TAGS, ["untagged"]),
    np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 4, 4, 5], np.int32),
    np.array([1, 1, 1, 0, 1, 0, 0, 0, 1, 1, 0, 1], bool),
    # skill, the skill before it (none: -1), whether a run starts: as `find_transitions` packs them
    np.array([(1 + n % 5) << 32 | (n % 4) << 1 | n % 2 for n in range(12)]),
)
# item, the item before it (none: -1), whether that was right: as `find_pairs` packs them
PAIR_KEYS = np.array([n // 8 << 32 | (n % 8 // 2) << 1 | n % 2 for n in range(40) if n % 8 != 1])
STATISTICS = replace(STATISTICS, pairs=Pairs(PAIR_KEYS, 3.0 + np.arange(35) % 7, np.sin(np.arange(35))))
KEYS = {"rows", "columns", "rows_per_s", "ratio_to_copy", "ratio_to_pandas", "equal"}


def make_events(rows):
    """Rows of (student, minutes since the start or None, item or None for a video, correct, hints, attempt, s).

    And maybe the skills that the response names itself.
    """
    columns = ["student_id", "minutes", "item_id", "correct", "hints", "attempt", "duration_s", "skills"]
    table = pd.DataFrame([(*row, None)[:8] for row in rows], columns=columns).astype(
        {"minutes": "float64", "duration_s": "float64"}
    )
    answered = table["item_id"].notna()
    events = pd.DataFrame(
        {
            "event_id": [f"e{number}" for number in range(len(table))],
            "student_id": table["student_id"],
            "kind": np.where(answered, "response", "video"),
            "occurred_at": pd.Series(START + pd.to_timedelta(table["minutes"], unit="m")),
            "sequence": pd.array(range(len(table)), "Int64"),
            "item_id": table["item_id"],
            "score": table["correct"].astype(float).where(answered),
            "correct": table["correct"].astype("boolean").where(answered),
            "attempt": table["attempt"].astype("Int64").where(answered),
            "hints": table["hints"],
            "duration_s": table["duration_s"],
            "source": "test",
            "skills": table["skills"].where(answered),
        }
    )
    return check_table(Events, events)


def log_of(students, minutes, **sizes):
    return st.lists(
        st.tuples(
            st.sampled_from(students),
            minutes,
            st.sampled_from(["easy", "hard", "mixed", "triple", "new", "solo", "untagged", None]),
            st.booleans(),
            st.one_of(st.none(), st.integers(0, 3)),
            st.sampled_from([1, 1, 1, 2, None]),
            st.one_of(st.none(), st.floats(0, 300)),
            st.sampled_from([None, None, "add", "borrow", "add\x1fcarry"]),
        ),
        **sizes,
    )


FEW_MOMENTS = st.integers(0, 60 * 24 * 20).map(lambda minutes: minutes // 40 * 40)
SAME_SESSION = st.integers(0, 12).map(lambda steps: steps * 25)


def rows_and_columns(events):
    timeline = sort_events(events, STATISTICS)
    rows, _ = fold(timeline, STATISTICS, State.empty())
    return rows, build_columns(events_table(timeline), Difficulty.of(STATISTICS))


def assert_same(rows, columns):
    kernel = pd.DataFrame(rows, columns=list(COLUMNS))
    pd.testing.assert_frame_equal(kernel, columns, rtol=1e-5, atol=1e-8)


@holds_for(
    10,
    100,
    st.one_of(
        log_of(["007", "NA", "zoë"], st.one_of(FEW_MOMENTS, SAME_SESSION), min_size=1, max_size=40),
        log_of(["007", "zoë"], SAME_SESSION, min_size=1, max_size=40),
    ),
)
def test_kernel_and_pandas_say_the_same(log):
    """Whatever the ties, retries, videos, combinations and nulls, all columns are the same."""
    rows, columns = rows_and_columns(make_events(log))

    assert_same(rows, columns)
    assert compare_columns(rows, columns).equal


@holds_for(5, 50, log_of(["007", "zoë"], st.none(), min_size=1, max_size=40))
def test_they_say_the_same_of_a_log_without_a_clock(log):
    rows, columns = rows_and_columns(make_events(log))

    assert_same(rows, columns)


@holds_for(5, 50, log_of(["007", "zoë"], st.one_of(st.none(), FEW_MOMENTS), min_size=1, max_size=40))
def test_they_say_the_same_where_some_times_are_null(log):
    rows, columns = rows_and_columns(make_events(log))

    assert_same(rows, columns)


def test_what_must_hold_by_hand():
    """The pandas version is judged by values that a person can check, not only by the kernel."""
    log = [
        ("s", 0, "easy", True, 1, 1, 60.0),
        ("s", 0, "hard", False, None, 1, None),
        ("s", 30, "easy", True, None, 2, 60.0),
        ("s", 150, "mixed", True, 0, 1, None),
        ("s", 160, "easy", True, 2, 1, None),
    ]

    _, columns = rows_and_columns(make_events(log))

    assert columns.loc[2].isna().all()
    answers = columns.drop(index=2)
    assert answers["student_responses"].tolist() == [0, 0, 2, 3]
    assert answers["skill_opportunities"].tolist() == [0, 0, 0, 3]
    assert answers["weakest_opportunities"].tolist() == [0, 0, 0, 3]
    assert answers["item_responses"].tolist() == [0, 0, 0, 1]
    assert answers["session_responses"].tolist() == [0, 0, 0, 1]
    assert answers["stints"].tolist() == [0, 0, 1, 2]
    assert answers["previous_stint_responses"].tolist() == [0, 0, 2, 1]
    assert answers["days_since_last_response"].tolist()[2:] == pytest.approx([2 / 24, 0])
    assert answers["days_since_skill"].tolist()[3] == 0
    assert answers["student_hints_ewm_10"].tolist()[2:] == pytest.approx([1.0, 0.9])
    assert answers["active_minutes_7d"].tolist()[2] == pytest.approx(2 * 0.5 ** (2 / 24 / 7))


def test_a_comparison_names_the_worst_column():
    rows, columns = rows_and_columns(make_events([("s", 9 * n, "easy", n % 2 == 0, None, 1, None) for n in range(6)]))

    wrong_count = compare_columns(rows, columns.assign(stints=columns["stints"] + 1e-6))
    wrong_value = compare_columns(rows, columns.assign(skill_ability=columns["skill_ability"] * 1.01))
    lost_null = compare_columns(rows, columns.assign(days_since_item=columns["days_since_item"].fillna(0)))

    assert (wrong_count.equal, wrong_count.worst_column, wrong_count.worst_deviation) == (False, "stints", None)
    assert (wrong_value.equal, wrong_value.worst_column) == (False, "skill_ability")
    assert wrong_value.worst_deviation == pytest.approx(1000, rel=0.02)
    assert (lost_null.worst_column, lost_null.unequal_cells) == ("days_since_item", 1)


def test_a_sample_of_students_has_their_own_rows():
    log = [(name, 5 * n, "easy", n % 3 == 0, None, 1, None) for n in range(9) for name in ("a", "b", "c")]
    timeline = sort_events(make_events(log), STATISTICS)
    chosen = np.array([True, False, True])

    sample = keep_students(timeline, chosen, chosen[timeline.student])
    rows, _ = fold(sample, STATISTICS, State.empty())
    whole, _ = fold(timeline, STATISTICS, State.empty())

    assert list(sample.students) == ["a", "c"]
    np.testing.assert_array_equal(rows, whole[chosen[timeline.student]])


def test_a_large_log_gives_pandas_a_stated_sample(monkeypatch):
    """Where pandas would take too long, both are timed on the same students."""
    monkeypatch.setattr("experiments.benchmarks.kernel.timing.PILOT_ROWS", 100)
    monkeypatch.setattr("experiments.benchmarks.kernel.timing.PANDAS_SECONDS", 1e-9)
    log = [(f"s{n % 20}", n, "easy", n % 3 == 0, None, 1, None) for n in range(400)]

    timing = measure_history(sort_events(make_events(log), STATISTICS), STATISTICS)

    assert timing.pandas_rows == 20
    assert timing.rows == 400
    assert timing.comparison.equal


def test_the_command_measures_a_simulated_log(tmp_path, capsys):
    """From the file of a log to the figures, in the form that other programs read."""
    folder, figures = tmp_path / "school", tmp_path / "figures.json"
    main(["simulate", str(folder), "--teams", "1", "--weeks", "1"])
    log, mapping = str(folder / "log.parquet"), str(folder / "mapping.toml")

    code = main(["benchmark", "history", "--log", log, "--mapping", mapping, "--json", str(figures)])

    measured = json.loads(figures.read_text(encoding="utf-8"))
    assert code == 0
    assert measured.keys() >= KEYS
    assert measured["equal"] is True
    assert measured["columns"] == len(COLUMNS)
    assert measured["rows"] == len(pd.read_parquet(log)) == measured["pandas_rows"]
    assert min(measured["rows_per_s"], measured["ratio_to_copy"], measured["ratio_to_pandas"]) > 0
    assert "ratio to pandas" in capsys.readouterr().out


def test_a_mapping_without_a_log_is_refused():
    with pytest.raises(InputError, match="name the file with --log PATH"):
        main(["benchmark", "history", "--mapping", "mapping.toml"])
