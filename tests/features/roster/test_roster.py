"""The roster files: what they may say, and what is said about them when they say something else."""

import csv
from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import features.roster
from features.errors import InputError
from features.roster import Block, PastSession, Roster, Rule, Series, Staff, read_roster_files
from features.roster.files.layout import FILES, NAMES

TINY = {
    "teams": "team_id,school,name\nt1,North,Orion\nt2,North,\n",
    "members": "team_id,student_id\nt1,007\nt1,NA\nt2,7\n",
    "staff": (
        "staff_id,team_id,role,may_lead,skills,max_group,certified,coach\n"
        "ana,t1,teacher_leader,,,8,yes,\n"
        "bo,t1,support_staff,tutoring;small_group,k1; k2,,,ana\n"
        "cy,t2,teacher_in_training,,,,no,\n"
    ),
    "rooms": "room_id,team_id,capacity\nr1,t1,30\nr2,t2,30\n",
    "blocks": (
        "block_id,team_id,weekday,start,end\nb1,t1,mon,08:30,09:15\nb2,t1,mon,9:15,10:00\nb3,t2,MON,8:30,9:15\n"
    ),
}
MORE = {
    "rules": (
        "rule_id,team_id,kind,students,staff_id,block_id,skill_id\n"
        "x1,t1,keep_apart,007;NA,,,\nx2,t1,pinned,007,bo,,k1\nx3,t1,unavailable,,ana,b2,\n"
    ),
    "skills": "skill_id,name,grade,subject\nk1,Add,3,Maths\nk2,Multiply,,\n",
    "prerequisites": "skill_id,requires_skill_id\nk2,k1\n",
    "focus": "team_id,skill_id,weight\nt1,k2,0.75\n",
    "past_sessions": "date,team_id,block_id,staff_id,skill_id,students\n2026-03-09,t1,b1,bo,k1,NA;007\n",
    "series": (
        "series_id,team_id,students,staff_id,skills,from_date,until,block_ids,weekdays,sessions_per_week,"
        "minutes_per_week\nz1,t1,NA;007,bo,k1;k2,2026-03-09,Proficient,,mon,1,\n"
        "z2,t1,007,ana,k2,2026-03-09,2026-05-29,b1;b2,,,45\n"
    ),
    "demographics": "student_id,column,value\n007,language,es\n",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    return folder


def problems_of(folder: Path, **changed: str) -> str:
    write(folder, {**TINY, **changed})
    with pytest.raises(InputError) as caught:
        read_roster_files(folder)
    return str(caught.value)


def test_every_cell_of_a_tiny_roster_is_read(tmp_path):
    roster = read_roster_files(write(tmp_path, {**TINY, **MORE}))

    assert [member.student_id for member in roster.members] == ["007", "NA", "7"]
    assert roster.staff[1] == Staff("bo", "t1", "support_staff", ("tutoring", "small_group"), ("k1", "k2"), coach="ana")
    assert roster.blocks[1] == Block("b2", "t1", "mon", time(9, 15), time(10))
    assert roster.rules[1] == Rule("x2", "t1", "pinned", ("007",), "bo", None, "k1")
    assert roster.past_sessions == (PastSession(date(2026, 3, 9), "t1", "b1", "bo", "k1", ("NA", "007")),)
    assert roster.focus[0].weight == 0.75
    first, last = date(2026, 3, 9), date(2026, 5, 29)
    assert roster.series == (
        Series("z1", "t1", ("NA", "007"), "bo", ("k1", "k2"), first, weekdays=("mon",), sessions_per_week=1),
        Series("z2", "t1", ("007",), "ana", ("k2",), first, last, block_ids=("b1", "b2"), minutes_per_week=45),
    )
    assert roster.warnings == ()


def test_a_blank_may_lead_means_what_the_role_leads(tmp_path):
    ana, _, cy = read_roster_files(write(tmp_path, TINY)).staff

    assert ana.may_lead == ("small_group", "tutoring", "collaborative", "online")
    assert cy.may_lead == ("small_group", "tutoring", "collaborative")
    assert ana.skills is None


def test_a_role_of_the_schools_own_says_what_it_leads(tmp_path):
    own = "staff_id,team_id,role,may_lead\nana,t1,Reading Coach,tutoring\nbo,t2,teacher_leadr,online\n"

    roster = read_roster_files(write(tmp_path, {**TINY, "staff": own}))

    assert roster.staff[0] == Staff("ana", "t1", "reading coach", ("tutoring",))
    assert roster.warnings == (
        "staff.csv: role 'reading coach' was taken as the school's own",
        "staff.csv: role 'teacher_leadr' was taken as the school's own; did you mean 'teacher_leader'?",
    )


def test_every_problem_is_reported_at_once_with_its_place(tmp_path):
    message = problems_of(
        tmp_path,
        staff="staff_id,team_id,role,max_group\nana,t1,teacher,0\n",
        blocks="block_id,team_id,weekday,start,end\nb1,t1,monday,8.30,09:15\n",
        focus="team_id,skill_id,weight\nt1,k1,2\n",
    )

    assert "has 5 problems" in message
    assert "staff.csv line 2, role: 'teacher' is not known; use one of teacher_leader" in message
    assert "staff.csv line 2, max_group: '0' is not a count" in message
    assert "blocks.csv line 2, weekday: 'monday' is not known" in message
    assert "blocks.csv line 2, start: '8.30' is not a time; write HH:MM" in message
    assert "focus.csv line 2, weight: '2' is not a weight" in message


def test_a_misspelt_column_or_file_is_answered_with_the_nearest_name(tmp_path):
    message = problems_of(tmp_path, rooms="room_id,team_id,capacty\nr1,t1,3\n", skill="skill_id\nk1\n")

    assert "rooms.csv: column 'capacty' is not known; did you mean capacity?" in message
    assert "skill.csv: is not a roster file; did you mean skills.csv?" in message


def test_columns_and_files_that_nobody_asked_for_are_left_out_with_a_warning(tmp_path):
    write(tmp_path, {**TINY, "members": "team_id,student_id,email\nt1,007,x@y.z\nt2,7,\n", "notes": "a\nb\n"})

    warnings = read_roster_files(tmp_path).warnings

    assert "members.csv: column 'email' is not known and was left out" in warnings
    assert "notes.csv: is not a roster file and was left out" in warnings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("team_id;student_id\nt1;secret-1\n", "members.csv: is separated by semicolons"),
        ("t1,secret-1\nt1,secret-2\n", "members.csv: its first line names no column; write team_id, student_id"),
        ("team_id,student_id\nt1,secret-1\nt1,secret-1\n", "line 3, team_id + student_id: repeats line 2"),
        ("team_id,student_id\nt1,secret-1 \n", "line 2, student_id: begins or ends with a blank"),
        (f"team_id,student_id\nt1,secret-{195 * '1'}\n", "line 2, student_id: has 202 characters; use at most 200"),
        ("team_id,student_id\nt1,secret;1\n", "line 2, student_id: has a semicolon"),
        ("team_id,student_id\nt1,secret-1,more\n", "line 2: has 3 cells where the header has 2"),
        ('team_id,student_id\nt1,"secret-1\n', "is not CSV"),
        ("team_id,student_id\n,secret-1\n", "line 2, team_id: is blank"),
    ],
)
def test_no_message_shows_a_student(tmp_path, text, expected):
    message = problems_of(tmp_path, members=text)

    assert expected in message
    assert "secret" not in message


