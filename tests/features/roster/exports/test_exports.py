"""Rosters of other systems: written by a generator in each shape, read back the same, and refused where broken."""

import csv
import io
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import event
from hypothesis import strategies as st

from features.database import Database
from features.errors import InputError
from features.home import Home
from features.roster import (
    Member,
    Rule,
    Skill,
    Staff,
    erase_student,
    load_roster_command,
    read_team,
    save_roster,
)
from features.roster.files.archive import read_files, unpack_files
from features.roster.loading import read_roster
from features.roster.records import SESSION_TYPES
from features.roster.tables import SOURCE_ROWS
from tests.examples import holds_for

DAY = date(2026, 9, 7)
OTHER_CELLS = ("Mia", "Secret-Name", "mia@secret.example", "555-0199")
"""What no reader may take: names, e-mail address, phone."""

IDS = st.text("ab 01-_é'.", min_size=1, max_size=6).map(str.strip).filter(bool)
STARTS = st.sampled_from([None, date(2026, 8, 24), date(2026, 10, 1)])
ENDS = st.sampled_from([None, date(2026, 12, 18), date(2027, 6, 4)])


@dataclass(frozen=True)
class Town:
    """A school's classes, and who is in them: for each person and class the first and last day."""

    classes: tuple[str, ...]
    students: Mapping[str, Mapping[str, tuple[date | None, date | None]]]
    teachers: Mapping[str, tuple[str, ...]]
    aides: Mapping[str, tuple[str, ...]]

    def members(self, named: tuple[str, ...], *, dated: bool, excluded: bool = False) -> set[Member]:
        """The members of a team of some classes; `excluded` is whether a date of an end is the first day after it."""
        found = set()
        for student, places in self.students.items():
            own = [places[name] for name in named if name in places]
            if own:
                start = None if any(first is None for first, _ in own) else min(first for first, _ in own)
                end = None if any(last is None for _, last in own) else max(last for _, last in own)
                end = end - timedelta(days=1) if excluded and end else end
                found.add(Member("t1", student, *((start, end) if dated else (None, None))))
        return found

    def adults(self, named: tuple[str, ...], *, aides: bool) -> dict[str, str]:
        """The roles of a team's adults."""
        found = {adult: "support_staff" for adult, own in self.aides.items() if aides and set(own) & set(named)}
        return found | {adult: "collaborating_teacher" for adult, own in self.teachers.items() if set(own) & set(named)}


@st.composite
def towns(draw):
    ids = draw(st.lists(IDS, min_size=6, max_size=14, unique=True))
    classes, people = tuple(ids[:3]), ids[3:]
    teachers, aides, students = people[:1], people[1:2], people[2:]
    some = st.lists(st.sampled_from(classes), min_size=1, max_size=3, unique=True)
    return Town(
        classes,
        {student: {name: (draw(STARTS), draw(ENDS)) for name in draw(some)} for student in students},
        {adult: tuple(draw(some)) for adult in teachers},
        {adult: tuple(draw(some)) for adult in aides},
    )


def sheet(header: str, rows, *, bom: bool = False) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header.split(","))
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig" if bom else "utf-8")


