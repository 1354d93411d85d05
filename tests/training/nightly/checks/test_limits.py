"""Limits from a figure's own history, on nights whose figures are drawn."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from training.config import load_config
from training.nightly.checks.limits import judge_figures
from training.nightly.checks.measures import Figure, Measures
from training.nightly.checks.night import judge_night
from training.nightly.checks.school_days import explain_quiet_day

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


def test_a_few_students_with_very_many_answers_are_no_drift(monkeypatch):
    """They move the mean by more than its limit and widen the column likewise; the same move of all is one."""
    monkeypatch.setattr("training.nightly.checks.words.MEANING", {f"c{number}": "" for number in range(10)})
    nights = [make_night(moment) for moment in school_nights(40)]
    moved = [make_night(night.moment, column_c3=0.2) for night in nights[-2:]]
    wider = [
        replace(each, figures={"": {**each.figures[""], "column c3": replace(each.figures[""]["column c3"], spread=2)}})
        for each in moved
    ]

    assert levels(replay([*nights[:-2], *moved])) == {("drift of c3", "alarm")}
    assert levels(replay([*nights[:-2], *wider])) == set()


def test_the_fewer_the_answers_the_further_a_figure_may_lie():
    """A quarter of the answers makes a mean lie twice as far apart, and its limit with it; columns stay as they are."""
    *before, tonight = school_nights(40)
    history = [make_night(moment) for moment in before]
    nights = [make_night(tonight, volume=-np.log(answers)) for answers in (1, 16, 64)]

    usual, few, fewer = ({each.name: each.limit for each in judge_figures(history, night, CHECKS)} for night in nights)

    assert fewer["base_rate"] == pytest.approx(2 * few["base_rate"], rel=0.1)
    assert few["base_rate"] > usual["base_rate"]
    assert all(fewer[name] == usual[name] for name in usual if name.startswith("column") or name == "volume")


@pytest.mark.parametrize(("points", "level"), [(0.0, "notice"), (-0.2, "alarm")])
def test_a_forecast_that_answers_bear_out_is_no_alarm(points, level):
    """Harder work, of which the champion knew, is worth a notice; where answers are others too, it is an alarm."""
    nights = [
        replace(night, figures={"": {**night.figures[""], "forecast": Figure(0.7 - drop, 0.2)}})
        for night, drop in (
            *((make_night(moment), 0.0) for moment in school_nights(40)[:-2]),
            *((make_night(moment, base_rate=points), 0.2) for moment in school_nights(40)[-2:]),
        )
    ]

    (said,) = (each for each in replay(nights) if each.name == "forecast")

    assert (said.level, said.sentence.endswith("borne out by the answers")) == (level, level == "notice")


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


def test_one_odd_night_of_a_school_is_not_seen_on_two():
    """The night after it, which is as ever, says nothing."""
    *before, odd, after = school_nights(40)
    schools = ("", "North", "South")
    nights = [make_night(moment, schools=schools) for moment in [*before, odd, after]]
    changed = make_night(odd, base_rate=0.2, unknown_items=0.6).figures[""]
    nights[-2] = replace(nights[-2], figures={**nights[-2].figures, "North": changed})

    assert levels(replay(nights[:-1])) == {("base_rate", "notice"), ("unknown_items", "notice")}
    assert levels(replay(nights)) == set()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"column_c3": 0.25}, "drift of c3"),
        ({"base_rate": 0.03}, "base_rate"),
        ({"unknown_items": 0.5}, "unknown_items"),
    ],
)
def test_a_change_on_the_last_day_before_a_vacation_is_named_after_it(change, name, monkeypatch):
    """The first nights after it are held against those before it, and without a change say nothing."""
    monkeypatch.setattr("training.nightly.checks.words.MEANING", {f"c{number}": "" for number in range(10)})
    before, later = school_nights(40), timedelta(days=14)
    after = [moment + later for moment in school_nights(45)[40:]]
    nights = [make_night(moment) for moment in [*before, *after]]
    changed = [*nights[:39], *(make_night(night.moment, **change) for night in nights[39:])]

    assert all(levels(replay(nights[:count])) == set() for count in (41, 42, 45))
    assert (name, "alarm") in levels(replay(changed[:41])) | levels(replay(changed[:42]))


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
        ([make_night(moment) for moment in school_nights(40)], {"later": timedelta(days=21)}),
    ],
    ids=["too few nights", "another champion", "longer than a vacation"],
)
def test_without_comparable_nights_a_column_has_no_limit(history, tonight):
    """However large the change."""
    moment = history[-1].moment + timedelta(days=7) - timedelta(days=2) + tonight.get("later", timedelta())

    judged = {each.name: each for each in judge_figures(history, make_night(moment, column_c0=3.0), CHECKS)}

    assert (judged["column c0"].effect, judged["column c0"].limit, judged["column c0"].beyond) == (None, None, 0)


@pytest.mark.parametrize("seed", range(3))
def test_over_a_bridge_nights_compare_as_if_one_champion_had_served(seed):
    """Two promotions, whatever each moves; a night without school brings the columns' share of the second one."""
    random = np.random.default_rng(seed)
    nights = [make_night(moment, seed) for moment in school_nights(40)]
    names = sorted(nights[0].figures[""].keys() - {"volume"})
    first, second = ({name: random.normal(0, 5) for name in names} for _ in range(2))
    moved = [*nights[:20], *(move(night, "first", first) for night in nights[20:30])]
    moved += [move(move(night, "second", first), "second", second) for night in nights[30:]]
    moved[20] = replace(moved[20], bridge={"": first})
    columns = {name: step for name, step in second.items() if name.startswith("column")}
    sunday = Measures(nights[30].moment - timedelta(hours=12), "second", {}, {}, {}, {}, {}, {"": columns})
    moved[30] = replace(moved[30], bridge={"": {name: second[name] for name in second.keys() - columns.keys()}})

    plain = judge_figures(nights[:-1], nights[-1], CHECKS)
    bridged = judge_figures([*moved[:30], sunday, *moved[30:-1]], moved[-1], CHECKS)

    assert [(each.name, each.beyond, each.again) for each in bridged] == [
        (each.name, each.beyond, each.again) for each in plain
    ]
    assert [(each.effect, each.limit) for each in bridged] == [
        (pytest.approx(each.effect), pytest.approx(each.limit)) for each in plain
    ]


