"""A problem refuses what is not right, names the field, and keeps students' ids out of messages."""

import json
from dataclasses import replace

import pytest

from serving.grouping.errors import ProblemError
from serving.grouping.people import Adult, Contact, MateCount, Need, Student
from serving.grouping.places import Pin, Room, Seat
from serving.grouping.policy import Effect, Modality, Role, SizeBound, Weights, default_modalities


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
        ({"mates": (MateCount("a", "b", 1), MateCount("b", "a", 1))}, "mates[1]"),
        ({"mates": (MateCount("a", "zoe", 1),)}, "mates[0][1]"),
        ({"contacts": (Contact("a", "nobody", 1),)}, "contacts[0].adult"),
        ({"previous": (Seat("zoe", "m1", Modality.ONLINE),)}, "previous[0].student"),
        ({"rooms": (Room("x", 3, frozenset({"m9"})),)}, "rooms[0].blocks"),
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
        (lambda: MateCount("a", "b", -1), "MateCount.sessions"),
        (lambda: Room("x", -1), "Room.capacity"),
        (lambda: Effect(Modality.ONLINE, Role.SUPPORT_STAFF, 0.5), "Effect.modality"),
        (lambda: Effect(Modality.TUTORING, Role.SUPPORT_STAFF, 1.5), "Effect.effect"),
        (lambda: SizeBound(Modality.TUTORING, 3, 2), "SizeBound.most"),
        (lambda: Weights(load=-1.0), "Weights.load"),
        (lambda: Pin("a", "m1", Modality.ONLINE, "ratios"), "Pin"),
        (lambda: Adult("t", Role.SUPPORT_STAFF, frozenset(), frozenset(), {"ratios": 0.0}), "Adult.skills['ratios']"),
    ],
)
def test_a_value_out_of_range_names_its_field(make, field):
    with pytest.raises(ProblemError) as caught:
        make()

    assert caught.value.field == field
    assert "must be" in str(caught.value)


def test_roles_may_lead_what_the_team_agreed():
    support = default_modalities(Role.SUPPORT_STAFF)

    assert default_modalities(Role.TEACHER_LEADER) == frozenset(Modality)
    assert Modality.SMALL_GROUP not in support
    assert default_modalities(Role.SUPPORT_STAFF, may_lead=True) == support | {Modality.SMALL_GROUP}
    assert Modality.ONLINE not in default_modalities(Role.TEACHER_IN_TRAINING)


def test_the_text_is_canonical_and_the_digest_follows_it(team):
    text = json.loads(team.to_json())

    assert text["students"][0]["blocks"] == ["m1", "m2"]
    assert replace(team, students_per_monitor=29).digest() != team.digest()