def show(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def enrollments(town: Town):
    for student, places in town.students.items():
        yield from ((name, student, "student", first, last) for name, (first, last) in places.items())
    for adults, role in ((town.teachers, "teacher"), (town.aides, "aide")):
        yield from ((name, adult, role, None, None) for adult, own in adults.items() for name in own)


def write_oneroster_11(town: Town) -> dict[str, bytes]:
    people = [(name, "student") for name in town.students]
    people += [(name, "teacher") for name in town.teachers] + [(name, "aide") for name in town.aides]
    given_name, family, mail, phone = OTHER_CELLS
    return {
        "manifest.csv": sheet("propertyName,value", [("oneroster.version", "1.1"), ("file.users", "bulk")]),
        "orgs.csv": sheet("sourcedId,status,name,type", [("o1", "active", "North", "school")]),
        "academicSessions.csv": sheet(
            "sourcedId,status,type,startDate,endDate", [("y1", "active", "schoolYear", "1900-01-01", "9999-12-31")]
        ),
        "classes.csv": sheet(
            "sourcedId,status,title,grades,schoolSourcedId,termSourcedIds",
            [(name, "", f"Class {name}", "07,08", "o1", "y1, y2") for name in town.classes],
        ),
        "users.csv": sheet(
            "sourcedId,status,enabledUser,role,username,givenName,familyName,email,phone",
            [
                (name, "active", "TRUE", role, f"user-{name}", given_name, family, mail, phone)
                for name, role in [*people, ("a parent", "parent")]
            ],
            bom=True,
        ),
        "enrollments.csv": sheet(
            "sourcedId,status,classSourcedId,userSourcedId,role,beginDate,endDate",
            [
                (f"e{at}", "active", name, person, role, show(first), show(last))
                for at, (name, person, role, first, last) in enumerate(enrollments(town))
            ],
        ),
    }


def write_oneroster_12(town: Town) -> dict[str, bytes]:
    files = write_oneroster_11(town)
    people = [(name, "student") for name in town.students]
    people += [(name, "teacher") for name in town.teachers] + [(name, "aide") for name in town.aides]
    files["manifest.csv"] = sheet("propertyName,value", [("oneroster.version", "1.2")])
    files["users.csv"] = sheet(
        "sourcedId,status,enabledUser,givenName,email",
        [(name, "active", "true", OTHER_CELLS[0], OTHER_CELLS[2]) for name, _ in people],
    )
    files["roles.csv"] = sheet(
        "sourcedId,status,userSourcedId,roleType,role,,",
        [(f"r{at}", "active", name, "primary", role) for at, (name, role) in enumerate(people)],
    )
    return files


def write_sds_2(town: Town) -> dict[str, bytes]:
    people = [*town.students, *town.teachers, *town.aides]
    return {
        "orgs.csv": sheet("sourcedId,name,type", [("o1", "North", "school")]),
        "classes.csv": sheet("sourcedId,orgSourcedId,title", [(name, "o1", "Class") for name in town.classes]),
        "users.csv": sheet("sourcedId,username,givenName", [(name, "u", OTHER_CELLS[0]) for name in people]),
        "enrollments.csv": sheet("classSourcedId,userSourcedId,role", [row[:3] for row in enrollments(town)]),
    }


def write_sds_1(town: Town) -> dict[str, bytes]:
    rows = list(enrollments(town))
    return {
        "School.csv": sheet("SIS ID,Name", [("o1", "North")]),
        "Section.csv": sheet("SIS ID,School SIS ID,Section Name", [(name, "o1", "Class") for name in town.classes]),
        "Student.csv": sheet("SIS ID,School SIS ID,First Name", [(name, "o1", "Mia") for name in town.students]),
        "Teacher.csv": sheet("SIS ID,School SIS ID,First Name", [(name, "o1", "Mia") for name in town.teachers]),
        "StudentEnrollment.csv": sheet("Section SIS ID,SIS ID", [row[:2] for row in rows if row[2] == "student"]),
        "TeacherRoster.csv": sheet("Section SIS ID,SIS ID", [row[:2] for row in rows if row[2] == "teacher"]),
    }


def write_class_list(town: Town) -> dict[str, bytes]:
    rows = [
        (student, name, teacher)
        for student, places in town.students.items()
        for name in places
        for teacher in [each for each, own in town.teachers.items() if name in own] or [""]
    ]
    return {"list.csv": sheet("Student,Class,Teacher", rows)}


SHAPES = {
    "OneRoster 1.1": write_oneroster_11,
    "OneRoster 1.2": write_oneroster_12,
    "Microsoft School Data Sync 2.1": write_sds_2,
    "Microsoft School Data Sync 1": write_sds_1,
    "class list": write_class_list,
}


def say(classes, more: str = "") -> bytes:
    named = ", ".join(f'"{name}"' for name in classes)
    bells = '[teams.t1.bells]\nfirst = { days = ["mon", "tue"], start = "08:30", end = "09:15" }\n'
    team = f'[teams.t1]\nname = "Orion"\nclasses = [{named}]\n[teams.t1.rooms]\nr1 = {{ capacity = 30 }}\n'
    return f"{more}\n{team}{bells}".encode()


def pack(files: Mapping[str, bytes]) -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"export/{name}", content)
    return found.getvalue()


TINY = Town(
    ("c1", "c2", "c3"),
    {f"s{at}": {"c1": (None, None), "c2": (None, None)} for at in range(24)},
    {"ana": ("c1",)},
    {"bo": ("c2",)},
)
ARCHIVE = pack(write_oneroster_11(TINY))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.delenv("REGROUP_DATABASE_URL", raising=False)
    return Home(tmp_path / "var")