@pytest.mark.parametrize("day", ["0001-01-01", "1989-12-31", "2200-01-01"])
def test_a_day_that_no_school_had_is_refused_with_what_would_be_right(tmp_path, day):
    message = problems_of(tmp_path, **MORE | {"past_sessions": MORE["past_sessions"].replace("2026-03-09", day)})

    assert f"past_sessions.csv line 2, date: {day} is not between 1990-01-01 and 2199-12-31" in message


def test_a_file_in_another_encoding_is_refused(tmp_path):
    write(tmp_path, TINY)
    (tmp_path / "teams.csv").write_bytes("team_id,school\nt1,Écoles\n".encode("latin-1"))

    with pytest.raises(InputError, match=r"teams.csv: is not UTF-8 at byte 19"):
        read_roster_files(tmp_path)


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path):
    write(tmp_path, TINY)
    (tmp_path / "teams.csv").write_bytes(b"\xef\xbb\xbfTeam_ID,School\r\nt1,North\r\n\r\nt2,North\r\n")

    assert [team.team_id for team in read_roster_files(tmp_path).teams] == ["t1", "t2"]


def test_rows_of_unknown_teams_are_left_out_and_counted(tmp_path):
    write(
        tmp_path,
        {
            **TINY,
            **MORE,
            "members": TINY["members"] + "t9,8\nt9,9\n",
            "demographics": "student_id,column,value\n9,a,b\n",
        },
    )

    roster = read_roster_files(tmp_path)

    assert len(roster.members) == 3
    assert roster.demographics == ()
    assert roster.warnings == (
        "members.csv: 2 of 5 rows belong to teams that teams.csv lacks ('t9') and were left out",
        "demographics.csv: 1 rows are about no member and were left out",
    )


