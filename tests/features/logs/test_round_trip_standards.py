"""Answers are read back from xAPI statements, Caliper events and sheets in whatever way a product writes them."""

import csv
import tempfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import strategies as st

from features.events.ingest import ingest_file
from features.home import Home
from features.logs import open_log
from features.logs.rows import SKILL_MARK
from tests.examples import holds_for
from tests.features.logs.test_standards_as_files import SHAPES, VERBS
from tests.features.logs.ways_to_write import or_none, some

MOMENTS = st.datetimes(datetime(2001, 1, 1), datetime(2026, 10, 1))  # noqa: DTZ001 - an offset is drawn
OFFSETS = [timedelta(0), timedelta(hours=-6), timedelta(hours=5, minutes=30)]

answers = st.fixed_dictionaries(
    {
        "student": some(["p-ada", "zoë", "1001", "mia@school.example"]),
        "actor": some(["account", "mbox", "openid"]),
        "item": some(["https://lms.example/q/1", "urn:q:2", "Half of 8"]),
        "skills": st.lists(some(["4.NF.B.4", "https://case.example/add", "x, y"]), max_size=3, unique=True),
        "place": some(["parent", "grouping", "category", "other"]),
        "alone": st.booleans(),
        "success": st.none() | st.booleans(),
        "score": st.none() | st.integers(0, 8),
        "scale": some(["scaled", "raw of max", "raw from min", "text"]),
        "attempt": st.none() | st.integers(1, 20),
        "numbered": some(["definition", "context", "result"]),
        "seconds": st.none() | st.integers(0, 3000),
        "clock": st.booleans(),
        "verb": some(["answered", "attempted", "passed", "evaluated", "scored"]),
        "at": MOMENTS,
        "offset": some(OFFSETS),
        "noise": st.booleans(),
    }
).filter(lambda answer: answer["success"] is not None or answer["score"] is not None)


def write_moment(answer: dict) -> str:
    return answer["at"].replace(tzinfo=timezone(answer["offset"])).isoformat().replace("+00:00", "Z")


def write_duration(answer: dict) -> str:
    minutes, seconds = divmod(answer["seconds"], 60)
    return f"PT{minutes}M{seconds}S" if answer["clock"] else f"P0Y0M0DT0H0M{answer['seconds']},0S"


def to_statement(number: int, answer: dict) -> dict:
    eighth = answer["score"]
    scores = {
        "scaled": lambda: {"scaled": eighth / 8},
        "raw of max": lambda: {"raw": eighth, "max": 8},
        "raw from min": lambda: {"raw": eighth + 2, "min": 2, "max": 10},
        "text": lambda: {"raw": str(eighth), "max": "8.0"},
    }
    actors = {
        "account": {"account": {"homePage": "https://lms.example", "name": answer["student"]}},
        "mbox": {"mbox": f"mailto:{answer['student']}"},
        "openid": {"openid": answer["student"]},
    }
    result = {} if answer["success"] is None else {"success": answer["success"]}
    result |= {} if eighth is None else {"score": scores[answer["scale"]]()}
    result |= {} if answer["seconds"] is None else {"duration": write_duration(answer)}
    objectives = [{"id": skill, "definition": {"type": "http://x.example/objective"}} for skill in answer["skills"]]
    written = objectives[0] if answer["alone"] and len(objectives) == 1 else objectives
    item: dict = {"id": answer["item"], "definition": {"type": "http://x.example/question"}}
    context: dict = {"contextActivities": {answer["place"]: written}} if objectives else {}
    if answer["attempt"] is not None:
        extensions = {"http://id.tincanapi.com/extension/attempt-id": answer["attempt"]}
        {"definition": item["definition"], "context": context, "result": result}[answer["numbered"]]["extensions"] = (
            extensions
        )
    statement = {
        "id": f"6f0c0000-0000-4000-8000-{number:012}",
        "actor": actors[answer["actor"]],
        "verb": {"id": VERBS + answer["verb"]},
        "object": item,
        "result": result,
        "timestamp": write_moment(answer),
    }
    statement |= {"context": context} if context else {}
    if answer["noise"]:  # what the standard allows, and what is of none of its types
        statement |= {"authority": {"name": "x"}, "attachments": [], "version": "1.0.3"}
        statement["verb"]["display"] = "answered"
        statement["object"]["definition"]["description"] = {"en": "Half of 8?"}
        statement["actor"] |= {"objectType": "Agent", "name": None}
    return statement


