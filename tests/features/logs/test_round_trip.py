"""What was answered is read back whatever a table looks like: values and shapes are drawn, written, and compared.

At length: `python -m pytest -m long tests/features/logs -k round_trip`.
"""

import json
import tempfile
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import strategies as st

from features.logs import open_log
from features.logs.rows import SKILL_MARK
from tests.examples import holds_for
from tests.features.logs.ways_to_write import (
    ENCODINGS,
    NULLS,
    SECONDS,
    containers,
    cut,
    durations,
    in_utc,
    names_in,
    or_none,
    outcomes,
    put,
    some,
    times,
)


def write_toml(tables: dict[str, dict[str, object]]) -> str:
    def value(of: object) -> str:
        return of.isoformat() if isinstance(of, datetime) else json.dumps(of, ensure_ascii=False)

    return "\n".join(
        f"[{name}]\n" + "".join(f"{json.dumps(key, ensure_ascii=False)} = {value(of)}\n" for key, of in table.items())
        for name, table in tables.items()
    )


@st.composite
def mapped_tables(draw) -> dict:
    encoding = draw(some(sorted(ENCODINGS)))
    nulls = draw(st.lists(some(NULLS), max_size=2, unique=True))
    name = names_in(encoding, [*nulls, "Total"])
    time, writers, tells_zone = draw(times())
    correct, outcome = draw(outcomes())
    unit = draw(some(sorted(SECONDS)))
    several_items, several_times = draw(st.booleans()), draw(st.booleans())
    optional = st.none() | st.integers(0, 9)
    moment = st.datetimes(datetime(2001, 1, 1), datetime(2026, 10, 1))  # noqa: DTZ001 - made one of a zone
    answer = st.fixed_dictionaries(
        {
            "student": name,
            "item": st.lists(name, min_size=1 + several_items, max_size=1 + several_items),
            "skills": st.lists(name.filter(lambda each: ";" not in each), max_size=3, unique=True),
            "at": moment.map(lambda at: at.replace(tzinfo=UTC).astimezone(ZoneInfo(time.get("zone", "UTC")))),
            "writer": some(writers),
            "outcome": outcome,
            "attempt": optional.map(lambda count: count or None),
            "hints": optional,
            "seconds": st.none() | durations(unit),
            "kind": some(["response"] * 4 + ["video"]),
            "pad": some(["{}", "{}", "{}", " {}", "{} "]),
            "null": some(["", *nulls]),
        }
    )
    return {
        "answers": draw(st.lists(answer, min_size=1, max_size=6)),
        "time": time,
        "tells_zone": tells_zone,
        "correct": correct,
        "unit": unit,
        "nulls": nulls,
        "several": (several_items, several_times),
        "decimal": draw(some([".", ".", ","])),
        "thousands": draw(st.booleans()),
        "separator": draw(some([";", "; "])),
        "order": draw(st.randoms(use_true_random=False)),
        "heading": draw(some(["{}", "{}", " {}", "The {}", "{} #"])),
        "box": draw(containers([encoding])),
    }


def number(text: str, table: dict) -> str:
    """A number with the decimal mark of a table, and maybe one between thousands."""
    if table["decimal"] == "," and table["thousands"] and text.isdecimal() and len(text) > 3:
        return f"{int(text):,}".replace(",", ".")
    return text.replace(".", table["decimal"])


