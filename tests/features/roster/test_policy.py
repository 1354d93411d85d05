"""A roster's `policy.toml`: what it may say, and what is said about it when it says something else."""

import pytest

from features.errors import InputError
from features.roster import PolicyLayer, Team, load_presets, read_roster_files
from features.roster.policy.keys import KEYS, read_settings

FILES = {
    "teams": "team_id,school\nt1,North\nt2,North\n",
    "members": "team_id,student_id\nt1,007\nt1,NA\nt2,7\n",
    "staff": (
        "staff_id,team_id,role,certified\nana,t1,teacher_leader,\nbo,t1,support_staff,no\ncy,t2,teacher_leader,yes\n"
    ),
    "rooms": "room_id,team_id,capacity\nhall,t1,90\nr2,t2,30\n",
    "blocks": "block_id,team_id,weekday,start,end\nb1,t1,mon,08:30,09:15\nb3,t2,mon,8:30,9:15\n",
    "skills": "skill_id,name,grade,subject\nk1,Add,3,Maths\n",
}
EVERY_KEY = """
[default]
regroup = "weekly"
rooms."*".sessions = 2

[teams.t1]
preset = "intervention_block"
weights = { load = 0, urgent = 0.75 }
sizes.tutoring = { most = 3 }
sizes.collaborative = { least = 4, most = 6, tables = 2 }
most_by_role.support_staff = 4
students_per_monitor = 20
most_social_cost = 0.1
explore_within = 0.02
crowding = { full = 4, loss = 0.2 }
adult_time_days = 3
trainees_supervised = false
regroup = 10
rooms.hall.sessions = 4
blocks.b1 = { skills = ["k1"], subjects = ["Maths"] }
needs_certified = ["NA", "NA"]

[[teams.t1.adult_exclusions]]
staff_id = "bo"
students = ["007", "NA"]
"""


@pytest.fixture
def read(tmp_path):
    def _read(text, name="policy.toml", **changed):
        for file, rows in (FILES | changed).items():
            (tmp_path / f"{file}.csv").write_text(rows, encoding="utf-8")
        (tmp_path / name).write_text(text, encoding="utf-8")
        return read_roster_files(tmp_path)

    return _read


def problem_of(read, text, **more):
    with pytest.raises(InputError) as caught:
        read(text, **more)
    return str(caught.value)


def test_every_key_is_read_and_students_are_kept_apart(read):
    default, team = read(EVERY_KEY).policies

    assert default == PolicyLayer("", {"regroup": "weekly", "rooms": {"*": {"sessions": 2}}})
    assert (team.team_id, team.needs_certified) == ("t1", ("NA",))
    assert team.adult_exclusions == (("007", "bo"), ("NA", "bo"))
    assert team.settings == {
        "preset": "intervention_block",
        "weights": {"load": 0.0, "urgent": 0.75},
        "sizes": {"tutoring": {"most": 3}, "collaborative": {"least": 4, "most": 6, "tables": 2}},
        "most_by_role": {"support_staff": 4},
        "students_per_monitor": 20,
        "most_social_cost": 0.1,
        "explore_within": 0.02,
        "crowding": {"full": 4, "loss": 0.2},
        "adult_time_days": 3,
        "trainees_supervised": False,
        "regroup": 10,
        "rooms": {"hall": {"sessions": 4}},
        "blocks": {"b1": {"skills": ["k1"], "subjects": ["Maths"]}},
    }


