"""The right groups of an obvious team, edge cases, reasons, and the order of things."""

import json
import subprocess
import sys
import time
from dataclasses import asdict, replace

import pytest

from serving.grouping import solve
from serving.grouping.errors import BrokenPlanError, InfeasibleError
from serving.grouping.problem.people import Coaching, GroupmateCount, Need
from serving.grouping.problem.places import Pin, Seat
from serving.grouping.problem.policy import SessionType, SizeBound, Weights
from serving.grouping.rules.check import find_violations
from serving.grouping.rules.objective import score_plan
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups
from serving.grouping.state.draft import Draft


def groups(plan):
    return {(session.skill, session.students) for session in plan.sessions if session.led}


def test_obvious_groups_are_found(team):
    once = tuple(replace(student, blocks=frozenset({"m1"})) for student in team.students)
    no_tutoring = (SizeBound(SessionType.SMALL_GROUP, 3, 8),)

    plan = suggest_groups(replace(team, students=once, sizes=no_tutoring))

    assert groups(plan) == {("fractions", ("a", "b", "c")), ("ratios", ("d", "e", "f"))}
    assert plan.status == "seats_optimal"
    assert plan.unmet == ()


def test_a_trainee_leads_only_beside_a_teacher(team, swap):
    away = replace(team, adults=swap(team.adults, "lead", blocks=frozenset({"m2"})))

    plan = suggest_groups(away)

    assert all("new" not in session.adults for session in plan.sessions if session.block == "m1")


def test_a_pair_shares_the_sessions_asked_for_and_the_reason_says_so(team):
    asked = replace(team, coaching=(Coaching("lead", "new", 1),), weights=Weights(coaching=5.0))

    plan = suggest_groups(asked)

    shared = [session for session in plan.sessions if set(session.adults) >= {"lead", "new"}]
    assert len(shared) == 1
    assert shared[0].led
    reason = next(reason for reason in plan.session_reasons if reason.session == shared[0].id)
    lead, other = shared[0].adults
    assert reason.sentence.endswith(f"{other} co-teaches to {'learn from' if lead == 'lead' else 'coach'} {lead}.")
    assert next(term.value for term in plan.score.terms if term.name == "coaching") == 1


def test_a_trainee_may_lead_with_a_teacher_beside_where_nothing_else_is_left(team, swap):
    """All six have to be taught by the trainee, since nobody may supervise them and the teacher may lead nothing."""
    early = tuple(replace(student, blocks=frozenset({"m1"})) for student in team.students)
    lead = swap(team.adults, "lead", session_types=frozenset())
    two = tuple(adult for adult in lead if adult.id != "help")
    alone = replace(team, adults=two, students=early)

    plan = suggest_groups(replace(alone, coaching=(Coaching("lead", "new", 1),)))

    assert [session.adults for session in plan.sessions] == [("new", "lead")]
    with pytest.raises(InfeasibleError):
        suggest_groups(alone)


def test_a_student_due_for_a_small_group_sits_in_one(team, swap):
    """One adult leads a small group of three while another works with three together, whatever the order of names."""
    early = tuple(
        replace(student, blocks=frozenset({"m1"}), group_time_due=student.id in "bdf") for student in team.students
    )
    needs = tuple(Need(student.id, "fractions", 0.5) for student in team.students)
    adults = swap(team.adults, "lead", session_types=frozenset({SessionType.SMALL_GROUP}))
    adults = swap(adults, "new", session_types=frozenset({SessionType.COLLABORATIVE}))
    sizes = SizeBound(SessionType.SMALL_GROUP, 3, 3), SizeBound(SessionType.COLLABORATIVE, 3, 3)
    small = replace(team, students=early, needs=needs, adults=adults, sizes=sizes)

    plan = suggest_groups(small)

    grouped = next(session for session in plan.sessions if session.session_type is SessionType.SMALL_GROUP)
    assert grouped.students == ("b", "d", "f")
    reason = next(reason for reason in plan.seat_reasons if reason.student == "b")
    assert "is due for a small group" in reason.sentence


