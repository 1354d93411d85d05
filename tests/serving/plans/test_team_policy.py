"""What a team chose, before what the planner assumes; and which way each choice turns a plan."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from features.roster import Block, PastSession, PolicyLayer, Room, Skill, SkillMap, Staff, Team, load_presets
from features.roster.policy.keys import KEYS, WEIGHTS
from features.roster.records import ROLE_MAY_LEAD
from serving.errors import RequestError
from serving.grouping import Need, Purpose, find_violations, suggest_groups
from serving.plans.need.needs import Candidate
from serving.plans.problem import DayRequest, state_day
from serving.plans.rooms import list_rooms, name_room
from serving.plans.rules.policy import load_policy
from serving.plans.rules.team_policy import read_earlier, read_layer, settle_policy
from serving.schemas.policy import Preset, TeamPolicy, TermName

MONDAY = date(2026, 3, 16)
SKILLS = SkillMap({"add": Skill("add", "Add", None, "Maths"), "read": Skill("read", "Read", None, "English")}, {})
NAMES = tuple(f"m{number:02}" for number in range(12))


def staff(name, role, **more):
    return Staff(name, "t", role, ROLE_MAY_LEAD[role], **more)


LEAD, OTHER = staff("lead", "teacher_leader"), staff("other", "collaborating_teacher")
AIDE, NEW = staff("aide", "support_staff"), staff("new", "teacher_in_training")


def team(*policies, members=NAMES, adults=(LEAD, OTHER, AIDE), rooms=None, past_sessions=(), hours=(9,)):
    return Team(
        team_id="t",
        school="s",
        name=None,
        members=tuple(members),
        staff=adults,
        rooms=tuple(Room(name, "t", 30) for name in ("hall", "lab", "nook")) if rooms is None else rooms,
        blocks=tuple(Block(f"mon-{hour}", "t", "mon", time(hour), time(hour, 45)) for hour in hours),
        rules=(),
        focus={},
        past_sessions=past_sessions,
        policies=tuple(policies),
    )


def layer(**settings):
    return PolicyLayer("t", settings)


def settle(*layers, request=None, earlier=None):
    return settle_policy(team(*layers), request or PolicyLayer(""), load_policy(), earlier)


def candidates(the_team, skill="add", need=0.8):
    return [Candidate(Need(student, skill, need, need, purpose=Purpose.RETEACH), None) for student in the_team.members]


def plan(the_team, needs=None, **choices):
    """The problem and the sessions of a day with choices of a request."""
    request = DayRequest(MONDAY, policy=PolicyLayer("", choices))
    problem = state_day(the_team, SKILLS, request, needs or candidates(the_team), load_policy()).problem
    sessions = suggest_groups(problem).sessions
    assert find_violations(problem, sessions) == ()
    return problem, [session for session in sessions if session.led]


def test_a_request_counts_before_the_team_and_the_team_before_all_teams():
    everybody = PolicyLayer(
        "", {"students_per_monitor": 20, "regroup": "weekly", "weights": {"load": 0.5, "share": 0.5}}
    )
    own = layer(students_per_monitor=15, weights={"load": 0.2})

    settled = settle(everybody, own, request=layer(weights={"load": 0.1}))

    assert settled.settings["students_per_monitor"] == 15
    assert settled.settings["regroup"] == "weekly"
    weights = settled.weights(load_policy().weights, None)
    assert (weights.load, weights.share, weights.benefit) == (0.1, 0.5, load_policy().weights.benefit)
    assert weights.perturbation == load_policy().weights.perturbation
    assert settled.weights(load_policy().weights, 0.7).perturbation == 0.7
    assert settle().settings["students_per_monitor"] == 30


def test_a_preset_counts_where_it_is_named_and_the_last_one_alone():
    """Keys beside a preset count before it; a preset of the team leaves nothing of that of all teams."""
    of_all = PolicyLayer("", {"preset": "station_rotation"})

    assert settle(of_all).settings["students_per_monitor"] == 20
    assert settle(of_all, layer(students_per_monitor=25)).settings["students_per_monitor"] == 25
    other = settle(of_all, layer(preset="high_dosage_tutoring", regroup=6))
    assert (other.preset, other.settings["students_per_monitor"], other.settings["regroup"]) == (
        "high_dosage_tutoring", 30, 6,
    )  # fmt: skip
    assert other.settings["sizes"]["tutoring"]["most"] == 4


def test_a_bound_on_sizes_takes_the_other_along():
    sizes = settle(layer(sizes={"small_group": {"most": 2}, "tutoring": {"least": 3}})).settings["sizes"]

    assert (sizes["small_group"]["least"], sizes["small_group"]["most"]) == (2, 2)
    assert (sizes["tutoring"]["least"], sizes["tutoring"]["most"]) == (3, 3)


def test_what_an_answer_shows_is_the_same_policy_when_it_is_sent_back():
    chosen = PolicyLayer(
        "t",
        {
            "preset": "open_team_room",
            "most_by_role": {"support_staff": 2},
            "blocks": {"mon-9": {"subjects": ["Maths"]}},
        },
        ("m01",),
        (("m02", "aide"), ("m03", "aide")),
    )
    used = settle(chosen)

    shown = TeamPolicy.model_validate_json(used.to_body().model_dump_json())

    assert settle(request=read_layer(shown)) == used
    assert {name for name in TeamPolicy.model_fields if getattr(shown, name) is None} == set()


def test_an_earlier_plan_keeps_its_policy_and_nobody_loses_protection():
    """What the request says counts before it, and what protects students adds up from everywhere."""
    first = settle(layer(students_per_monitor=12, adult_time_days=3))
    now = PolicyLayer("t", {"students_per_monitor": 40}, ("m05",), (("m01", "aide"),))
    problem = state_day(team(), SKILLS, DayRequest(MONDAY), candidates(team()), load_policy()).problem
    problem = replace(problem, adult_exclusions=(("m02", "lead"),))

    again = settle(now, request=layer(adult_time_days=1), earlier=read_earlier(first.to_body(), problem))

    assert (again.settings["students_per_monitor"], again.settings["adult_time_days"]) == (12, 1)
    assert again.needs_certified == {"m05"}
    assert again.adult_exclusions == (("m01", "aide"), ("m02", "lead"))


@pytest.mark.parametrize(
    ("choices", "rule", "field"),
    [
        (layer(rooms={"attic": {"sessions": 2}}), "unknown_room", "policy.rooms"),
        (layer(blocks={"tue-9": {}}), "unknown_block", "policy.blocks"),
        (layer(most_by_role={"coach": 2}), "unknown_role", "policy.most_by_role"),
        (PolicyLayer("", {}, (), (("m01", "ghost"),)), "unknown_staff", "policy.adult_exclusions"),
        (PolicyLayer("", {}, (), (("secret", "lead"),)), "unknown_student", "policy.adult_exclusions"),
        (PolicyLayer("", {}, ("secret",)), "unknown_student", "policy.needs_certified"),
    ],
)
def test_a_request_about_what_is_not_the_teams_is_refused(choices, rule, field):
    with pytest.raises(RequestError) as told:
        settle(request=choices)

    assert (told.value.rule, told.value.more["field"]) == (rule, field)
    assert "secret" not in str(told.value)


def test_roster_and_request_take_the_same_choices():
    assert set(KEYS) == set(TeamPolicy.model_fields)
    assert set(WEIGHTS) == set(TermName.__args__)
    assert set(WEIGHTS) | {"perturbation"} == set(vars_of(load_policy().weights))
    assert set(load_presets()) == set(Preset.__args__)
    assert set(settle().settings) == set(KEYS) - {"preset", "needs_certified", "adult_exclusions"}


def vars_of(part):
    return part.__dataclass_fields__


@pytest.mark.parametrize("preset", load_presets())
def test_a_preset_plans_a_day(preset):
    problem, led = plan(team(), preset=preset)

    assert led
    assert problem.sizes


def sizes_of(led, adult=None):
    return sorted(len(session.students) for session in led if adult in (None, session.adults[0]))


def test_fewer_at_most_by_role_makes_groups_of_that_role_smaller():
    _, free = plan(team(adults=(AIDE, LEAD)))
    _, few = plan(team(adults=(AIDE, LEAD)), most_by_role={"teacher_leader": 3})

    assert max(sizes_of(free, "lead")) > 3 >= max(sizes_of(few, "lead"))


def test_the_roster_says_more_about_an_adult_than_a_role_does():
    own = replace(LEAD, max_group=5)
    problem, _ = plan(team(adults=(own, AIDE)), most_by_role={"teacher_leader": 3})

    assert {adult.id: adult.max_group for adult in problem.adults} == {"aide": None, "lead": 5}


def test_more_tables_for_an_adult_seat_more_students():
    one, three = (
        plan(
            team(adults=(LEAD, AIDE)),
            sizes={
                "collaborative": {"least": 4, "most": 4, "tables": tables, "support": True},
                "small_group": {"least": 1, "most": 1},
            },
            crowding={"full": 1000, "loss": 0.0},
        )[1]
        for tables in (1, 3)
    )

    assert sum(sizes_of(three)) > sum(sizes_of(one))


def test_the_more_crowding_costs_the_smaller_are_groups():
    choices = {
        "weights": dict.fromkeys(("coverage", "relationships", "load", "adult_time_due"), 0.0),  # need alone
        "sizes": {"small_group": {"least": 1, "most": 8}},
    }
    adults = (replace(LEAD, may_lead=("small_group",)), replace(AIDE, may_lead=("online",)))
    free, dear = (plan(team(adults=adults), crowding={"full": 1, "loss": loss}, **choices)[1] for loss in (0.0, 5.0))
    few, many = (plan(team(), crowding={"full": full, "loss": 1.0})[0].size_curve for full in (1, 6))

    assert (sizes_of(dear), sizes_of(free)) == ([1], [8])
    assert few.share(6) < many.share(6)


def test_the_shorter_the_promise_of_adult_time_the_more_are_due():
    """One day: everybody; two: who was with no adult on the last day; three: not even then."""

    def past(ago, *students, by="lead"):
        return PastSession(MONDAY - timedelta(days=ago), "t", "mon-9", by, "add", students)

    sessions = (past(4, *NAMES[:9]), past(3, *NAMES[:6]), past(3, NAMES[6], by=None))
    the_team = team(past_sessions=sessions)

    def due(days, the_team=the_team):
        problem, _ = plan(the_team, adult_time_days=days)
        return {student.id for student in problem.students if student.adult_time_due}

    assert [len(due(days)) for days in (1, 2, 3, 4)] == [12, 6, 3, 0]
    assert due(2) == set(NAMES[6:])
    assert due(2, team()) == set()  # nothing is on record, so that nobody was missed yet


def test_trainees_teach_alone_only_where_the_team_says_so():
    the_team = team(adults=(NEW, AIDE))

    assert [s.adults[0] for s in plan(the_team)[1] if s.adults[0] == "new"] == []
    assert any(s.adults[0] == "new" for s in plan(the_team, trainees_supervised=False)[1])


def test_more_sessions_in_a_large_room_let_more_adults_lead():
    the_team = team(rooms=(Room("hall", "t", 30),))

    one, three = (plan(the_team, rooms={"hall": {"sessions": sessions}})[1] for sessions in (1, 3))

    assert len(one) <= 1 < len(three)  # one session takes the room
    assert plan(the_team)[1] == one


@pytest.mark.parametrize(
    ("students", "capacity", "sessions"), [(12, 30, 4), (60, 40, 4), (60, 20, 4), (9, 7, 3), (9, 2, 3)]
)
def test_places_of_a_room_hold_no_more_than_the_room(students, capacity, sessions):
    policy = settle(layer(rooms={"*": {"sessions": 2}, "hall": {"sessions": sessions}}))
    rooms = list_rooms((Room("hall", "t", capacity), Room("lab", "t", 8)), policy, students)

    places = [room.capacity for room in rooms if room.id != "lab"]
    assert len(places) == sessions
    assert min(students, sum(places)) <= capacity
    assert [room.id for room in rooms][-1] == "lab"
    assert {name_room(room.id, policy) for room in rooms} == {"hall", "lab"}


def test_other_rooms_hold_several_sessions_only_where_they_hold_everybody():
    policy = settle(layer(preset="open_team_room"))
    rooms = list_rooms((Room("hall", "t", 90), Room("lab", "t", 30)), policy, 60)

    assert [(room.id, room.capacity) for room in rooms] == [
        *((f"hall#place-{at}", 90) for at in range(1, 5)), ("lab", 30),
    ]  # fmt: skip
    assert name_room("Room #1", policy) == "Room #1"


def test_in_a_block_of_a_subject_nothing_else_is_taught():
    the_team = team(hours=(9, 10))
    needs = candidates(the_team, "add") + candidates(the_team, "read", 0.7)

    reading = plan(the_team, needs, blocks={"mon-9": {"subjects": ["English"]}, "mon-10": {"skills": ["add"]}})[1]
    maths = plan(the_team, needs, blocks={"mon-9": {"subjects": ["Maths"]}, "mon-10": {"skills": ["read"]}})[1]
    nothing = plan(the_team, needs, blocks={"mon-9": {"skills": []}})[1]

    assert {(session.block, session.skill) for session in maths} == {("mon-9", "add"), ("mon-10", "read")}
    assert {session.block for session in nothing} == {"mon-10"}
    assert {(session.block, session.skill) for session in reading} == {("mon-9", "read"), ("mon-10", "add")}


def test_the_more_everything_social_may_cost_the_less_need_is_met():
    """Everybody met everybody every day for weeks, and a meeting again costs much."""
    past = tuple(
        PastSession(MONDAY - timedelta(days=ago), "t", "mon-9", "lead", "add", NAMES[:6]) for ago in range(1, 21)
    )
    adults = (replace(LEAD, may_lead=("small_group",)), replace(AIDE, may_lead=("online",)))
    the_team = team(members=NAMES[:6], adults=adults, past_sessions=past)

    def benefit(cost):
        choices = {"weights": {"repeat_groupmates": 0.05, "urgent": 0.0, "coverage": 0.0, "adult_time_due": 0.0}}
        request = DayRequest(MONDAY, policy=PolicyLayer("", choices | {"most_social_cost": cost}))
        day = state_day(the_team, SKILLS, request, candidates(the_team), load_policy())
        return next(term.points for term in suggest_groups(day.problem).score.terms if term.name == "benefit")

    assert benefit(0.0) > 1.2 * benefit(1.0)


def test_who_needs_a_certified_adult_is_led_by_one():
    adults = (replace(LEAD, certified=True), OTHER, AIDE)
    protected = PolicyLayer("t", {}, NAMES[:4])

    problem, led = plan(team(protected, adults=adults))

    assert {student.id for student in problem.students if student.needs_certified} == set(NAMES[:4])
    with_lead = {student for session in led if session.adults[0] == "lead" for student in session.students}
    with_others = {student for session in led if session.adults[0] != "lead" for student in session.students}
    assert with_lead & set(NAMES[:4])
    assert not with_others & set(NAMES[:4])


def test_an_excluded_adult_never_leads_the_student():
    """Three whom the adult would lead otherwise; the adult leads others."""
    adults = (LEAD, AIDE)

    def with_lead(the_team):
        led = [session for session in plan(the_team)[1] if session.adults[0] == "lead"]
        return {student for session in led for student in session.students}

    free = with_lead(team(adults=adults))
    excluded = sorted(free)[:3]
    kept = with_lead(team(PolicyLayer("t", {}, (), tuple((student, "lead") for student in excluded)), adults=adults))

    assert len(excluded) == 3
    assert kept
    assert not kept & set(excluded)