def test_who_needs_a_certified_adult_where_there_is_none_is_a_warning(read):
    roster = read('teams.t1.needs_certified = ["007"]')

    assert any("1 student needs a certified adult, and nobody" in warning for warning in roster.warnings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[teams.t1]\nregroup =", "policy.toml: is not TOML (Invalid value"),
        ("[defaults]\nregroup = 2", "policy.toml defaults: is not known; did you mean default?"),
        ("regroup = 2", "policy.toml regroup: is not known; write it below [default] or [teams.ID]"),
        ("teams = 3", "policy.toml teams: is not a table"),
        ("[teams.t11]", "policy.toml [teams.t11]: is not in teams.csv; did you mean t1?"),
        ("[default]\nwieghts.load = 1", "policy.toml [default] wieghts: is not known; did you mean weights?"),
        ("[default]\nweights.loed = 1", "policy.toml [default] weights.loed: is not known; did you mean load?"),
        (
            "[default]\nweights.load = -1",
            "policy.toml [default] weights.load: '-1' is not right; write a number from 0",
        ),
        ("[default]\nweights.load = true", "'True' is not right; write a number"),
        ("[default]\nsizes.online.most = 2", "sizes.online: is not known; the keys are small_group, tutoring"),
        ("[default]\nsizes.tutoring = { least = 3, most = 2 }", "sizes.tutoring.most: 2 is below least; write 3 or"),
        ("[default]\nsizes.tutoring = 4", "policy.toml [default] sizes.tutoring: is not a table; write its keys"),
        ("[default]\nregroup = 'weekday'", "regroup: 'weekday' is not right; write 'daily', 'weekly' or a number"),
        ("[default]\nregroup = 0", "regroup: '0' is not right; write a whole number from 1 to 60"),
        ("[default]\npreset = 'open_room'", "preset: 'open_room' is not a preset; did you mean 'open_team_room'?"),
        ("[default]\nneeds_certified = ['007']", "needs_certified: belongs to one team; write it below [teams.ID]"),
        ("[default]\nrooms.hall.sessions = 2", "rooms.hall: belongs to one team; write it below [teams.ID], or '*'"),
        ("[teams.t1]\nneeds_certified = '007'", "needs_certified: is not a list of ids"),
        ("[teams.t1]\nneeds_certified = ['7', 'NA']", "needs_certified: 1 of 2 are not members of the team"),
        (
            "[teams.t1]\nrooms.hal.sessions = 2",
            "rooms: 'hal' is not in the team's rows of rooms.csv; did you mean 'hall'",
        ),
        ("[teams.t1]\nrooms.r2.sessions = 2", "rooms: 'r2' is not in the team's rows of rooms.csv"),
        ("[teams.t1]\nmost_by_role.coach = 2", "most_by_role: 'coach' is not in the team's rows of staff.csv"),
        ("[teams.t1]\nblocks.b1.skills = ['k2']", "blocks.b1.skills: 'k2' is not in skills.csv"),
        ("[teams.t1]\nblocks.b1.subjects = ['Math']", "blocks.b1.subjects: 'Math' is not in skills"),
        ("[teams.t1]\nadult_exclusions = [{staff_id = 'cy', students = ['NA']}]", "adult_exclusions[0].staff_id: 'cy'"),
        ("[teams.t1]\nadult_exclusions = [{staff_id = 'bo'}]", "adult_exclusions[0].students: is missing"),
        ("[teams.t1]\nadult_exclusions = 'bo'", "adult_exclusions: is not a list of tables"),
    ],
)
def test_a_wrong_key_is_said_with_file_value_and_what_would_be_right(read, text, expected):
    assert expected in problem_of(read, text)


def test_no_message_repeats_a_student(read):
    said = problem_of(
        read, "[teams.t1]\nneeds_certified = ['secret-9', 4]\nadult_exclusions = [{students = ['secret;8']}]"
    )

    assert "secret" not in said


def test_a_file_with_almost_the_right_name_is_a_problem(read):
    assert "policies.toml: is not a roster file; did you mean policy.toml?" in problem_of(
        read, "", name="policies.toml"
    )


@pytest.mark.parametrize("preset", load_presets())
def test_a_preset_is_made_of_keys_that_a_team_could_write(preset):
    wrong = []

    settings = read_settings(dict(load_presets()[preset]), lambda *problem: wrong.append(problem))

    assert wrong == []
    assert "regroup" in settings


def test_a_team_says_whether_its_leader_signs_before_what_all_teams_say():
    layers = (PolicyLayer("", roster={"leader_signs": True}), PolicyLayer("t1", roster={"leader_signs": False}))

    def team(*policies):
        return Team("t1", "North", None, (), (), (), (), (), {}, (), policies=policies)

    assert [team(*found).leader_signs for found in ((), layers[:1], layers[1:], layers)] == [False, True, False, False]


def test_the_signature_of_the_leader_is_read_from_the_file_and_a_request_cannot_drop_it(read):
    (default,) = read("[default]\nleader_signs = true\n").policies
    wrong = problem_of(read, "[teams.t2]\nleader_signs = 1\n")

    assert (default.settings, default.roster) == ({}, {"leader_signs": True})
    assert "leader_signs: '1' is not right; write true or false" in wrong
    assert "leader_signs" not in KEYS
