"""Copied students are found whatever the order of their answers, and students who merely agree are not."""

import json
import logging

import numpy as np
import pandas as pd
import pytest

from features.__main__ import main
from features.events.identity.copies import MAX_BUCKET, count_copied, find_copies, surely_copied
from features.home import read_home

ITEMS = 60


def make_log(answers: dict[str, dict[str, bool]]) -> pd.DataFrame:
    rows = [(student, item, right) for student, sheet in answers.items() for item, right in sheet.items()]
    table = pd.DataFrame(rows, columns=["student_id", "item_id", "correct"])
    return table.assign(correct=table["correct"].astype("boolean"), attempt=pd.array([1] * len(table), "Int64"))


def draw_class(students: int, items: int = ITEMS, share: float = 0.6, seed: int = 1) -> dict[str, dict[str, bool]]:
    """Everybody answers every item."""
    drawn = np.random.default_rng(seed).random((students, items)) < share
    return {f"s{who}": {f"i{what}": bool(right) for what, right in enumerate(row)} for who, row in enumerate(drawn)}


def list_pairs(pairs: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(pairs["student_id"], pairs["copy_id"], strict=True))


def find_by_hand(answers: dict[str, dict[str, bool]]) -> set[tuple[str, str]]:
    """The limits, applied to every pair."""
    names, found = sorted(answers), set()
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            common = answers[one].keys() & answers[other].keys()
            either = answers[one].keys() | answers[other].keys()
            equal = sum(answers[one][item] == answers[other][item] for item in common)
            if len(common) >= 15 and len(common) > 0.5 * len(either) and equal > 0.97 * len(common):
                found.add((one, other))
    return found


def test_a_pupil_with_two_accounts_is_found_in_a_class():
    answers = draw_class(30)
    answers["twin"] = dict(reversed(answers["s7"].items()))

    pairs = find_copies(make_log(answers).sample(frac=1, random_state=2))

    assert list_pairs(pairs) == [("s7", "twin")]
    assert pairs[["common_items", "overlap", "equal_share"]].to_numpy().tolist() == [[ITEMS, 1, 1]]
    assert pairs.loc[0, "by_chance"] < 1e-6
    assert count_copied(surely_copied(pairs)) == 2


def test_every_pair_that_the_limits_name_is_found():
    """Min-hash leaves none out: students with random parts of others' answers, some of them altered."""
    rng = np.random.default_rng(3)
    answers = {
        f"s{who}": {f"i{what}": bool(rng.random() < 0.6) for what in rng.choice(400, 60, replace=False)}
        for who in range(200)
    }
    for who in range(60):
        items = list(answers[f"s{who}"].items())
        part = items[: rng.integers(35, 61)]
        changed = {item: right != (rng.random() < 0.03) for item, right in part}
        answers[f"copy{who}"] = changed | {f"own{who}-{more}": True for more in range(rng.integers(0, 20))}

    found = set(list_pairs(find_copies(make_log(answers))))

    assert found == find_by_hand(answers)
    assert len(found) > 20


def test_students_with_everything_right_are_no_sure_copies():
    """They agree whoever they are."""
    answers = draw_class(40, share=0.9)
    answers |= {f"able{who}": dict.fromkeys(answers["s0"], True) for who in range(6)}

    pairs = find_copies(make_log(answers))

    assert len(pairs) == 15
    assert len(surely_copied(pairs)) == 0


@pytest.mark.parametrize(("items", "found"), [(14, []), (15, [("s3", "twin")])])
def test_few_common_items_say_nothing(items, found):
    answers = draw_class(8, items=items)
    answers["twin"] = answers["s3"]

    assert list_pairs(find_copies(make_log(answers))) == found


def test_more_students_than_a_bucket_holds_do_not_hide_a_copy():
    """A whole school with the same hundred items, half of them right for everyone: buckets have to be split on."""
    answers = draw_class(8 * MAX_BUCKET, items=100)
    for sheet in answers.values():
        sheet.update({f"i{what}": True for what in range(50)})
    answers["twin"] = answers["s100"]

    assert ("s100", "twin") in list_pairs(find_copies(make_log(answers)))


def test_later_attempts_and_activities_do_not_count():
    log = make_log(draw_class(5) | {"twin": draw_class(5)["s2"]})
    again = log[log["student_id"] == "twin"].assign(correct=True, attempt=pd.array([2] * ITEMS, "Int64"))
    video = log.assign(item_id=None, correct=pd.array([None] * len(log), "boolean"))

    pairs = find_copies(pd.concat([log, again, video], ignore_index=True))

    assert list_pairs(pairs) == [("s2", "twin")]


@pytest.mark.parametrize("students", [0, 1, 3])
def test_a_log_without_copies_gives_an_empty_table(students):
    pairs = find_copies(make_log(draw_class(students)))

    assert pairs.columns[:2].tolist() == ["student_id", "copy_id"]
    assert len(pairs) == 0


@pytest.fixture
def school(tmp_path, monkeypatch):
    """A log file of a class in which one pupil has two accounts."""
    monkeypatch.setenv("REGROUP_HOME", str(tmp_path / "home"))
    (tmp_path / "log.toml").write_text('[columns]\nstudent = "who"\nitem = "what"\ntime = "at"\ncorrect = "right"\n')
    answers = draw_class(20)
    answers["[twin]"] = answers["s4"]
    lines = [
        f"{student},{item},2024-01-{1 + place // 24:02}T{place % 24:02}:00:00Z,{int(right)}"
        for student, sheet in answers.items()
        for place, (item, right) in enumerate(sheet.items())
    ]
    (tmp_path / "log.csv").write_text("\n".join(["who,what,at,right", *lines]) + "\n")
    return tmp_path


def test_ingest_warns_and_names_nobody_and_copies_names_them_and_keeps_nothing(school, capsys, caplog):
    caplog.set_level(logging.WARNING, "regroup")
    ingest = [
        "ingest",
        str(school / "log.csv"),
        "--mapping",
        str(school / "log.toml"),
        "--json",
        str(school / "c.json"),
    ]

    assert main(ingest) == 0
    warnings = [record.getMessage() for record in caplog.records]
    before = sorted(read_home().root.rglob("*"))
    assert main(["copies", "--json", str(school / "pairs.json")]) == 0

    assert len(warnings) == 1
    assert warnings[0].startswith("2 students gave the same answers")
    assert "twin" not in warnings[0]
    assert json.loads((school / "c.json").read_text())["copied_students"] == 2
    pairs = json.loads((school / "pairs.json").read_text())["pairs"]
    assert [(pair["student_id"], pair["copy_id"], pair["common_items"]) for pair in pairs] == [("[twin]", "s4", ITEMS)]
    assert "[twin]" in capsys.readouterr().out
    assert sorted(read_home().root.rglob("*")) == before


def test_the_same_file_again_is_not_looked_at_again(school, caplog):
    ingest = [
        "ingest",
        str(school / "log.csv"),
        "--mapping",
        str(school / "log.toml"),
        "--json",
        str(school / "c.json"),
    ]
    main(ingest)
    caplog.clear()

    assert main(ingest) == 0

    assert json.loads((school / "c.json").read_text())["copied_students"] is None
    assert not [record for record in caplog.records if record.levelno == logging.WARNING]
