"""Exports of DataShop, statements and events, and whole logs are read back as they were answered, however written."""

import csv
import io
import tempfile
from datetime import datetime
from pathlib import Path

import pandas as pd
from hypothesis import strategies as st

from features.logs import open_log
from features.logs.rows import SKILL_MARK
from tests.examples import holds_for
from tests.features.logs.ways_to_write import cut, or_none, some

TRANSACTION = (
    "Row",
    "Sample Name",
    "Transaction Id",
    "Anon Student Id",
    "Session Id",
    "Time",
    "Time Zone",
    "Duration (sec)",
    "Student Response Type",
    "Problem Name",
    "Problem View",
    "Step Name",
    "Attempt At Step",
    "Outcome",
)
STEP = (
    "Row",
    "Sample",
    "Anon Student Id",
    "Problem Hierarchy",
    "Problem Name",
    "Problem View",
    "Step Name",
    "Step Start Time",
    "First Transaction Time",
    "Step Duration (sec)",
    "First Attempt",
    "Incorrects",
    "Hints",
)
WORDS = {1: ["CORRECT", "OK", "Correct"], 0: ["INCORRECT", "BUG", "Incorrect", "ERROR"], None: ["HINT"]}
MODELS = ["Default", "Single-KC", "Unique-step", "Standards", "LFA Model 2"]
SHEETS = {
    "datashop": ("\t", "utf-8", False),
    "csv": (",", "utf-8", True),
    "csv of a spreadsheet": (",", "utf-8-sig", True),
    "semicolons": (";", "utf-8-sig", True),
    "tabs of a spreadsheet": ("\t", "utf-8", True),
    "Unicode text": ("\t", "utf-16", True),
}
"""Delimiter, encoding, and whether cells are quoted where they must be, as those who save an export write it."""

datashop_exports = st.fixed_dictionaries(
    {
        "steps": st.booleans(),
        "sheet": some(sorted(SHEETS)),
        "end": some(["\n", "\r\n", "\r"]),
        "models": st.lists(some(MODELS), max_size=4, unique=True),
        "twice": st.booleans(),
        "asked": st.integers(0, 9),
        "zone": some([None, "America/New_York", "UTC"]),
        "rows": st.lists(
            st.fixed_dictionaries(
                {
                    "student": some(["Stu_1", "zoë", "1001"]),
                    "problem": some(["EAT", "LEAVE, NOW", 'say "x"']),
                    "step": some(["R1C1", "add; carry", "(x+1)/2"]),
                    "right": some([0, 1, 1, None]),
                    "word": st.integers(0, 3),
                    "at": st.datetimes(datetime(2005, 1, 1), datetime(2026, 6, 1)),  # noqa: DTZ001
                    "form": some(["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "us", "us short"]),
                    "zone": some(["", "US/Eastern", "UTC", "GMT"]),
                    "seconds": st.none() | st.integers(0, 900),
                    "hints": st.integers(0, 3),
                    "skills": st.lists(some(["add", "carry", "x, y"]), min_size=1, max_size=2, unique=True),
                    "tagged": st.booleans(),
                }
            ),
            min_size=1,
            max_size=5,
        ),
        "blank": st.integers(0, 3),
    }
)


def write_datashop(export: dict, path: Path) -> tuple[list[datetime], str | None]:
    """Writes an export; the moments in it, and the model that is read."""
    delimiter, encoding, quoted = SHEETS[export["sheet"]]
    models = export["models"]
    useful = [name for name in models if name not in {"Single-KC", "Unique-step"}] or models
    usual = "Default" if "Default" in models else next(iter(useful), None)
    asked = models[export["asked"]] if export["asked"] < len(models) else None
    export["kc_model"], read = asked, asked or usual
    columns = [name for name in models for _ in range(1 + export["twice"])]
    header = [*(STEP if export["steps"] else TRANSACTION)]
    for name in columns:
        header += [f"KC ({name})", f"Opportunity ({name})" if export["steps"] else f"KC Category ({name})"]
    lines, moments = [header], []
    for number, row in enumerate(export["rows"]):
        form = row["form"]
        at = cut(row["at"], "min" if form.startswith("us") else "us" if "%f" in form else "s")
        moments.append(at)
        year = f"{at:%y}" if form == "us short" else str(at.year)
        time = f"{at.month}/{at.day}/{year} {at.hour}:{at:%M}" if form.startswith("us") else f"{at:{form}}"
        seconds = "." if row["seconds"] is None else str(row["seconds"])
        words = WORDS[row["right"]]
        word = words[row["word"] % len(words)]
        hint = row["right"] is None
        if export["steps"]:
            word = {1: "correct", 0: "incorrect", None: "hint"}[row["right"]]
            line = [
                str(number),
                "All",
                row["student"],
                "Unit A",
                row["problem"],
                str(number),
                row["step"],
                time,
                time,
                seconds,
                word,
                "0",
                str(row["hints"]),
            ]
        else:
            kind = "HINT_REQUEST" if hint else "ATTEMPT"
            line = [
                str(number),
                "All",
                f"t{number}",
                row["student"],
                "s",
                time,
                row["zone"],
                seconds,
                kind,
                row["problem"],
                "1",
                row["step"],
                "1",
                word,
            ]
        for place, name in enumerate(columns):
            skills = row["skills"] if name == read else ["other"]
            if export["twice"]:
                skills = skills[place % 2 : place % 2 + 1]
            line += ["~~".join(skills) if row["tagged"] else "", ""]
        lines.append(line)
    lines += [[""] * len(header)] * export["blank"]
    text = io.StringIO()
    if quoted:
        csv.writer(text, delimiter=delimiter, lineterminator=export["end"]).writerows(lines)
    else:
        text.write("".join(delimiter.join(line) + export["end"] for line in lines))
    path.write_bytes(text.getvalue().encode(encoding))
    return moments, read


@holds_for(4, 400, export=datashop_exports)
def test_responses_of_a_datashop_export_are_read_back(export):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.txt"
        moments, model = write_datashop(export, path)
        log = open_log(path, kc_model=export["kc_model"], zone=export["zone"])

        rows = pd.concat(log.chunks(), ignore_index=True)

    written = export["rows"]
    assert rows["unused"].dropna().tolist() == ["blank"] * export["blank"]
    rows = rows[rows["unused"].isna()]
    assert rows["rejected"].dropna().tolist() == []
    assert rows["student_id"].tolist() == [row["student"] for row in written]
    assert rows["item_id"].tolist() == [f"{row['problem']} :: {row['step']}" for row in written]
    usual = export["zone"] or "UTC"
    zones = [usual if export["steps"] or not row["zone"] else row["zone"] for row in written]
    assert rows["occurred_at"].tolist() == [
        pd.Timestamp(at).tz_localize(zone, ambiguous=True, nonexistent="shift_forward").tz_convert("UTC")
        for at, zone in zip(moments, zones, strict=True)
    ]
    assert rows["correct"].tolist() == [row["right"] == 1 for row in written]
    assert or_none(rows["duration_s"]) == [row["seconds"] for row in written]
    hints = [row["hints"] if export["steps"] else int(row["right"] is None) for row in written]
    assert rows["hints"].tolist() == hints
    assert [sorted(text.split(SKILL_MARK)) if text else [] for text in or_none(rows["skills"])] == [
        sorted(row["skills"]) if model and row["tagged"] else [] for row in written
    ]
    assert model is None or f'"{model}"' in " ".join(log.notes)
