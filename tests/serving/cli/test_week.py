"""`python -m serving week`: files in, a table out, and a file with which the rest is planned the next morning."""

import json
from pathlib import Path

import pytest

from features.errors import InputError
from serving import formats
from serving.__main__ import main

EXAMPLE = Path(formats.__file__).with_name("day.example.json")


@pytest.fixture
def days(tmp_path):
    paths = [tmp_path / f"{name}.json" for name in ("mon", "tue", "wed")]
    for path in paths:
        path.write_text(EXAMPLE.read_text())
    return [str(path) for path in paths]


def test_a_week_is_planned_and_its_rest_planned_again(days, tmp_path, capsys):
    stored, pictures = tmp_path / "week.json", tmp_path / "pictures"
    options = ["--teacher-seats", "1", "--most-together", "3", "--json", str(stored), "--svg", str(pictures)]

    main(["week", *days, *options])

    first, shown = json.loads(stored.read_text()), capsys.readouterr().out
    main(["week", *days[1:], "--over", str(stored), *options])
    second = json.loads(stored.read_text())
    main(["week", *days[2:], "--over", str(stored), *options])
    third = json.loads(stored.read_text())
    assert "teacher_seats" in shown
    assert sorted(path.name for path in pictures.iterdir()) == ["mon.svg", "tue.svg", "wed.svg"]
    assert [[day["over"] for day in week["days"]] for week in (first, second, third)] == [
        [False, False, False], [True, False, False], [True, True, False],
    ]  # fmt: skip
    assert third["days"][0]["sessions"] == first["days"][0]["sessions"]
    assert third["days"][1]["sessions"] == second["days"][1]["sessions"]
    assert {outcome["target"] for outcome in third["outcomes"]} == {"teacher_seats", "most_together"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda days: [*days, days[0]], "mon.json is given twice"),
        (lambda days: [*days, "--coaching", "a.rivera", "b.chen", "two"], "'two' is not a number of sessions"),
        (lambda days: [*days, "--most-together", "0"], r"WeekTargets.most_together: 0"),
        (lambda days: [*days, "--over", days[0]], "is no week as --json writes it"),
        (lambda days: ["nowhere.json"], "nowhere.json cannot be read"),
        (lambda days: [*days, "--passes", "-1"], "--passes is -1"),
    ],
)
def test_what_cannot_be_planned_is_named(days, change, message):
    with pytest.raises(InputError, match=message):
        main(["week", *change(days)])
