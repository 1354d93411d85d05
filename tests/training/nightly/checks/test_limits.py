"""Limits from a figure's own history, on nights whose figures are drawn."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from training.config import load_config
from training.nightly.checks.limits import judge_figures
from training.nightly.checks.measures import Figure, Measures
from training.nightly.checks.night import judge_night

CHECKS = load_config().checks
MONDAY = datetime(2026, 1, 6, tzinfo=UTC)
"""The midnight after a Monday."""


def school_nights(count, start=MONDAY):
    """Midnights after school days."""
    days = (start + timedelta(days=day) for day in range(2 * count))
    return [moment for moment in days if (moment - timedelta(hours=12)).weekday() < 5][:count]


def make_night(moment, seed=0, run_id="run", students=100, schools=("",), **changes):
    """A night with quiet figures, to which changes are added by name; blanks of a name are underscores."""
    random = np.random.default_rng([int(moment.timestamp()), seed])
    spread = {f"column c{number}": (random.normal(0, 0.02), 1.0) for number in range(10)}
    plain = {"base_rate": random.normal(0, 0.005), "volume": 7 + random.normal(0, 0.1), "unknown_items": 0.1}
    figures = {name: Figure(*pair) for name, pair in spread.items()} | {n: Figure(v) for n, v in plain.items()}
    for name, change in changes.items():
        key = name.replace("column_", "column ")
        figures[key] = Figure(figures[key].value + change, figures[key].spread)
    return Measures(moment, run_id, dict.fromkeys(schools, students), {}, {}, dict.fromkeys(schools, figures), {})


def replay(nights):
    """The findings of the last night, each night judged beside those before it."""
    history, findings = [], []
    for night in nights:
        findings, kept = judge_night(history, night, frozenset(), CHECKS)
        history.append(kept)
    return findings


def levels(findings):
    """Names and levels of what is not as it should be."""
    return {(each.name, each.level) for each in findings if each.level != "ok"}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"column_c3": 0.25}, "drift of c3"),
        ({"column_c3": -0.25}, "drift of c3"),
        ({"unknown_items": 0.5}, "unknown_items"),
        ({"volume": -1.2}, "volume"),
    ],
)
def test_a_change_is_a_notice_on_the_first_night_and_an_alarm_on_the_second(change, name, monkeypatch):
    """It is named, and nothing else is."""
    monkeypatch.setattr("training.nightly.checks.words.MEANING", {f"c{number}": "" for number in range(10)})
    *before, first, second = school_nights(40)
    past = [make_night(moment) for moment in before]

    on_first = replay([*past, make_night(first, **change)])
    on_second = replay([*past, make_night(first, **change), make_night(second, **change)])

    assert levels(replay(past)) == set()
    assert levels(on_first) == {(name, "notice")}
    assert levels(on_second) == {(name, "alarm")}


@pytest.mark.parametrize("points", [0.03, -0.03])
@pytest.mark.parametrize("seed", range(5))
def test_three_points_of_the_base_rate_are_an_alarm_within_three_nights(points, seed):
    """Of all schools together: the mean of three nights says what two of them by themselves would not."""
    nights = [make_night(moment, seed) for moment in school_nights(40)]
    changed = [make_night(night.moment, seed, base_rate=points) for night in nights[-3:]]

    found = [replay([*nights[:-3], *changed[:count]]) for count in range(4)]

    assert levels(found[0]) == set()
    alarms = [each for findings in found for each in findings if (each.name, each.level) == ("base_rate", "alarm")]
    assert alarms
    said = f"the mean of 3 nights, each of the last two {'above' if points > 0 else 'below'} the usual"
    assert all(each.sentence.endswith(said) for each in alarms)


@pytest.mark.parametrize(
    ("school", "nights_said"),
    [("", "the mean of 3 nights, not each of the last two above the usual"), ("North", "on one night")],
)
def test_one_odd_night_of_the_base_rate_is_no_alarm(school, nights_said):
    """Where the night before lay on the other side; and of one school it must be beyond on two nights in a row."""
    *before, last, odd = school_nights(40)
    schools = ("", "North", "South")
    nights = [make_night(moment, schools=schools) for moment in before]
    nights.append(make_night(last, schools=schools, base_rate=-0.02))
    usual = make_night(odd, schools=schools)
    figures = {**usual.figures, school: make_night(odd, base_rate=0.2).figures[""]}

    found = replay([*nights, replace(usual, figures=figures)])

    (notice,) = (each for each in found if each.level != "ok")
    assert (notice.name, notice.school, notice.level) == ("base_rate", school, "notice")
    assert notice.sentence.endswith(nights_said)


def test_what_grows_over_a_term_is_no_drift():
    """Its history grows at the same pace."""
    nights = [make_night(moment, column_c0=0.06 * at) for at, moment in enumerate(school_nights(40))]

    assert levels(replay(nights)) == set()


def test_a_small_change_counts_for_nothing_however_quiet_the_history():
    """Less than the least effect that matters."""
    *before, first, second = school_nights(40)
    nights = [*map(make_night, before), make_night(first, column_c1=0.12), make_night(second, column_c1=0.12)]

    assert levels(replay(nights)) == set()


@pytest.mark.parametrize(
    ("history", "tonight"),
    [
        ([make_night(moment) for moment in school_nights(8)], {}),
        ([make_night(moment, run_id="before") for moment in school_nights(40)], {}),
        ([make_night(moment) for moment in school_nights(40)], {"later": timedelta(days=14)}),
    ],
    ids=["too few nights", "another champion", "a break"],
)
def test_without_comparable_nights_a_column_has_no_limit(history, tonight):
    """However large the change."""
    moment = history[-1].moment + timedelta(days=7) - timedelta(days=2) + tonight.get("later", timedelta())

    judged = {each.name: each for each in judge_figures(history, make_night(moment, column_c0=3.0), CHECKS)}

    assert (judged["column c0"].effect, judged["column c0"].limit, judged["column c0"].beyond) == (None, None, 0)


@pytest.mark.parametrize(
    ("students", "closed"),
    [({"students": 40}, frozenset()), ({"students": 5}, frozenset()), ({}, frozenset({""}))],
    ids=["few came", "hardly anybody", "the calendar says so"],
)
def test_a_day_without_school_has_not_enough_data_and_no_alarm(students, closed):
    """Whatever was measured on it, and it is no night to compare with either."""
    *before, moment = school_nights(30)
    history = [make_night(day) for day in before]

    findings, kept = judge_night(history, make_night(moment, volume=-5, base_rate=0.5, **students), closed, CHECKS)

    assert levels(findings) == set()
    assert any("not enough data" in each.sentence for each in findings)
    assert kept.figures == {}


def test_one_school_is_named():
    """The others, and all together, are as ever."""
    *before, first, second = school_nights(30)
    schools = ("", "North", "South")
    nights = [make_night(moment, schools=schools) for moment in before]
    for moment in (first, second):
        odd, usual = make_night(moment, unknown_items=0.6).figures[""], make_night(moment).figures[""]
        students = dict.fromkeys(schools, 100)
        nights.append(Measures(moment, "run", students, {}, {}, {"": usual, "North": odd, "South": usual}, {}))

    alarms = [each for each in replay(nights) if each.level != "ok"]

    assert [(each.name, each.school, each.level) for each in alarms] == [("unknown_items", "North", "alarm")]


def test_a_school_that_sends_nothing_while_others_work_is_noticed():
    """It may have a day off that nobody wrote down, so it is no alarm."""
    *before, moment = school_nights(15)
    history = [make_night(day, schools=("", "North", "South")) for day in before]

    findings, _ = judge_night(history, make_night(moment, schools=("", "North")), frozenset(), CHECKS)

    assert [(each.school, each.level) for each in findings if each.level != "ok"] == [("South", "notice")]


def test_a_roster_that_shrinks_stops_the_night():
    """Of one school; with advice."""
    moment, after = school_nights(2)
    members = {"": 200, "North": 100, "South": 100}
    history = [make_night(moment)]
    history[0] = Measures(moment, "run", {"": 100}, members, {}, history[0].figures, {})
    tonight = Measures(after, "run", {"": 100}, {"": 160, "North": 60, "South": 100}, {}, history[0].figures, {})

    findings, _ = judge_night(history, tonight, frozenset(), CHECKS)

    (stop,) = (each for each in findings if each.level == "stop")
    assert (stop.school, stop.figure, stop.limit) == ("North", pytest.approx(0.4), CHECKS.max_roster_loss)
    assert "60 students are in the roster, and 100 were" in stop.sentence
    assert "load the whole roster" in stop.advice


def test_late_data_is_noticed():
    """Answers of days that earlier nights had looked at already."""
    moment, after = school_nights(2)
    first = Measures(moment, "run", {"": 100}, {}, {"2026-01-05": 500}, {}, {})

    def late(days):
        findings, _ = judge_night([first], Measures(after, "run", {"": 100}, {}, days, {}, {}), frozenset(), CHECKS)
        return [(each.level, each.sentence) for each in findings if each.name == "late data"]

    assert late({"2026-01-05": 520, "2026-01-06": 500}) == [("ok", "20 answers of earlier days came since")]
    ((level, sentence),) = late({"2026-01-05": 1000, "2026-01-06": 500})
    assert level == "notice"
    assert sentence.startswith("500 answers of earlier days came since the night before")
