"""Effects of teaching in the simulated school: their direction, what stands in their way, and days that are paired."""

from datetime import timedelta

import numpy as np
import pytest

from experiments.simulation import SchoolConfig, simulate_school
from experiments.simulation.curriculum import make_curriculum
from experiments.simulation.days import FollowingDays
from experiments.simulation.knowledge import Minds, mind_of, teach
from experiments.simulation.school import make_bank
from experiments.simulation.teaching import Level, draw_places, session_logits
from serving.grouping import Role, Session, SessionType

pytestmark = pytest.mark.long  # whole benchmarks, if small ones

CONFIG = SchoolConfig(teams=2, weeks=6, students_per_team=30, skills=12, strands=3)
MONDAY = CONFIG.end + timedelta(days=2)
BLOCKS = {f"b{at}": at for at in range(4)}
ROLES = {"t": Role.TEACHER_LEADER}


@pytest.fixture(scope="module")
def school():
    return simulate_school(CONFIG)


def logits(session_type=SessionType.SMALL_GROUP, role=Role.SUPPORT_STAFF, students=5, minutes=50.0, place=0.5):
    return session_logits(CONFIG, session_type, role, students, minutes, np.array([place]))[0]


@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_smaller_groups_teachers_and_more_minutes_teach_more_everywhere_in_the_ranges(place):
    sizes = [logits(students=size, place=place) for size in (1, 3, 5, 8)]
    roles = [logits(role=role, place=place) for role in (Role.TEACHER_LEADER, Role.SUPPORT_STAFF)]

    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == len(sizes)
    assert roles[0] > roles[1] >= logits(role=Role.TEACHER_IN_TRAINING, place=place)
    assert logits(minutes=50, place=place) == pytest.approx(2 * logits(minutes=25, place=place))
    assert logits(students=5, place=place) > logits(SessionType.COLLABORATIVE, students=15, place=place) > 0
    assert logits(SessionType.ONLINE, place=place) == 0


def test_the_ranges_rise_and_levels_are_their_thirds():
    by_place = [logits(place=place) for place in (0.0, 0.5, 1.0)]
    drawn = {level: draw_places(CONFIG, np.arange(200), level) for level in Level}

    assert by_place == sorted(by_place)
    assert drawn[Level.LOW].max() < 1 / 3 <= drawn[Level.MIDDLE].min()
    assert drawn[Level.MIDDLE].max() < 2 / 3 <= drawn[Level.HIGH].min()
    assert (np.argsort(drawn[Level.LOW]) == np.argsort(drawn[Level.HIGH])).all()


def test_a_role_of_the_schools_own_counts_as_support_staff():
    assert logits(role="reading coach") == logits(role=Role.SUPPORT_STAFF)


def learned(above, of_required):
    """What a student learns of a skill with one prerequisite, given logits above the difficulty of both."""
    curriculum = make_curriculum(CONFIG)
    bank, skill = (
        make_bank(curriculum),
        int(np.flatnonzero((curriculum.requires >= 0) & (curriculum.also_requires < 0))[0]),
    )
    minds = Minds.empty(1, CONFIG.skills, len(curriculum.item_second))
    minds.innate[0] = curriculum.skill_difficulty
    minds.innate[0, skill] += above
    minds.innate[0, curriculum.requires[skill]] += of_required
    before, after = teach(mind_of(minds, 0), skill, 0.5, 1_773_600_000, bank, CONFIG.behavior)
    assert before == pytest.approx(above)
    return after - before


def test_who_is_not_ready_learns_nothing_and_who_knows_well_learns_little():
    assert learned(-1.0, of_required=3.0) == pytest.approx(0.5)
    assert learned(-1.0, of_required=-2.0) == 0
    assert 0 < learned(-1.0, of_required=0.0) < 0.5
    assert learned(3.0, of_required=3.0) == pytest.approx(0.05)


def hold(school, students, level=Level.MIDDLE):
    days = FollowingDays(school, 0, level)
    group = tuple(days.students[at] for at in students)
    sessions = [Session("s", "b1", SessionType.SMALL_GROUP, "k003", ("t",), None, group)] if group else []
    held = [days.hold(MONDAY + timedelta(days=at), sessions if at == 0 else [], BLOCKS, ROLES) for at in range(3)]
    return days, held


def test_two_plans_of_the_same_days_differ_by_what_they_do_and_by_nothing_else(school):
    taught, with_session = hold(school, [0, 1, 2])
    plain, without = hold(school, [])
    again, _ = hold(school, [0, 1, 2])

    for one, other in zip(with_session, without, strict=True):
        rest = plain.students[3:]
        mine, theirs = (
            held.events[held.events["student_id"].isin(rest)].reset_index(drop=True) for held in (one, other)
        )
        assert len(mine)
        assert mine.equals(theirs)
    assert (taught.minds.known[3:] == plain.minds.known[3:]).all()
    assert (taught.minds.known == again.minds.known).all()
    assert (taught.known(MONDAY)[:3, 2] > plain.known(MONDAY)[:3, 2]).all()


def test_a_session_is_learned_from_and_checked_and_the_school_stays_as_it_was(school):
    known = school.minds.known.copy()

    days, held = hold(school, [0, 1, 2])

    assert [lesson.student for lesson in held[0].taught] == days.students[:3]
    assert all(lesson.after > lesson.before and lesson.skill == "k003" for lesson in held[0].taught)
    checks = held[0].events[held[0].events["occurred_at"].dt.strftime("%H:%M") == "10:19"]
    assert checks["student_id"].value_counts().to_dict() == dict.fromkeys(days.students[:3], 3)
    assert (school.minds.known == known).all()
    assert not held[1].taught


def test_higher_effects_teach_more(school):
    gains = [sum(one.after - one.before for one in hold(school, [0, 1, 2], level)[1][0].taught) for level in Level]

    assert gains == sorted(gains)
    assert len(set(gains)) == len(gains)


def test_who_is_absent_does_nothing(school):
    days = FollowingDays(school, 0)
    session = Session("s", "b0", SessionType.TUTORING, "k002", ("t",), None, tuple(days.students[:2]))

    held = days.hold(MONDAY, [session], BLOCKS, ROLES, absent={days.students[0]})

    assert [lesson.student for lesson in held.taught] == [days.students[1]]
    assert days.students[0] not in set(held.events["student_id"])


def test_the_chance_to_struggle_falls_with_what_is_known(school):
    chance = FollowingDays(school, 0).chance_to_struggle(np.array([-6.0, -1.0, 0.0, 1.0, 6.0]))

    assert (np.diff(chance) < 0).all()
    right = 0.95  # with certainty known: three in a row within ten, none of them slipped
    run = np.array([1.0, 0.0, 0.0])
    for _ in range(10):
        run = np.array([(1 - right) * run.sum(), right * run[0], right * run[1]])
    assert chance[-1] == pytest.approx(run.sum(), abs=1e-3)
