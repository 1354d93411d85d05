"""Standards of 1EdTech CASE: written by a generator as JSON and as CSV, and read back as skills and prerequisites."""

import csv
import io
import json

import pytest
from hypothesis import strategies as st

from features.database import Database
from features.errors import InputError
from features.home import Home
from features.roster import (
    Focus,
    Roster,
    SkillMap,
    TeamName,
    load_roster_command,
    read_roster_files,
    read_team,
    save_roster,
)
from features.roster.exports.case import read_case
from features.roster.files.sheets import Findings
from features.roster.queries import read_stored_skills
from tests.examples import holds_for
from tests.features.roster.exports.test_exports import SHAPES, TINY, pack, say

CODES = st.text("4.NFabK", min_size=1, max_size=8).map(str.strip).filter(bool)

BLOCK_SKILLS = '[teams.t1.blocks]\nt1-mon-first = { skills = ["4.NF.A.2"] }\n'


def item(code: str, statement: str, kind: str = "Standard", **more):
    known = {"identifier": f"id-{code}", "uri": f"https://case.example/CFItems/id-{code}", "CFItemType": kind}
    return known | {"humanCodingScheme": code, "fullStatement": statement} | more


def link(kind: str, origin: str, destination: str):
    ends = {"originNodeURI": origin, "destinationNodeURI": destination}
    uris = {
        end: {"identifier": f"id-{code}", "uri": f"https://case.example/CFItems/id-{code}", "title": code}
        for end, code in ends.items()
    }
    return {"identifier": f"{kind}-{origin}-{destination}", "associationType": kind, **uris}


def package(items, links, subject: str = "Mathematics") -> bytes:
    document = {"identifier": "d1", "title": "Standards", "subject": [subject]}
    return json.dumps({"CFDocument": document, "CFItems": items, "CFAssociations": links}).encode()