def test_a_team_without_students_or_rooms_is_a_warning(tmp_path):
    write(tmp_path, {**TINY, "teams": TINY["teams"] + "t3,North,\n"})

    assert "teams.csv: 1 teams have no members ('t3')" in read_roster_files(tmp_path).warnings


def test_dangling_references_are_refused(tmp_path):
    message = problems_of(
        tmp_path,
        **{
            **MORE,
            "staff": TINY["staff"].replace("no,\n", "no,anna\n").replace("k1; k2", "k9"),
            "rules": (
                "rule_id,team_id,kind,students,staff_id,block_id\nx1,t1,keep_apart,007;7,,\nx2,t1,pinned,007,,\n"
                "x3,t8,unavailable,,ana,\nx4,t1,unavailable,,cy,b3\nx5,t1,keep_together,007,,\n"
            ),
            "prerequisites": "skill_id,requires_skill_id\nk2,k1\nk1,k2\n",
        },
    )

    assert "staff.csv line 4, coach: 'anna' is not in staff.csv; did you mean 'ana'?" in message
    assert "staff.csv line 3, skills: 'k9' is not in skills.csv" in message
    assert "rules.csv line 2, students: 1 of 2 are not members of the team" in message
    assert "rules.csv line 3, kind: pinned needs a staff_id, block_id or skill_id" in message
    assert "rules.csv line 4, team_id: 't8' is not in teams.csv" in message
    assert "rules.csv line 5, staff_id: 'cy' is not in the team's rows of staff.csv" in message
    assert "rules.csv line 5, block_id: 'b3' is not in the team's rows of blocks.csv" in message
    assert "rules.csv line 6, kind: keep_together needs two or more students" in message
    assert "prerequisites.csv: skills require each other" in message


def test_references_into_a_broken_file_are_not_said_to_dangle(tmp_path):
    message = problems_of(tmp_path, **{**MORE, "members": "team_id,student_id\nt1, 007\nt1,NA\nt2,7\n"})

    assert "has 1 problem," in message


def test_a_coach_works_in_the_same_team(tmp_path):
    message = problems_of(tmp_path, staff=TINY["staff"].replace("no,\n", "no,ana\n"))

    assert "staff.csv line 4, coach: 'ana' is in another team" in message


def test_overlapping_and_backward_blocks_are_refused(tmp_path):
    message = problems_of(tmp_path, blocks=TINY["blocks"].replace("9:15,10:00", "09:10,09:00"))

    assert "blocks.csv line 3, end: is not after start" in message
    assert "blocks.csv line 3, start: is before the end of block 'b1' of the same team and day" in message


def test_history_may_name_people_and_blocks_that_are_gone(tmp_path):
    write(tmp_path, {**TINY, "past_sessions": MORE["past_sessions"].replace("b1,bo", "b8,zoe")})

    roster = read_roster_files(tmp_path)

    assert len(roster.past_sessions) == 1
    assert "past_sessions.csv: 1 rows name a staff_id that staff.csv lacks ('zoe') and were kept as history" in (
        roster.warnings
    )