def load(home: Home, files: Mapping[str, bytes], policy: bytes | None = None, **options) -> int:
    home.root.mkdir(exist_ok=True)
    path = home.root / "export.zip"
    path.write_bytes(pack(files))
    asked = None
    if policy is not None:
        asked = home.root / "policy.toml"
        asked.write_bytes(policy)
    return load_roster_command(path, home, policy=asked, as_of=DAY, **options)


@holds_for(
    25,
    500,
    towns(),
    st.sampled_from(sorted(SHAPES)),
    st.integers(1, 3),
    st.sampled_from(["", "exclusive", "inclusive"]),
)
def test_a_roster_written_in_any_shape_is_read_back_the_same(town, shape, count, end_date):
    named = town.classes[:count]
    if shape == "class list":  # which names no class that is empty
        named = tuple(name for name in named if any(name in places for places in town.students.values())) or None
    if named is None:
        return

    more = f'[default]\nend_date = "{end_date}"' if end_date else ""
    found = read_roster(SHAPES[shape](town), "export", None, DAY, say(named, more))

    dated = shape.startswith("OneRoster")
    assert found.shape == shape
    assert set(found.roster.members) == town.members(named, dated=dated, excluded=dated and end_date != "inclusive")
    roles = {adult.staff_id: adult.role for adult in found.roster.staff}
    if shape == "class list":
        taught = {name for places in town.students.values() for name in places}
        assert roles == {
            adult: "collaborating_teacher" for adult, own in town.teachers.items() if {*own} & {*named} & taught
        }
    else:
        assert roles == town.adults(named, aides=shape != "Microsoft School Data Sync 1")
    assert [block.block_id for block in found.roster.blocks] == ["t1-mon-first", "t1-tue-first"]
    assert found.roster.teams[0].school == ("school" if shape == "class list" else "North")


BROKEN = {
    "status": "delted", "role": "studnet", "enabledUser": "maybe", "beginDate": "2026-13-45", "endDate": "soon",
    "startDate": "31.8.2026", "sourcedId": "a;b", "classSourcedId": "", "userSourcedId": "x\ty",
}  # fmt: skip


@holds_for(20, 500, st.data())
def test_a_broken_cell_is_named_with_its_file_line_field_and_what_would_be_right(data):
    files = write_oneroster_12(TINY)
    name = data.draw(st.sampled_from(sorted(files.keys() - {"manifest.csv"})))
    rows = list(csv.reader(io.StringIO(files[name].decode("utf-8-sig"))))
    at = data.draw(st.integers(1, len(rows) - 1))
    column = data.draw(st.sampled_from(sorted(BROKEN.keys() & set(rows[0]))))
    rows[at] += [""] * (len(rows[0]) - len(rows[at]))
    rows[at][rows[0].index(column)] = BROKEN[column]

    with pytest.raises(InputError) as caught:
        read_roster(files | {name: sheet(",".join(rows[0]), rows[1:])}, "export", None, DAY, say(["c2"]))

    assert f"{name} line {at + 1}, {column}: " in str(caught.value)
    assert ";" in str(caught.value)  # what would be right
    if column not in {"sourcedId", "classSourcedId", "userSourcedId"}:  # which may be a student's
        assert repr(BROKEN[column]) in str(caught.value)


@pytest.mark.parametrize("name", ["orgs.csv", "users.csv", "enrollments.csv"])
def test_of_a_roster_with_a_problem_nothing_is_loaded(home, name):
    files = write_oneroster_11(TINY)
    load(home, files, say(["c1"]))
    before = read_team(home.database_url(), "t1")

    with pytest.raises(InputError, match="so nothing was loaded"):
        load(home, files | {name: files[name].replace(b"active", b"actve", 1)}, say(["c2"]))

    assert read_team(home.database_url(), "t1") == before