NUMBERS = package(
    [
        item("4.NF", "Number & Operations—Fractions", "Domain", educationLevel=["04"]),
        item("4.NF.A", "Extend understanding of equivalence", "Cluster"),
        item("4.NF.A.1", "Explain why a fraction a/b is equivalent to (na)/(nb)\nby using visual models " + "x" * 99),
        item("4.NF.A.2", "Compare two fractions", abbreviatedStatement="Compare fractions", subject=["Maths"]),
        item("5.NF.A.1", "Add fractions", educationLevel=["05", "06"]),
    ],
    [
        link("isChildOf", "4.NF.A", "4.NF"),
        link("isChildOf", "4.NF.A.1", "4.NF.A"),
        link("isChildOf", "4.NF.A.2", "4.NF.A"),
        link("precedes", "4.NF.A.1", "4.NF.A.2"),
        link("ext:isPrerequisiteOf", "4.NF.A.1", "5.NF.A.1"),
        link("ext:requires", "5.NF.A.1", "4.NF.A.2"),
        link("isPeerOf", "4.NF.A.1", "4.NF.A.2"),
        link("precedes", "4.NF.A", "5.NF.A.1"),
        link("precedes", "3.NF.1", "4.NF.A.1"),
    ],
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.delenv("REGROUP_DATABASE_URL", raising=False)
    return Home(tmp_path / "var")


def write(tmp_path, name: str, data: bytes):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def read_stored(home: Home) -> SkillMap:
    with Database(home.database_url()) as database, database.changing() as connection:
        return read_stored_skills(connection)


def test_standards_become_skills_with_names_grades_and_prerequisites(home, tmp_path, capsys):
    load_roster_command(write(tmp_path, "numbers.json", NUMBERS), home)

    found = read_stored(home)
    assert set(found.skills) == {"4.NF.A.1", "4.NF.A.2", "5.NF.A.1"}
    assert found.requires == {"4.NF.A.2": ("4.NF.A.1",), "5.NF.A.1": ("4.NF.A.1", "4.NF.A.2")}
    compare = found.skills["4.NF.A.2"]
    assert (compare.name, compare.grade, compare.subject) == ("4.NF.A.2 Compare fractions", "4", "Maths")
    assert (found.skills["5.NF.A.1"].grade, found.skills["5.NF.A.1"].subject) == ("5-6", "Mathematics")
    name = found.skills["4.NF.A.1"].name or ""
    assert name.startswith("4.NF.A.1 Explain why a fraction a/b is equivalent to (na)/(nb) by using visual")
    assert name.endswith(" …")
    shown = " ".join(capsys.readouterr().out.split())
    assert "2 headings (1 Domain, 1 Cluster) are no skills" in shown
    assert "1 prerequisites of headings were left out" in shown
    assert "1 prerequisites of other files were left out" in shown


def test_only_skills_change_and_what_the_roster_names_has_to_be_there(home, tmp_path):
    files = {"skills.csv": "skill_id,name\n4.NF.A.2,Old\n", "prerequisites.csv": "skill_id,requires_skill_id\n"}
    folder = tmp_path / "alone"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    load_roster_command(folder, home)
    roster = Roster((TeamName("t1", "North"),), (), (), (), (), skills=(), focus=(Focus("t1", "4.NF.A.2", 1.0),))
    with Database(home.database_url()) as database:
        save_roster(roster, database, keep=("skills", "prerequisites"))
    path = write(tmp_path, "numbers.json", NUMBERS)

    load_roster_command(path, home, preview=True)
    assert read_stored(home).skills["4.NF.A.2"].name == "Old"
    with pytest.raises(InputError, match=r"focus.csv, skill_id: '4.NF.A.2' is not in skills.csv"):
        load_roster_command(path, home, skill_id="identifier")
    assert set(read_stored(home).skills) == {"4.NF.A.2"}
    load_roster_command(path, home)

    assert len(read_stored(home).skills) == 3


OWN_SKILLS = {
    "Skills.csv": b"skill_id,name,subject\n4.NF.A.1,Equivalence,Maths\n4.NF.A.2,Compare,Maths\n",
    "prerequisites.csv": b"skill_id,requires_skill_id\n4.NF.A.2,4.NF.A.1\n",
}


@pytest.mark.parametrize("shape", ["OneRoster 1.1", "Microsoft School Data Sync 1", "class list"])
@pytest.mark.parametrize("skills", [OWN_SKILLS, {"standards.json": NUMBERS}], ids=["own", "CASE"])
def test_skills_beside_a_roster_of_another_system_are_loaded_with_it_and_stay(home, tmp_path, capsys, shape, skills):
    path, roster = tmp_path / "export.zip", SHAPES[shape](TINY)
    path.write_bytes(pack({**roster, **skills, "policy.toml": say(["c1"], BLOCK_SKILLS)}))
    load_roster_command(path, home, preview=True)
    shown = capsys.readouterr().out
    assert f"was taken for: {shape}" in shown
    assert "skill 4.NF.A.1: " in shown
    assert "not read" not in shown

    load_roster_command(path, home)
    found = read_stored(home)
    assert {"4.NF.A.1", "4.NF.A.2"} <= set(found.skills)
    assert found.requires["4.NF.A.2"] == ("4.NF.A.1",)
    path.write_bytes(pack(roster))
    load_roster_command(path, home)
    assert read_stored(home) == found

    path.write_bytes(pack({**roster, "skills.csv": b"skill_id,name\n4.NF.A.1,New\n"}))
    with pytest.raises(InputError, match=r"blocks.t1-mon-first.skills: '4.NF.A.2' is not in skills.csv"):
        load_roster_command(path, home)
    (tmp_path / "skills.csv").write_text("skill_id,name\n4.NF.A.1,New\n")
    with pytest.raises(InputError, match=r"blocks.t1-mon-first.skills: '4.NF.A.2' is not in skills.csv"):
        load_roster_command(tmp_path / "skills.csv", home)
    assert read_stored(home) == found


def test_which_id_of_a_standard_is_that_of_its_skill_is_said_once(home, tmp_path):
    path, export = write(tmp_path, "standards.json", NUMBERS), tmp_path / "export.zip"
    by_field = {
        "humanCodingScheme": {"4.NF.A.1", "4.NF.A.2", "5.NF.A.1"},
        "identifier": {"id-4.NF.A.1", "id-4.NF.A.2", "id-5.NF.A.1"},
    }

    load_roster_command(path, home, skill_id="identifier")
    load_roster_command(path, home)
    assert set(read_stored(home).skills) == by_field["identifier"]

    export.write_bytes(pack({**SHAPES["class list"](TINY), path.name: NUMBERS, "policy.toml": say(["c1"])}))
    load_roster_command(export, home)
    assert set(read_stored(home).skills) == by_field["identifier"]

    said = write(tmp_path, "policy.toml", b'[default]\nskill_id = "humanCodingScheme"\n')
    load_roster_command(path, home, policy=said)
    load_roster_command(path, home)
    assert set(read_stored(home).skills) == by_field["humanCodingScheme"]
    assert len(read_team(home.database_url(), "t1").members) == 24

    said.write_text('[default]\nregroup = "weekly"\n')
    with pytest.raises(InputError, match=r"policy.toml: says more than skill_id below \[default\]"):
        load_roster_command(path, home, policy=said)


def test_a_folder_without_a_policy_remembers_it_too(home, tmp_path, school):
    write(school, "numbers.json", NUMBERS)
    load_roster_command(school, home, skill_id="identifier")

    load_roster_command(school, home)

    assert set(read_stored(home).skills) == {"id-4.NF.A.1", "id-4.NF.A.2", "id-5.NF.A.1"}


def test_a_package_may_stand_for_the_skills_of_a_folder(tmp_path, school):
    (school / "skills.csv").unlink(missing_ok=True)
    (school / "prerequisites.csv").unlink(missing_ok=True)
    write(school, "numbers.json", NUMBERS)

    assert {skill.skill_id for skill in read_roster_files(school).skills} == {"4.NF.A.1", "4.NF.A.2", "5.NF.A.1"}


@pytest.fixture
def school(tmp_path):
    folder = tmp_path / "roster"
    folder.mkdir()
    headers = {
        "teams": "team_id,school", "members": "team_id,student_id", "staff": "staff_id,team_id,role",
        "rooms": "room_id,team_id,capacity", "blocks": "block_id,team_id,weekday,start,end",
    }  # fmt: skip
    for name, header in headers.items():
        (folder / f"{name}.csv").write_text(header + "\n", encoding="utf-8")
    return folder


@holds_for(
    20,
    1000,
    st.lists(CODES, min_size=1, max_size=8, unique=True),
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=8),
    st.sampled_from(["json", "wrapped", "csv"]),
)
def test_what_is_written_in_any_shape_is_read_back_the_same(codes, pairs, shape):
    pairs = {(codes[a % len(codes)], codes[b % len(codes)]) for a, b in pairs} - {(code, code) for code in codes}
    items = [item(code, f"Can do {code}") for code in codes]
    links = [link("precedes", first, then) for first, then in sorted(pairs)]
    if shape == "csv":
        files = {"items.csv": sheet(items), "links.csv": sheet(links)}
    else:
        data = package(items, links)
        files = {"a.json": json.dumps({"CFPackage": json.loads(data)}).encode() if shape == "wrapped" else data}
    findings = Findings()

    skills, prerequisites = read_case(files, findings)

    assert not findings.problems
    assert {row.record.skill_id: row.record.name for row in skills} == {code: f"{code} Can do {code}" for code in codes}
    assert {(row.record.requires_skill_id, row.record.skill_id) for row in prerequisites} == pairs


