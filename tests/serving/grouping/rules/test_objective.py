"""One test per soft term: its quantity on a plan small enough to count by hand, and its price."""

from dataclasses import replace

import pytest

from serving.grouping.problem.people import Coaching, Contact, GroupmateCount, Need
from serving.grouping.problem.places import Seat
from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import SessionType, SizeCurve, Weights
from serving.grouping.rules.objective import TERMS, score_plan


def term(problem, sessions, name):
    return next(term for term in score_plan(problem, sessions).terms if term.name == name)


def test_the_total_is_the_sum_of_all_points(team, sessions):
    score = score_plan(team, sessions)

    assert [term.name for term in score.terms] == [term.__name__ for term in TERMS]
    assert score.total == pytest.approx(sum(term.points for term in score.terms))


@pytest.mark.parametrize("name", [term.__name__ for term in TERMS])
def test_a_weight_of_zero_switches_a_term_off(team, sessions, name):
    off = replace(team, weights=replace(Weights(), **{name: 0.0}))

    assert term(off, sessions, name).points == 0.0


def test_every_weight_has_its_term():
    assert {term.__name__ for term in TERMS} == set(Weights.__slots__)


def test_benefit_is_need_by_effect_by_qualification(team, sessions, swap):
    half = replace(team, adults=swap(team.adults, "new", skills={"ratios": 0.5}))

    assert term(team, sessions, "benefit").value == pytest.approx(6 * 0.8 * 0.5)
    assert term(half, sessions, "benefit").value == pytest.approx(3 * 0.8 * 0.5 + 3 * 0.8 * 0.5 * 0.5)


def test_benefit_is_crowded_out_as_a_session_grows(team, sessions, swap):
    """Three share the adult in full; of five, each has 1 / 1.2 of the effect."""
    five = swap(swap(sessions, "g1", students=tuple("abcde")), "o1", students=("f",))
    curve = replace(team, size_curve=SizeCurve(full=1, loss=0.5))

    met = 3 * 0.8 * 0.5 + 2 * 0.1 * 0.5
    assert term(team, five, "benefit").value == pytest.approx(met / 1.2 + 3 * 0.8 * 0.5)
    assert term(curve, sessions, "benefit").value == pytest.approx(6 * 0.8 * 0.5 / 2)


def test_urgent_needs_count_whoever_leads_and_however_many_sit_there(team, sessions, swap):
    needs = tuple(
        replace(need, urgent=2.0 if need.student == "d" else 1.0) if need.student in "abd" and need.need > 0.5 else need
        for need in team.needs
    )
    pressed = replace(team, needs=needs)
    crowded = swap(swap(sessions, "g1", students=tuple("abcde")), "o1", students=("f",))

    assert term(pressed, sessions, "urgent").value == 4.0
    assert term(pressed, sessions, "urgent").points == pytest.approx(4 * team.weights.urgent)
    assert term(pressed, crowded, "urgent").value == 4.0
    assert term(pressed, sessions[:2], "urgent").value == 2.0
    assert term(team, sessions, "urgent").value == 0.0


def test_adult_time_due_counts_those_present_who_miss_it(team, sessions, swap):
    due = replace(
        team, students=tuple(replace(student, adult_time_due=student.id in "adf") for student in team.students)
    )
    absent = replace(due, students=swap(due.students, "f", blocks=frozenset()))

    assert term(due, sessions, "adult_time_due").value == 0
    assert term(due, sessions[:2], "adult_time_due").value == 2
    assert term(absent, sessions[:2], "adult_time_due").value == 1
    assert term(due, sessions[:2], "adult_time_due").points == pytest.approx(-2 * team.weights.adult_time_due)


def test_benefit_of_low_evidence_reads_its_own_effect(team, sessions):
    needs = tuple(Need(need.student, need.skill, need.need) for need in team.needs)

    assert term(replace(team, needs=needs), sessions, "benefit").value == pytest.approx(6 * 0.8 * 0.6)


def test_coverage_counts_present_students_without_an_adult_led_seat(team, sessions, swap):
    first = sessions[:2]
    absent = replace(team, students=swap(team.students, "f", blocks=frozenset()))

    assert term(team, sessions, "coverage").value == 0
    assert term(team, first, "coverage").value == 3
    assert term(absent, first, "coverage").value == 2
    assert term(team, first, "coverage").points == pytest.approx(-3 * team.weights.coverage)


def test_relationships_are_worth_less_after_meetings(team, sessions):
    met = replace(team, contacts=(Contact("a", "lead", 1), Contact("b", "lead", 3), Contact("d", "lead", 9)))

    assert term(team, sessions, "relationships").value == pytest.approx(6)
    assert term(met, sessions, "relationships").value == pytest.approx(4 + 1 / 2 + 1 / 4)