def move(night, run_id, steps):
    """The night of another champion, all of whose figures are moved."""
    figures = {
        name: replace(figure, value=figure.value + steps.get(name, 0.0)) for name, figure in night.figures[""].items()
    }
    return replace(night, run_id=run_id, figures={"": figures})


def test_a_bridge_of_forecasts_counts_on_the_first_school_night_of_a_champion():
    """Not on a day without school, nor of a school with too few students; that of columns always does."""
    *before, friday, monday, tuesday = school_nights(33)
    schools = ("", "North", "South")
    history = [make_night(moment, schools=schools) for moment in [*before, friday]]
    bridge = {school: {"column c0": 0.01, "forecast": 0.1} for school in schools}

    def judge(moment, students):
        night = make_night(moment, run_id="new", schools=schools)
        _, kept = judge_night(history, replace(night, students=students, bridge=bridge), frozenset(), CHECKS)
        history.append(kept)
        return {school: set(steps) for school, steps in kept.bridge.items()}

    assert judge(friday + timedelta(days=1), {"": 10}) == {school: {"column c0"} for school in schools}
    assert judge(monday, {"": 100, "North": 90, "South": 10}) == {
        "": {"column c0", "forecast"}, "North": {"column c0", "forecast"}, "South": {"column c0"}
    }  # fmt: skip
    assert judge(tuesday, dict.fromkeys(schools, 100)) == {school: {"column c0"} for school in schools}


@pytest.mark.parametrize("students", [20, 49])
def test_a_quiet_season_stays_quiet_for_twelve_weeks(students):
    """Whoever still works in it; what is quiet for longer is the new usual."""
    term = school_nights(40)
    history = [make_night(moment) for moment in term]
    quiet = {}
    for moment in school_nights(75, term[-1] + timedelta(days=3)):
        night = make_night(moment, students=students)
        quiet[moment - term[-1]] = bool(explain_quiet_day("", students, history, night, frozenset(), CHECKS))
        history.append(replace(night, figures={}) if quiet[moment - term[-1]] else night)

    assert all(was for since, was in quiet.items() if since <= timedelta(weeks=12))
    assert not any(was for since, was in quiet.items() if since > timedelta(weeks=13))


def test_a_school_that_lost_half_of_its_roster_is_looked_at_at_once():
    """As few students as on a quiet day are as many as can be; but a roster that grew makes no day quiet."""
    *before, moment = school_nights(40)
    history = [replace(make_night(day), members={"": 200}) for day in before]

    def explain(members, students):
        night = replace(make_night(moment, students=students), members=members)
        return explain_quiet_day("", students, history, night, frozenset(), CHECKS)

    assert explain({"": 200}, 45) == "45 students answered, of 100 on a usual school day"
    assert explain({"": 96}, 45) is None
    assert explain({"": 400}, 55) is None


def test_a_new_school_is_not_measured_by_its_first_loud_day():
    """Everybody tried it once, and then less than half go on: within two weeks that is usual."""
    first, *later = school_nights(20)
    history = [make_night(first)]
    quiet = []
    for moment in later:
        night = make_night(moment, students=40)
        quiet.append(explain_quiet_day("", 40, history, night, frozenset(), CHECKS) is not None)
        history.append(replace(night, figures={}) if quiet[-1] else night)

    assert not any(quiet[10:])


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