@holds_for(25, 2_000, st.sampled_from(sorted(SHAPES)), st.data())
def test_mutated_files_are_read_or_refused_in_a_sentence(shape, data):
    files = SHAPES[shape](TINY)
    name = data.draw(st.sampled_from(sorted(files)))
    content = bytearray(files[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    try:
        read_roster(files | {name: bytes(content)}, "export", None, DAY, say(["c1"]))
    except InputError:
        event("refused")


@holds_for(20, 1_000, st.data())
def test_a_damaged_archive_is_refused_in_a_sentence(data):
    content = bytearray(ARCHIVE)
    for _ in range(3):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    try:
        unpack_files(bytes(content), "a.zip")
    except InputError:
        event("refused")


def test_names_and_contacts_reach_no_table(home, capsys):
    load(home, write_oneroster_11(TINY), say(TINY.classes))
    load(home, write_oneroster_11(TINY), preview=True)

    stored = (home.root / "regroup.db").read_bytes()
    assert b"s23" in stored
    shown = capsys.readouterr().out
    for cell in OTHER_CELLS[1:]:
        assert cell.encode() not in stored
        assert cell not in shown


def test_changes_alone_are_added_to_what_was_loaded_before(home):
    load(home, write_oneroster_11(TINY), say(["c1"]))
    header = "sourcedId,status,classSourcedId,userSourcedId,role"
    changes = {
        "manifest.csv": sheet("propertyName,value", [(f"file.{name}", "delta") for name in ("users", "enrollments")]),
        "users.csv": sheet("sourcedId,status,role", [("new", "active", "student"), ("s3", "tobedeleted", "student")]),
        "enrollments.csv": sheet(
            header, [("e-new", "active", "c1", "new", "student"), ("e0", "tobedeleted", "c1", "s0", "student")]
        ),
    }  # fmt: skip

    load(home, changes, yes=True)

    members = set(read_team(home.database_url(), "t1").members)
    assert members == {f"s{at}" for at in range(24)} - {"s0", "s3"} | {"new"}
    load(home, changes)
    assert set(read_team(home.database_url(), "t1").members) == members


def test_changes_without_anything_before_them_are_refused(home):
    files = write_oneroster_11(TINY) | {"manifest.csv": sheet("propertyName,value", [("file.users", "delta")])}

    with pytest.raises(InputError, match=r"load the whole roster \(bulk\) once"):
        load(home, files, say(["c1"]))


def test_an_erased_student_is_in_no_stored_list_either(home):
    load(home, write_oneroster_11(TINY), say(["c1"]))

    erase_student(home.database_url(), "s3")

    with Database(home.database_url()) as database, database.reading() as connection:
        rows = connection.execute(SOURCE_ROWS.select()).mappings().all()
    assert len(rows) > 50
    assert not any("s3" in {row["student_id"], row["source_id"], row["record"].get("person")} for row in rows)


def test_what_was_said_once_and_made_by_hand_survives_the_next_load(home):
    more = '[default]\nno_school = ["2026-12-21 to 2027-01-01"]'
    team = b'[teams.t1.staff]\nana = { role = "teacher_leader", max_group = 6 }\n'
    load(home, write_oneroster_11(TINY), say(["c1"], more) + team)
    with Database(home.database_url()) as database, database.changing(alone=True) as connection:
        found = read_roster(write_oneroster_11(TINY), "export", connection, DAY)
        rules = (Rule("x1", "t1", "keep_apart", ("s1", "s2", "s3")), Rule("x2", "t1", "pinned", ("s3",), "ana"))
        save_roster(replace(found.roster, rules=rules), connection, keep=("skills",))
    left = Town(TINY.classes, {name: own for name, own in TINY.students.items() if name != "s3"}, TINY.teachers, {})

    load(home, write_oneroster_11(left))

    team = read_team(home.database_url(), "t1")
    assert team.staff == (Staff("ana", "t1", "teacher_leader", SESSION_TYPES, None, 6),)
    assert team.rules == (Rule("x1", "t1", "keep_apart", ("s1", "s2")),)
    assert (team.name, team.rooms[0].capacity, len(team.blocks)) == ("Orion", 30, 2)
    assert not team.has_school(date(2026, 12, 24))
    assert team.has_school(date(2027, 1, 4))


def test_an_adult_who_teaches_no_class_is_in_the_team_only_if_that_was_said(home, capsys):
    team = '[teams.t1.staff]\nana = { role = "teacher_leader" }\ncoach = { role = "support_staff"%s }\n'
    with pytest.raises(InputError, match="'coach' teaches in no class of the team; write without_class = true"):
        load(home, write_oneroster_11(TINY), say(["c1"]) + (team % "").encode())
    load(home, write_oneroster_11(TINY), say(["c1"]) + (team % ", without_class = true").encode())
    assert [adult.staff_id for adult in read_team(home.database_url(), "t1").staff] == ["ana", "coach"]

    load(home, write_oneroster_11(replace(TINY, teachers={"new": ("c1",)})))

    assert [adult.staff_id for adult in read_team(home.database_url(), "t1").staff] == ["coach", "new"]
    assert "'ana' teaches in no class of the team any more and was left out" in capsys.readouterr().out


def test_subjects_of_stored_skills_may_be_named_and_others_not(home):
    load(home, write_oneroster_11(TINY), say(["c1"]))
    with Database(home.database_url()) as database, database.changing(alone=True) as connection:
        found = read_roster(write_oneroster_11(TINY), "export", connection, DAY)
        save_roster(replace(found.roster, skills=(Skill("k1", subject="Maths"),)), connection)
    taught = '[teams.t1.blocks]\nt1-mon-first = { subjects = ["%s"] }\n'

    load(home, write_oneroster_11(TINY), say(["c1"]) + (taught % "Maths").encode())

    with pytest.raises(InputError, match=r"'Math' is not in skills.csv; did you mean 'Maths'\?"):
        load(home, write_oneroster_11(TINY), say(["c1"]) + (taught % "Math").encode())


def test_many_who_are_gone_need_a_yes(home):
    load(home, write_oneroster_11(TINY), say(["c1"]))
    few = Town(TINY.classes, dict(list(TINY.students.items())[2:]), TINY.teachers, TINY.aides)

    with pytest.raises(InputError, match="2 of the 24 students who are stored are not in this roster"):
        load(home, write_oneroster_11(few))
    assert len(read_team(home.database_url(), "t1").members) == 24

    load(home, write_oneroster_11(few), yes=True)
    assert len(read_team(home.database_url(), "t1").members) == 22


def test_a_preview_asks_what_the_roster_cannot_say_and_its_answers_load(home, capsys, tmp_path):
    asked = tmp_path / "asked.toml"
    home.root.mkdir()
    path = tmp_path / "export.zip"
    path.write_bytes(ARCHIVE)
    with pytest.raises(InputError, match="nobody has said which of its classes make a team"):
        load_roster_command(path, home, as_of=DAY)

    load_roster_command(path, home, policy=asked, preview=True, as_of=DAY)

    shown = capsys.readouterr().out
    assert "was taken for: OneRoster 1.1" in shown
    assert "warning: 1 of 1 teams have no blocks ('north'), so every day would be refused" in shown
    assert f"and load it: python -m features roster {path} --policy {asked}" in shown
    text = asked.read_text(encoding="utf-8")
    assert '# ana = { role = "collaborating_teacher" }  # Class c1' in text
    asked.write_text(text.replace("# first = {", "first = {").replace("# room-1", "room-1"), encoding="utf-8")
    load_roster_command(path, home, policy=asked, as_of=DAY)
    team = read_team(home.database_url(), "north")
    assert (len(team.members), len(team.staff), len(team.blocks), len(team.rooms)) == (24, 2, 5, 1)

    load_roster_command(path, home, preview=True, as_of=DAY)

    again = capsys.readouterr().out
    assert "every day would be refused" not in again
    assert "more students than their rooms hold" not in again
    assert 'first = { days = ["mon", "tue", "wed", "thu", "fri"], start = "08:30", end = "09:15" }' in again


def test_a_preview_says_which_teams_no_rooms_can_hold(home, capsys):
    rooms = "[teams.t1.rooms]\na = { capacity = 12 }\nb = { capacity = %d }\nc = { capacity = 3 }\n"
    for capacity, told in ((11, True), (12, False)):
        load(
            home,
            write_oneroster_11(TINY),
            say(["c1", "c2"]).replace(b"[teams.t1.rooms]\nr1 = { capacity = 30 }\n", (rooms % capacity).encode()),
            preview=True,
        )
        shown = capsys.readouterr().out.replace("\n", " ")
        assert ("more students than their rooms hold, one for each adult ('t1': " in shown) is told


def test_whoever_has_no_place_is_counted_with_the_reason(home):
    files = write_oneroster_11(TINY)
    header, *rows = files["enrollments.csv"].decode().splitlines()
    more = [
        "x1,active,nowhere,s1,student,,", "x2,active,c1,nobody,student,,", "x3,active,c1,ana,student,,",
        "x4,active,c1,s1,teacher,,", "x5,active,c1,s1,student,2025-08-25,2026-06-05", "x6,active,c1,ana,nurse,,",
        "x7,tobedeleted,c1,s2,student,,",
    ]  # fmt: skip
    files["enrollments.csv"] = "\n".join([header, *rows, *more]).encode()

    warnings = "\n".join(read_roster(files, "export", None, DAY, say(["c1"])).roster.warnings)

    first = len(rows) + 2
    for at, why in enumerate(
        ("a class that classes.csv", "somebody whom users.csv", "role 'student', which users.csv")
    ):
        assert f"enrollments.csv: 1 of {len(rows) + 6} (line {first + at}) " in warnings
        assert why in warnings
    assert "ended before 2026-09-07" in warnings
    assert "have the role 'nurse'" in warnings


@pytest.mark.parametrize(("end_date", "there"), [("", False), ("exclusive", False), ("inclusive", True)])
def test_who_leaves_today_is_there_today_only_if_the_hub_means_the_last_day(end_date, there):
    """OneRoster says of `endDate` that it is exclusive."""
    town = replace(TINY, students=TINY.students | {"leaver": {"c1": (date(2026, 8, 24), DAY)}})
    town = replace(town, students=town.students | {"never": {"c1": (date(2026, 8, 24), date(2026, 8, 24))}})
    more = f'[default]\nend_date = "{end_date}"' if end_date else ""

    roster = read_roster(write_oneroster_12(town), "export", None, DAY, say(["c1"], more)).roster

    assert ("leaver" in {member.student_id for member in roster.members}) is there
    assert "never" not in {member.student_id for member in roster.members}
    assert any("end on the day on which they begin" in warning for warning in roster.warnings) is not there


def test_another_id_may_be_the_one_that_events_carry():
    more = '[default]\nstudent_id = "username"'

    found = read_roster(write_oneroster_11(TINY), "export", None, DAY, say(["c1"], more))

    assert {member.student_id for member in found.roster.members} == {f"user-s{at}" for at in range(24)}


def real_samples() -> Path:
    folder = os.environ.get("REGROUP_DATA")
    path = Path(folder or "/nowhere") / "formats" / "oneroster"
    if not path.is_dir():
        pytest.skip("REGROUP_DATA names no folder with formats/oneroster, whose samples may not be in the repository")
    return path


@pytest.mark.parametrize(
    ("name", "shape", "day", "classes"),
    [
        ("v1p1_full_dataset.zip", "OneRoster 1.1", date(2022, 4, 1), ["cls-222-123456"]),
        ("v1p2_full_dataset.zip", "OneRoster 1.2", date(2022, 4, 1), ["cls-222-123456"]),
        ("microsoft_sds_v2p1", "Microsoft School Data Sync 2.1", date(2021, 10, 1), ["112002"]),
    ],
)
def test_public_samples_are_read(name, shape, day, classes):
    found = read_roster(read_files(real_samples() / name), name, None, day, say(classes))

    assert found.shape == shape
    members, staff = {
        "cls-222-123456": (["usr-222-1234561232"], ["usr-222-123456"]),
        "112002": (["114001", "114003", "114004"], ["114007"]),
    }[classes[0]]
    assert [member.student_id for member in found.roster.members] == members
    assert [adult.staff_id for adult in found.roster.staff] == staff


def test_a_class_list_and_roster_sheets_are_read_from_a_spreadsheet(tmp_path, write_sheets):
    rows = [["Student", "Class", "From", "Room"], [1001, "4A", date(2026, 1, 5), "x"], ["007", "4A", None, "y"]]
    titled = {"Notes": [["Printed in May"]], "May": [["Class list of North"], [], *rows]}
    listed = read_files(write_sheets(tmp_path / "list.bin", titled))
    whole = read_files(write_sheets(tmp_path / "roster.xlsx", {"Teams": [["team_id"], ["t"]], "members": [["x"]]}))

    found = read_roster(listed, "list", None, DAY, say(["4A"]))

    assert found.shape == "class list"
    assert {(each.student_id, each.from_date) for each in found.roster.members} == {
        ("1001", date(2026, 1, 5)),
        ("007", None),
    }
    assert sorted(whole) == ["members.csv", "teams.csv"]