@holds_for(
    5, 300, given=st.lists(answers, min_size=1, max_size=5), shape=some(sorted(set(SHAPES) - {"Caliper envelope"}))
)
def test_answers_in_statements_are_read_back(given, shape):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.json"
        path.write_text(SHAPES[shape]([to_statement(number, answer) for number, answer in enumerate(given)]))

        rows = pd.concat(open_log(path).chunks(), ignore_index=True)

    shares = [None if answer["score"] is None else answer["score"] / 8 for answer in given]
    assert (rows["rejected"].isna() & rows["unused"].isna()).all()
    assert set(rows["kind"]) == {"response"}
    assert rows["student_id"].tolist() == [answer["student"] for answer in given]
    assert rows["item_id"].tolist() == [answer["item"] for answer in given]
    assert rows["occurred_at"].tolist() == [
        pd.Timestamp(answer["at"].replace(tzinfo=timezone(answer["offset"])).astimezone(UTC)) for answer in given
    ]
    told = zip(given, shares, strict=True)
    assert rows["score"].tolist() == [float(answer["success"]) if share is None else share for answer, share in told]
    assert rows["correct"].tolist() == [
        share == 1 if answer["success"] is None else answer["success"]
        for answer, share in zip(given, shares, strict=True)
    ]
    assert or_none(rows["attempt"]) == [answer["attempt"] for answer in given]
    assert or_none(rows["duration_s"]) == [answer["seconds"] for answer in given]
    assert [sorted(text.split(SKILL_MARK)) if text else [] for text in or_none(rows["skills"])] == [
        sorted(answer["skills"]) for answer in given
    ]


def to_grade(number: int, answer: dict) -> dict:
    def entity(address: str) -> object:
        return {"id": address, "type": "Entity"} if answer["noise"] else address

    most = {"maxScore": 8}
    objectives = [entity(skill) for skill in answer["skills"]]
    item: dict = {"id": answer["item"], "learningObjectives": objectives}
    score = {"scoreGiven": str(answer["score"]) if answer["scale"] == "text" else answer["score"]}
    (item if answer["alone"] else score).update(most)
    attempt = {"assignee": entity(answer["student"]), "assignable": item, "count": answer["attempt"]}
    attempt |= {} if answer["seconds"] is None else {"duration": write_duration(answer)}
    moment, later = write_moment(answer), "2026-11-01T00:00:00.000Z"
    attempt |= {"endedAtTime": moment} if answer["clock"] else {}
    return {
        "id": f"urn:uuid:{number}",
        "type": "GradeEvent" if answer["noise"] else "http://purl.imsglobal.org/caliper/GradeEvent",
        "action": "Graded",
        "actor": "https://lms.example/grader",
        "object": attempt,
        "generated": score,
        "eventTime": later if answer["clock"] else moment,
    }


@holds_for(
    5,
    300,
    given=st.lists(answers.filter(lambda answer: answer["score"] is not None), min_size=1, max_size=5),
    shape=some(["lines", "array", "pretty array", "Caliper envelope"]),
)
def test_grades_in_caliper_events_are_read_back(given, shape):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.json"
        path.write_text(SHAPES[shape]([to_grade(number, answer) for number, answer in enumerate(given)]))

        rows = pd.concat(open_log(path).chunks(), ignore_index=True)

    assert (rows["rejected"].isna() & rows["unused"].isna()).all()
    assert rows["student_id"].tolist() == [answer["student"] for answer in given]
    assert rows["item_id"].tolist() == [answer["item"] for answer in given]
    assert rows["score"].tolist() == [answer["score"] / 8 for answer in given]
    assert rows["occurred_at"].tolist() == [pd.Timestamp(write_moment(answer)).tz_convert("UTC") for answer in given]
    assert or_none(rows["attempt"]) == [answer["attempt"] for answer in given]
    assert or_none(rows["duration_s"]) == [answer["seconds"] for answer in given]
    assert [sorted(text.split(SKILL_MARK)) if text else [] for text in or_none(rows["skills"])] == [
        sorted(answer["skills"]) for answer in given
    ]


HEADINGS = {"forms": "{} [Score]", "moodle": "{} /{}.00", "points": "{} ({} points)", "told": "{}"}
CELLS = {"forms": "{}.00 / {}", "moodle": "{}.00", "points": "{}", "told": "{}"}


