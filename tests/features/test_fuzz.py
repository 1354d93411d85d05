"""What no program wrote: mutated statements, events, rows and rosters are read, or refused in a sentence, never half.

The same at length: `python -m pytest -m long tests/features/test_fuzz.py tests/serving/intake/test_standards.py`.
"""

import json
import random
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from features.database import Database
from features.errors import InputError, RegroupError
from features.events.checks import check_rows
from features.events.ingest import ingest_file
from features.events.log.store import has_events, read_events
from features.home import Home
from features.logs import open_log
from features.roster.loading import read_roster
from tests.features.logs.test_standards_as_files import grade, statement
from tests.features.roster.exports.test_case import OWN_SKILLS
from tests.features.roster.exports.test_exports import SHAPES, TINY, say

NOW = datetime(2026, 11, 29, tzinfo=UTC)
ODD = [
    *(None, True, 0, -1, 1.5, 2**70, -(2**70), 1e308, float("nan"), float("inf"), [], {}),
    *("", " ", "\ud800", "\0", "a\x1fb"),
    *([[]], [None], {"id": None}, {"": {"": []}}, "9" * 400, "x" * 5000, "P1Y", "PT1E9S", "2026-13-45T99:99:99Z"),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "http://", "mailto:", "é" * 300, "voided", "x/voided"),
]  # fmt: skip
"""Values that a field may hold in place of its own."""

TRACKED = {
    "name": "problem_check",
    "event_type": "problem_check",
    "event_source": "server",
    "username": "p-ada",
    "context": {"user_id": 7, "course_id": "course-v1:x"},
    "event": {"problem_id": "b1", "attempts": 1, "correct_map": {"b1_2_1": {"correctness": "correct"}}},
    "time": "2026-03-05T09:05:01.25+00:00",
}
MAKE = {"xapi": statement, "caliper": grade, "openedx": lambda number: TRACKED | {"username": f"p{number}"}}


def mutate(chance, value):
    """The value with one to three of its parts replaced, doubled under another name, or left out."""
    value = json.loads(json.dumps(value))
    for _ in range(chance.randint(1, 3)):
        places = list(walk(value))
        holder, key = chance.choice(places)
        what = chance.random()
        if what < 0.6:
            holder[key] = chance.choice(ODD)
        elif what < 0.8 and isinstance(holder, dict):
            del holder[key]
        else:
            other, at = chance.choice(places)
            holder[key] = json.loads(json.dumps(other.get(at) if isinstance(other, dict) else other))
        if not isinstance(value, dict) or not value:
            return value
    return value


def walk(value):
    for key, part in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(part, dict | list):
            yield from walk(part)


def garble(chance, content: bytes) -> bytes:
    """The bytes with a few places cut out, doubled, or overwritten by what means something in a file."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at, size = chance.randrange(len(data) + 1), chance.randint(1, 12)
        what = chance.choice([b"", b'"', b"\n", b"\r", b",", b";", b"\0", b"\xff", b"\xef\xbb\xbf", b"9" * 30, None])
        data[at : at + size] = bytes(data[at : at + size]) * 3 if what is None else what
    return bytes(data)


def ingest(home: Home, path: Path, **how) -> int:
    """Ingests a file whose rows are all accounted for; how many events were added, none where it is refused."""
    before = len(read_events(home)) if has_events(home) else 0
    try:
        counts = ingest_file(home, path, max_rejected=1.0, now=NOW, **how)
    except RegroupError:
        assert (len(read_events(home)) if has_events(home) else 0) == before
        return 0
    added = counts.events_stored + counts.activities
    told = added + counts.events_known + counts.rows_merged
    assert told + sum(counts.unused.values()) + sum(counts.rejected.values()) == counts.rows_read
    assert len(read_events(home)) == before + added
    return added


@pytest.mark.parametrize("count", [150, pytest.param(9_000, marks=pytest.mark.long)])
def test_mutated_statements_and_events_are_all_accounted_for(tmp_path, count):
    chance, home = random.Random(7), Home(tmp_path / "home")
    for standard, make in MAKE.items():
        documents = [mutate(chance, make(number)) if number % 3 else make(number) for number in range(count // 3)]
        path = tmp_path / f"{standard}.json"
        path.write_text("\n".join(map(json.dumps, documents)))
        rows = sum(len(chunk) for chunk in open_log(path, form=standard).chunks())
        assert rows >= len(documents) if standard == "openedx" else rows == len(documents)

        assert ingest(home, path, form=standard) >= len(documents) // 3


@pytest.mark.parametrize("count", [60, pytest.param(3_000, marks=pytest.mark.long)])
def test_garbled_logs_are_read_or_refused_in_a_sentence(tmp_path, count):
    chance, home, mapping, path = random.Random(11), Home(tmp_path / "home"), tmp_path / "log.toml", tmp_path / "log"
    mapping.write_text(
        '[columns]\nstudent = "who"\ntime = "when"\ncorrect = "right"\nitem = "what"\nskills = "skill"\n'
        'attempt = "try"\nduration_s = "took"\n'
    )
    lines = [f's{n},2026-03-0{n}T10:00:00Z,{n % 2},"i,{n}",k{n},{n},{n}.5' for n in range(1, 9)]
    table = "\n".join(["who,when,right,what,skill,try,took", *lines]).encode()
    contents = [table, *("\n".join(json.dumps(make(number)) for number in range(4)).encode() for make in MAKE.values())]
    for number in range(count):
        content = contents[number % len(contents)]
        path.write_bytes(garble(chance, content))
        how = {"mapping": mapping} if content is table else {}
        if number % 30 == 0:
            ingest(home, path, **how)
            continue
        try:
            log = open_log(path, **how)
            for raw in log.chunks():
                checked = check_rows(raw, log.source, NOW)
                assert len(checked.events) + len(checked.rejected) + sum(checked.unused.values()) == len(raw)
        except InputError:
            continue  # in a sentence


@pytest.mark.parametrize("count", [60, pytest.param(3_000, marks=pytest.mark.long)])
def test_garbled_rosters_are_read_or_refused_in_a_sentence(tmp_path, count):
    chance = random.Random(13)
    shapes = [write(TINY) | beside for write in SHAPES.values() for beside in ({}, OWN_SKILLS)]
    with Database(f"sqlite:///{tmp_path / 'regroup.db'}") as database:
        database.migrate()
        for number in range(count):
            files = shapes[number % len(shapes)]
            name = chance.choice(sorted(files))
            garbled = files | {name: garble(chance, files[name])}
            try:
                with database.reading() as connection:
                    read_roster(garbled, "export", connection, date(2026, 9, 7), say(["c1"]))
            except InputError:
                continue  # in a sentence