def write_mapped(table: dict, folder: Path) -> tuple[Path, Path, list[str]]:
    several_items, several_times = table["several"]
    parts = {"items": ["sheet", "question"] if several_items else ["question"]}
    decimal, box = table["decimal"], table["box"]
    cells: dict[str, list[str]] = {}

    def add(column: str, row: dict, text: str | None) -> None:
        cells.setdefault(column, []).append(row["pad"].format(row["null"] if text is None else text))

    for row in table["answers"]:
        at = cut(row["at"], row["writer"][1])
        written = row["writer"][0](at)
        if table["time"].get("form", "iso").startswith(("epoch", "serial")):
            written = written.replace(".", decimal)
        day, _, clock = written.partition(" ")
        is_answer = row["kind"] == "response"
        add("user", row, row["student"])
        for column, part in zip(parts["items"], row["item"], strict=True):
            add(column, row, part)
        add("when", row, day if several_times else written)
        if several_times:
            add("clock", row, clock)
        add("right", row, number(row["outcome"][0], table) if is_answer else None)
        add("tags", row, table["separator"].join(row["skills"]) or None)
        add("try", row, None if row["attempt"] is None else str(row["attempt"]))
        add("help", row, None if row["hints"] is None else str(row["hints"]))
        add("took", row, None if row["seconds"] is None else number(row["seconds"][0], table))
        add("type", row, "task" if is_answer else "watch")
        add("notes", row, "seen")
    order = list(cells)
    table["order"].shuffle(order)
    heading = {column: table["heading"].format(column) for column in order}
    path, around = put(
        folder,
        [list(heading.values()), *map(list, zip(*(cells[column] for column in order), strict=True))],
        box,
        ["Total" if column == "user" else "5" if column == "right" else "" for column in order],
    )
    said = {column: text.strip() for column, text in heading.items()}
    file = {"decimal": decimal} | ({"nulls": table["nulls"]} if table["nulls"] else {})
    if box["kind"] in {"text", "gzip"}:
        file |= {"delimiter": box["delimiter"]} if box["says_delimiter"] else {}
        file |= {"encoding": ENCODINGS[box["encoding"]]} if ENCODINGS[box["encoding"]] else {}
    columns = {
        "student": said["user"],
        "correct": said["right"],
        "skills": said["tags"],
        "attempt": said["try"],
        "hints": said["help"],
        "duration_s": said["took"],
        "kind": said["type"],
        "item": [said[part] for part in parts["items"]],
        "time": [said["when"], said["clock"]] if several_times else said["when"],
    }
    correct = {key: value for key, value in table["correct"].items() if key != "mark"}
    mapping = folder / "log.toml"
    tables = {
        "file": file,
        "columns": columns,
        "time": table["time"],
        "correct": correct,
        "duration": {"unit": table["unit"]},
        "skills": {"separator": ";"},
        "kinds": {"task": "response", "watch": "video"},
    }
    mapping.write_text(write_toml(tables), encoding="utf-8")
    return path, mapping, around


@holds_for(4, 600, table=mapped_tables())
def test_answers_of_a_mapped_table_are_read_back(table):
    answers = table["answers"]
    with tempfile.TemporaryDirectory() as folder:
        path, mapping, around = write_mapped(table, Path(folder))

        rows = pd.concat(open_log(path, mapping=mapping).chunks(), ignore_index=True)

    names = {"blank": "blank", "total": "total_line", "text": "text_line"}
    assert sorted(rows["unused"].dropna()) == sorted(names[word] for word in around)
    rows = rows[rows["unused"].isna()]
    assert rows["rejected"].dropna().tolist() == []
    assert rows["student_id"].tolist() == [row["student"] for row in answers]
    assert or_none(rows["item_id"]) == [
        " :: ".join(row["item"]) if row["kind"] == "response" else None for row in answers
    ]
    assert rows["occurred_at"].tolist() == [
        in_utc(cut(row["at"], row["writer"][1]), table["tells_zone"]) for row in answers
    ]
    right = [row["outcome"][1] if row["kind"] == "response" else None for row in answers]
    assert or_none(rows["score"]) == [share if share is None else pytest.approx(float(share)) for share in right]
    mark = Fraction(table["correct"].get("mark", "1"))
    told = rows["correct"].astype(object).where(rows["kind"] == "response", None)
    assert told.tolist() == [share if share is None else share >= mark for share in right]
    responses = [row if row["kind"] == "response" else dict.fromkeys(row) for row in answers]
    assert or_none(rows["attempt"]) == [row["attempt"] for row in responses]
    assert or_none(rows["hints"]) == [row["hints"] for row in responses]
    assert or_none(rows["duration_s"]) == [
        None if row["seconds"] is None else pytest.approx(float(row["seconds"][1])) for row in answers
    ]
    assert [sorted(text.split(SKILL_MARK)) if text else [] for text in or_none(rows["skills"])] == [
        sorted(row["skills"] or []) for row in responses
    ]