def test_pins_are_kept(team):
    pins = (Pin("a", "m2", skill="ratios"), Pin("d", "m1", SessionType.ONLINE), Pin("f", "m1", adult="new"))
    pinned = replace(team, pins=pins)

    plan = suggest_groups(pinned)

    seats = {(student, s.block): s for s in plan.sessions for student in s.students}
    assert seats["a", "m2"].skill == "ratios"
    assert seats["d", "m1"].session_type is SessionType.ONLINE
    assert seats["f", "m1"].adults == ("new",)


def test_previous_seats_stay_where_a_change_costs_much(team, sessions):
    earlier = tuple(
        Seat(student, s.block, s.session_type, s.skill, s.adults[0] if s.led else None)
        for s in sessions
        for student in s.students
    )
    moved = replace(team, needs=tuple(replace(need, need=0.5) for need in team.needs), previous=earlier)
    sticky = replace(moved, weights=Weights(perturbation=10.0))

    plan = suggest_groups(sticky)

    assert next(term.value for term in plan.score.terms if term.name == "perturbation") == 0


def test_the_package_stays_pure():
    """Nothing of ours but the package itself, no web, no tables, no registry; numpy and scipy only."""
    code = "import sys, serving.grouping.solve; print(*sys.modules)"

    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )

    assert not loaded & {"fastapi", "pydantic", "mlflow", "pandas", "training", "experiments"}
    assert {name for name in loaded if name.startswith("features.")} <= {"features.kernel_cache", "features.errors"}
    assert {name for name in loaded if name.startswith("serving.")} == {
        name for name in loaded if name == "serving.grouping" or name.startswith("serving.grouping.")
    }


def test_recent_groupmates_part_where_that_is_free(team):
    twelve = tuple(replace(team.students[0], id=name) for name in "abcdef")
    needs = tuple(Need(name, "fractions", 0.5, 0.5, 0.0) for name in "abcdef")
    together = [("a", "b"), ("a", "c"), ("b", "c"), ("d", "e"), ("d", "f"), ("e", "f")]
    recent_groupmates = tuple(GroupmateCount(first, second, 3) for first, second in together)
    rotate = replace(
        team,
        students=twelve,
        needs=needs,
        recent_groupmates=recent_groupmates,
        sizes=(SizeBound(SessionType.SMALL_GROUP, 3, 3),),
    )

    plan = suggest_groups(rotate)

    assert all(students not in (("a", "b", "c"), ("d", "e", "f")) for _, students in groups(plan))


def test_reasons_name_the_figures(team):
    plan = suggest_groups(team)

    led = {session.id: session for session in plan.sessions if session.led}
    assert {reason.session for reason in plan.session_reasons} == {session.id for session in plan.sessions}
    assert len(plan.seat_reasons) == sum(len(session.students) for session in plan.sessions)
    for reason in plan.seat_reasons:
        assert reason.sentence.endswith(".")
        assert (reason.benefit is not None) == (reason.session in led)
    total = sum(reason.benefit for reason in plan.seat_reasons if reason.benefit is not None)
    assert total == pytest.approx(plan.score.terms[0].value)


def test_low_evidence_is_said(team):
    unknown = replace(team, needs=tuple(Need(need.student, need.skill, 0.4) for need in team.needs))

    plan = suggest_groups(unknown)

    assert any("No forecast yet" in reason.sentence for reason in plan.seat_reasons)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"needs": ()}, "no_need"),
        ({"sizes": ()}, "adults_busy"),
    ],
)
def test_unmet_needs_say_why(team, change, reason):
    plan = suggest_groups(replace(team, **change))

    assert {unmet.reason for unmet in plan.unmet} == {reason}
    assert len(plan.unmet) == 6


def test_unmet_need_for_want_of_a_qualified_adult(team):
    adults = tuple(replace(adult, skills={"ratios": 1.0}) for adult in team.adults)

    plan = suggest_groups(replace(team, adults=adults))

    assert {(unmet.student, unmet.reason) for unmet in plan.unmet} == {(name, "no_adult") for name in "abc"}