def test_missing_files_are_named_with_their_columns(tmp_path):
    with pytest.raises(InputError, match=r"rooms.csv: is missing; write one with the columns room_id, team_id, cap"):
        read_roster_files(tmp_path)
    with pytest.raises(InputError, match="is not there"):
        read_roster_files(tmp_path / "nowhere")


def test_every_column_is_documented():
    sections = (features.roster.__doc__ or "").split("\n\n")

    assert len(FILES) == 13
    for layout in (*FILES, NAMES):
        (section,) = (section for section in sections if section.startswith(f"{layout.name}.csv"))
        for name, column in layout.columns.items():
            assert f"    {name}{'' if column.needed else ' ?'}  " in section, (layout.name, name)


SAFE_IDS = st.text(
    st.characters(exclude_categories=("Cc", "Cs"), exclude_characters=";"), min_size=1, max_size=200
).filter(lambda text: text == text.strip())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ids=st.lists(
        st.one_of(SAFE_IDS, st.sampled_from(["007", "NA", "null", "1e5", "ünï", "日本"])), unique=True, min_size=2
    )
)
def test_ids_come_back_as_they_were_written(tmp_path, ids):
    write(tmp_path, TINY)
    with (tmp_path / "members.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("team_id", "student_id"), *(("t1", student) for student in ids)])
    with (tmp_path / "rules.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [("rule_id", "team_id", "kind", "students"), ("x", "t1", "keep_apart", ";".join(ids))]
        )

    roster = read_roster_files(tmp_path)

    assert isinstance(roster, Roster)
    assert [member.student_id for member in roster.members] == ids
    assert roster.rules[0].students == tuple(ids)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"team_id": "t9"}, "team_id: 't9' is not in teams.csv; add it there"),
        ({"students": "007;7"}, "students: 1 of 2 are not members of the team; name only members"),
        ({"students": ""}, "students: is blank; every row needs one"),
        ({"staff_id": "cy"}, "staff_id: 'cy' is not in the team's rows of staff.csv"),
        ({"staff_id": "du"}, "staff_id: 'du' leads no group; name who may lead one of small_group, tutoring"),
        ({"staff_id": "ed"}, "students: are 2, but 'ed' takes at most 1 at once; name fewer"),
        ({"skills": "k3"}, "skills: 'bo' may teach none of them; name one, or another adult"),
        ({"from_date": "soon"}, "from_date: 'soon' is not a date; write YYYY-MM-DD"),
        ({"until": "summer"}, "until: 'summer' is not a date; write YYYY-MM-DD, such as 2026-03-09, or `proficient`"),
        ({"until": "2026-03-08"}, "until: 2026-03-08 is before from_date; write a later day, or `proficient`"),
        ({"block_ids": "b3"}, "block_ids: 'b3' is not in the team's rows of blocks.csv; add it there"),
        ({"weekdays": "tue"}, "weekdays: the team has no block on tue; it has blocks on mon"),
        ({"block_ids": "b1", "weekdays": "mon"}, "weekdays: blocks have their weekday already; leave one of"),
        ({"sessions_per_week": "2"}, "sessions_per_week: 2 is more than the 1 days a week on which it may take place"),
        ({"minutes_per_week": "46"}, "minutes_per_week: 46 is more than one block a day gives; write 45 or less"),
        ({"sessions_per_week": "1", "minutes_per_week": "45"}, "minutes_per_week: sessions_per_week is there too"),
    ],
)
def test_a_series_that_could_never_be_held_is_refused_with_what_would_be_right(tmp_path, change, expected):
    row = {
        "series_id": "z1",
        "team_id": "t1",
        "students": "007;NA",
        "staff_id": "bo",
        "skills": "k1;k3",
        "from_date": "2026-03-09",
        "until": "proficient",
    } | change
    staff = TINY["staff"] + "du,t1,support_staff,online,,,,\ned,t1,teacher_leader,,,1,,\n"

    message = problems_of(tmp_path, staff=staff, series=f"{','.join(row)}\n{','.join(row.values())}\n")

    assert f"series.csv line 2, {expected}" in message