@holds_for(
    5,
    300,
    style=some(sorted(HEADINGS)),
    most=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    sheet=st.lists(st.lists(st.none() | st.integers(0, 9), min_size=4, max_size=4), min_size=1, max_size=4),
    mark=some([",", ";", "\t"]),
)
def test_answers_of_a_sheet_with_a_row_per_student_are_read_back(style, most, sheet, mark):
    names = [f"Question {number}" for number in range(len(most))]
    headings = [HEADINGS[style].format(name, points) for name, points in zip(names, most, strict=True)]
    points = [
        [None if cell is None else min(cell, full) for cell, full in zip(row, most, strict=False)] for row in sheet
    ]
    lines = [["Username", "Timestamp", *headings]]
    for student, row in enumerate(points):
        written = [
            "" if cell is None else CELLS[style].format(cell, full) for cell, full in zip(row, most, strict=True)
        ]
        lines.append([f"s{student}", f"2026-03-0{student + 1}T10:00:00Z", *written])
    told = "".join(
        f'"{heading}" = {{ skill = "k{at}"{f", max_score = {most[at]}" if style == "told" else ""} }}\n'
        for at, heading in enumerate(headings)
    )
    with tempfile.TemporaryDirectory() as folder:
        path, mapping = Path(folder) / "sheet.csv", Path(folder) / "sheet.toml"
        with path.open("w", newline="") as file:
            csv.writer(file, delimiter=mark).writerows(lines)
        columns = '[columns]\nstudent = "Username"\ntime = "Timestamp"\n[correct]\nform = "score"\npass_mark = 0.6\n'
        mapping.write_text(columns + f"[questions]\n{told}")

        rows = pd.concat(open_log(path, mapping=mapping).chunks(), ignore_index=True)

    expected = {
        (f"s{student}", name): None if row[at] is None else row[at] / most[at]
        for at, name in enumerate(names)
        for student, row in enumerate(points)
    }
    read = {(row.student_id, row.item_id): row for row in rows.itertuples()}
    assert read.keys() == expected.keys()
    for key, share in expected.items():
        if share is None:
            assert read[key].unused == "not_answered"
        else:
            assert read[key].score == pytest.approx(share)
            assert (read[key].correct, pd.isna(read[key].unused)) == (share >= 0.6, True)
        assert read[key].skills == f"k{key[1].removeprefix('Question ')}"


lines = st.fixed_dictionaries(
    {
        "who": some(["a", "b", "c", ""]),
        "what": some(["i", "j", ""]),
        "at": some(["2026-03-05T10:00:00Z", "2026-03-05T10:01:00Z", "soon", ""]),
        "right": some(["1", "0", "7", ""]),
        "skill": some(["add", "carry", ""]),
        "type": some(["response", "response", "video", "dance"]),
        "id": some(["1", "2", "3", ""]),
    }
)
MAPPING = '[columns]\nstudent = "who"\nitem = "what"\ntime = "at"\ncorrect = "right"\nskills = "skill"\nkind = "type"\n'


@holds_for(3, 60, rows=st.lists(lines, min_size=1, max_size=12), keyed=st.booleans(), cut=st.booleans())
def test_every_row_of_a_file_is_counted_once_and_again_adds_nothing(rows, keyed, cut):
    good = {"who": "z", "what": "i", "at": "2026-03-05T10:00:00Z", "right": "1", "skill": "add", "id": "0"}
    rows = [*rows, good | {"type": "response"}]
    with tempfile.TemporaryDirectory() as folder:
        path, mapping = Path(folder) / "log.csv", Path(folder) / "log.toml"
        text = "\n".join(",".join(row) for row in [list(rows[0]), *([row[name] for name in rows[0]] for row in rows)])
        path.write_text(text + ("\nz,i" if cut else "") + "\n")
        mapping.write_text(MAPPING + ('event_id = "id"\n' if keyed else ""))
        home = Home(Path(folder) / "home")

        first, again = (ingest_file(home, path, mapping=mapping, max_rejected=1.0) for _ in range(2))

    for counts in (first, again):
        told = counts.events_stored + counts.events_known + counts.rows_merged + counts.activities + counts.evidence
        assert told + sum(counts.unused.values()) + sum(counts.rejected.values()) == counts.rows_read == len(rows) + cut
    assert (again.events_stored, again.activities) == (0, 0)
    assert first.events_stored >= 1