def test_all_absent_is_an_empty_day(team):
    nobody = tuple(replace(student, blocks=frozenset()) for student in team.students)

    plan = suggest_groups(replace(team, students=nobody, adults=()))

    assert plan.sessions == ()
    assert plan.score.total == 0
    assert plan.unmet == ()


def test_one_student_alone(team):
    plan = suggest_groups(replace(team, students=team.students[:1], needs=team.needs[:2]))

    assert {session.session_type for session in plan.sessions if session.led} == {SessionType.TUTORING}


def test_a_block_with_nobody_has_no_sessions(team):
    late = tuple(replace(student, blocks=frozenset({"m2"})) for student in team.students)

    plan = suggest_groups(replace(team, students=late))

    assert {session.block for session in plan.sessions} == {"m2"}


def test_adults_who_may_not_monitor_carry_a_block_by_leading(team):
    """Nobody may supervise online work, yet all six fit one small group."""
    lead = replace(team.adults[1], session_types=frozenset({SessionType.SMALL_GROUP}))
    early = tuple(replace(student, blocks=frozenset({"m1"})) for student in team.students)

    plan = suggest_groups(replace(team, adults=(lead,), rooms=None, students=early))

    assert [len(session.students) for session in plan.sessions] == [6]


def test_a_station_room_is_kept_for_online_work(team, swap):
    station = replace(team, rooms=swap(team.rooms, "two", station=True))

    plan = suggest_groups(station)

    assert {session.room for session in plan.sessions if not session.led} <= {"two"}
    assert "two" not in {session.room for session in plan.sessions if session.led}


def test_the_same_problem_gives_the_same_plan_whatever_the_order(team):
    turned = replace(
        team,
        students=team.students[::-1],
        adults=team.adults[::-1],
        needs=team.needs[::-1],
        rooms=team.rooms[::-1],
        skills=team.skills[::-1],
    )

    first, second = suggest_groups(team), suggest_groups(turned)

    assert team == turned
    assert team.digest() == turned.digest()
    assert json.dumps(asdict(first)) == json.dumps(asdict(second))


def test_a_plan_becomes_json_and_scores_itself(team):
    plan = suggest_groups(team)

    assert json.loads(json.dumps(asdict(plan)))["status"] == plan.status
    assert score_plan(team, plan.sessions) == plan.score
    assert find_violations(team, plan.sessions) == ()


def test_a_plan_that_breaks_a_rule_is_never_returned(team, monkeypatch):
    monkeypatch.setattr(Draft, "finish", lambda draft: ())

    with pytest.raises(BrokenPlanError, match="one_session"):
        suggest_groups(team)


def test_seats_that_break_a_rule_are_left_for_the_drafted_ones(team, monkeypatch):
    monkeypatch.setattr(solve, "assign_students", lambda data, drafted, earlier, until, few: (drafted[:-1], True))

    assert suggest_groups(team).status == "searched"


def test_seats_and_bound_have_what_the_search_leaves_of_the_seconds(team, monkeypatch):
    arguments, seat, bound = {}, solve.assign_students, solve.bound_day

    def spy_seats(data, drafted, earlier, until, few):
        arguments["seats"] = until
        return seat(data, drafted, earlier, until)

    def spy_bound(arrays, value, rounds, exact, *, until):
        arguments["until"] = until
        return bound(arrays, value, rounds, exact, until=until)

    monkeypatch.setattr(solve, "assign_students", spy_seats)
    monkeypatch.setattr(solve, "bound_day", spy_bound)
    began = time.perf_counter()
    plan = suggest_groups(team, Budget(seconds=1.0))

    assert plan.cut_by_clock
    assert arguments["seats"] == pytest.approx(began + 0.8, abs=0.1)
    assert arguments["until"] == pytest.approx(began + 1.0, abs=0.1)
    suggest_groups(team, Budget(rounds=5))
    assert arguments == {"seats": None, "until": None}


def test_no_seats_from_the_solver_leave_the_drafted_ones(team, monkeypatch):
    monkeypatch.setattr(solve, "assign_students", lambda data, drafted, earlier, until, few: None)

    assert suggest_groups(team).status == "searched"