def sheet(rows) -> bytes:
    """As spreadsheets of standards have it: titles of columns, ends of associations by code and by URI."""
    if not rows:
        return b"identifier,Association Type,Origin Node Identifier\n"
    titles = {"fullStatement": "Full Statement", "humanCodingScheme": "Human Coding Scheme"}
    plain = [
        {
            titles.get(key, key): value["uri" if key == "originNodeURI" else "title"]
            if isinstance(value, dict)
            else value
            for key, value in row.items()
        }
        for row in rows
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, plain[0])
    writer.writeheader()
    writer.writerows(plain)
    return text.getvalue().encode("utf-8-sig")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "is not JSON"),
        (b'{"CFDocument": {}}', "is no CASE package; one has CFDocument, CFItems and CFAssociations"),
        (package([{"fullStatement": "x"}], []), r"CFItems\[0\].identifier: is blank"),
        (package([item("a;b", "x")], []), r"CFItems\[0\].humanCodingScheme: has a semicolon"),
        (package([item("a", "x"), item("a", "y", identifier="other")], []), "'a' is of two standards"),
        (
            package([item("a", "x"), item("b", "y")], [link("precedes", "a", "b"), link("precedes", "b", "a")]),
            "require",
        ),
        (package([], []), "has neither skills nor prerequisites"),
    ],
)
def test_a_broken_package_is_refused_in_a_sentence_and_changes_nothing(home, tmp_path, data, message):
    with pytest.raises(InputError, match=message):
        load_roster_command(write(tmp_path, "x.json", data), home)

    assert not read_stored(home).skills


@holds_for(30, 2000, st.data())
def test_mutated_packages_are_read_or_refused(data):
    content = bytearray(NUMBERS)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.sampled_from([b"", b"null", b"[", b"{}", b'"', b"5"])
        )

    read_case({"a.json": bytes(content)}, Findings())