def test_repeat_groupmates_count_earlier_meetings_in_led_sessions_only(team, sessions):
    pairs = (GroupmateCount("b", "a", 2), GroupmateCount("d", "f", 1), GroupmateCount("a", "d", 5))
    before = replace(team, recent_groupmates=pairs)

    assert term(before, sessions, "repeat_groupmates").value == 3
    assert term(before, sessions, "repeat_groupmates").points == pytest.approx(-3 * team.weights.repeat_groupmates)


def test_keep_together_counts_pairs_that_share_an_adult_led_session(team, sessions):
    asked = replace(team, keep_together=(("a", "b"), ("c", "d")))

    assert term(asked, sessions, "keep_together").value == 1


def test_perturbation_counts_earlier_seats_that_change(team, sessions, swap):
    earlier = (
        Seat("a", "m1", SessionType.SMALL_GROUP, "fractions", "lead"),
        Seat("b", "m1", SessionType.SMALL_GROUP, "fractions", "new"),
        Seat("c", "m1", SessionType.TUTORING, "fractions", "lead"),
        Seat("d", "m1", SessionType.ONLINE),
        Seat("e", "m1", SessionType.SMALL_GROUP, "ratios", "lead"),
        Seat("f", "m1", SessionType.SMALL_GROUP, "ratios", "lead"),
    )
    before = replace(team, previous=earlier, students=swap(team.students, "f", blocks=frozenset({"m2"})))

    assert term(before, sessions, "perturbation").value == 3


def test_load_is_the_distance_from_equal_shares_of_time(team, sessions, swap):
    short = replace(team, adults=swap(team.adults, "help", blocks=frozenset({"m1"})))

    # Duties: lead 2, help 1, new 1 of 2 blocks each, so 4/3 each would be even.
    assert term(team, sessions, "load").value == pytest.approx(2 / 3 + 1 / 3 + 1 / 3)
    # With help there in one block only, 4 duties in 5 blocks: 1.6, 0.8, 1.6.
    assert term(short, sessions, "load").value == pytest.approx(0.4 + 0.2 + 0.6)


def test_duties_of_the_days_before_count_into_the_load(team, sessions, swap):
    rested = replace(team, adults=swap(team.adults, "lead", load_ahead=-1.0))
    tired = replace(team, adults=swap(team.adults, "lead", load_ahead=1.0))

    # The lead has 2/3 of a block more than an even share today, and the others 1/3 less.
    assert term(rested, sessions, "load").value == pytest.approx(1 / 3 + 1 / 3 + 1 / 3)
    assert term(tired, sessions, "load").value == pytest.approx(5 / 3 + 1 / 3 + 1 / 3)


def test_share_is_the_shortfall_of_subgroups(team, sessions):
    labels = {"a": "p", "b": "p", "c": "p", "d": "q", "e": "q", "f": None}
    students = tuple(replace(student, subgroup=labels[student.id]) for student in team.students)
    labelled = replace(team, students=students)

    # Only the fractions group: 3 labeled adult-led seats, all with p, of which q's 2/5 would be 1.2.
    assert term(labelled, sessions[:2], "share").value == pytest.approx(1.2)
    assert term(labelled, sessions, "share").value == pytest.approx(0.0)


def test_coaching_counts_adult_led_sessions_that_a_pair_shares_up_to_the_number_asked(team, sessions, swap):
    both = swap(swap(sessions, "g1", adults=("lead", "new")), "g2", adults=("new", "lead"))
    online = swap(sessions, "o1", adults=("help", "new"))

    def held(asked, plan):
        return term(replace(team, coaching=(Coaching("lead", "new", asked),)), plan, "coaching").value

    assert [held(asked, both) for asked in (0, 1, 2, 3)] == [0, 1, 2, 2]
    assert held(2, online) == 0


def test_relationships_are_those_with_the_lead(team, sessions, swap):
    beside = swap(sessions, "g1", adults=("lead", "help"))

    assert term(team, beside, "relationships") == term(team, sessions, "relationships")


def test_group_time_due_counts_students_who_are_due_and_get_none(team, sessions, swap):
    students = tuple(replace(student, group_time_due=student.id in "ade") for student in team.students)
    due = replace(team, students=swap(students, "e", blocks=frozenset()))
    together = swap(sessions, "g1", session_type=SessionType.COLLABORATIVE)

    missed = term(due, together, "group_time_due")
    assert term(due, sessions, "group_time_due").value == 0
    assert missed.value == 1
    assert missed.points == pytest.approx(-team.weights.group_time_due)


def test_an_edited_plan_with_an_unlisted_need_scores_nothing_for_it(team):
    session = Session("t", "m1", SessionType.TUTORING, "fractions", ("lead",), "one", ("a",))

    assert term(replace(team, needs=()), (session,), "benefit").value == 0
