"""A problem refuses what is not right, names the field, and keeps students' ids out of messages."""

import json
from dataclasses import replace

import pytest

from serving.grouping.errors import ProblemError
from serving.grouping.problem.people import Adult, Coaching, Contact, GroupmateCount, Need, Student
from serving.grouping.problem.places import Block, Pin, Room, Seat
from serving.grouping.problem.policy import Effect, Role, SessionType, SizeBound, SizeCurve, Weights


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"students": (Student("a", frozenset()), Student("a", frozenset()))}, "students[1]"),
        ({"students": (Student("a", frozenset({"m9"})),), "needs": ()}, "students[0].blocks"),
        ({"needs": (Need("zoe", "ratios", 0.5),)}, "needs[0].student"),
        ({"needs": (Need("a", "algebra", 0.5),)}, "needs[0].skill"),
        ({"needs": (Need("a", "ratios", 0.5), Need("a", "ratios", 0.5))}, "needs[1]"),
        ({"pins": (Pin("a", "m1", adult="nobody"),)}, "pins[0].adult"),
        ({"pins": (Pin("a", "m9"),)}, "pins[0].block"),
        ({"keep_apart": (("a", "zoe"),)}, "keep_apart[0][1]"),
        ({"keep_apart": (("a", "a"),)}, "keep_apart[0]"),
        ({"keep_together": (("zoe", "a"),)}, "keep_together[0][0]"),
        ({"recent_groupmates": (GroupmateCount("a", "b", 1), GroupmateCount("b", "a", 1))}, "recent_groupmates[1]"),
        ({"recent_groupmates": (GroupmateCount("a", "zoe", 1),)}, "recent_groupmates[0][1]"),
        ({"contacts": (Contact("a", "nobody", 1),)}, "contacts[0].adult"),
        ({"coaching": (Coaching("lead", "nobody", 1),)}, "coaching[0].trainee"),
        ({"coaching": (Coaching("nobody", "new", 1),)}, "coaching[0].coach"),
        ({"coaching": (Coaching("new", "new", 1),)}, "coaching[0]"),
        ({"coaching": (Coaching("lead", "new", 1), Coaching("new", "lead", 2))}, "coaching[1]"),
        ({"previous": (Seat("zoe", "m1", SessionType.ONLINE),)}, "previous[0].student"),
        ({"rooms": (Room("x", 3, frozenset({"m9"})),)}, "rooms[0].blocks"),
        ({"adult_exclusions": (("zoe", "lead"),)}, "adult_exclusions[0][0]"),
        ({"adult_exclusions": (("a", "lead"), ("a", "nobody"))}, "adult_exclusions[1][1]"),
        ({"blocks": (Block("m1", "9", 1), Block("m2", "10", 2, frozenset({"art"})))}, "blocks[1].skills"),
        ({"most_social_cost": 1.1}, "most_social_cost"),
        ({"students_per_monitor": 0}, "students_per_monitor"),
        ({"effects": ()}, "effects"),
    ],
)
def test_a_wrong_reference_names_its_field(team, change, field):
    with pytest.raises(ProblemError) as caught:
        replace(team, **change)

    assert caught.value.field == field
    assert "zoe" not in f"{caught.value} {caught.value.value}"


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Need("a", "ratios", 1.2), "Need.need"),
        (lambda: Need("a", "ratios", float("nan")), "Need.need"),
        (lambda: Need("a", "ratios", 0.2, struggle_risk=-0.1), "Need.struggle_risk"),
        (lambda: GroupmateCount("a", "b", -1), "GroupmateCount.sessions"),
        (lambda: Need("a", "ratios", 0.2, urgent=-1.0), "Need.urgent"),
        (lambda: SizeCurve(full=0), "SizeCurve.full"),
        (lambda: SizeCurve(loss=-0.1), "SizeCurve.loss"),
        (lambda: Coaching("a", "b", -1), "Coaching.sessions"),
        (lambda: Room("x", -1), "Room.capacity"),
        (lambda: Effect(SessionType.ONLINE, Role.SUPPORT_STAFF, 0.5), "Effect.session_type"),
        (lambda: Effect(SessionType.TUTORING, Role.SUPPORT_STAFF, 1.5), "Effect.effect"),
        (lambda: SizeBound(SessionType.TUTORING, 3, 2), "SizeBound.most"),
        (lambda: Weights(load=-1.0), "Weights.load"),
        (lambda: Pin("a", "m1", SessionType.ONLINE, "ratios"), "Pin"),
        (lambda: Adult("t", Role.SUPPORT_STAFF, frozenset(), frozenset(), {"ratios": 0.0}), "Adult.skills['ratios']"),
        (lambda: Adult("t", " ", frozenset(), frozenset()), "Adult.role"),
        (lambda: Adult("t", "x", frozenset(), frozenset(), in_training=True, supervises=True), "Adult.supervises"),
    ],
)
def test_a_value_out_of_range_names_its_field(make, field):
    with pytest.raises(ProblemError) as caught:
        make()

    assert caught.value.field == field
    assert "must be" in str(caught.value)


@pytest.mark.parametrize(
    ("role", "said", "trainee", "supervisor"),
    [
        (Role.TEACHER_LEADER, {}, False, True),
        ("collaborating_teacher", {}, False, True),
        (Role.SUPPORT_STAFF, {}, False, False),
        ("teacher_in_training", {}, True, False),
        ("night owl", {}, False, False),
        ("night owl", {"in_training": True}, True, False),
        ("night owl", {"supervises": True}, False, True),
        (Role.TEACHER_LEADER, {"in_training": True}, True, False),
        (Role.TEACHER_IN_TRAINING, {"in_training": False}, False, False),
        (Role.TEACHER_LEADER, {"supervises": False}, False, False),
    ],
)
def test_who_supervises_and_who_is_in_training_is_usual_of_the_role_unless_said(role, said, trainee, supervisor):
    adult = Adult("x", role, frozenset(), frozenset(), **said)

    assert (adult.trainee, adult.supervisor) == (trainee, supervisor)


def test_a_role_of_the_schools_own_needs_its_effects(team, swap):
    own = swap(team.adults, "help", role="night owl")

    with pytest.raises(ProblemError, match="nothing for tutoring led by night owl"):
        replace(team, adults=own)

    effects = tuple(replace(effect, role="night owl") for effect in team.effects if effect.role is Role.SUPPORT_STAFF)
    assert replace(team, adults=own, effects=(*team.effects, *effects)).adults[0].role == "night owl"


def test_the_text_is_canonical_and_the_digest_follows_it(team):
    text = json.loads(team.to_json())

    assert text["students"][0]["blocks"] == ["m1", "m2"]
    assert replace(team, students_per_monitor=29).digest() != team.digest()
