"""Totals without answers are read back whatever a report looks like: figures and shapes are drawn, written, compared.

At length: `python -m pytest -m long tests/features/logs -k round_trip`.
"""

import tempfile
from datetime import UTC, datetime
from math import exp, hypot, sqrt
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import strategies as st

from features.logs import open_log
from tests.examples import holds_for
from tests.features.logs.test_round_trip import number, write_toml
from tests.features.logs.ways_to_write import ENCODINGS, containers, cut, in_utc, names_in, put, some, times

DOMAINS = ["Number, Operations", "Geometry", "Algebra & Thinking"]
LEVELS = {"3 or More Grade Levels Below": 0.1, "1 Level, Below": 0.4, "On Grade Level": 0.75, "Mid": 1.0}
PROFICIENT, SPREAD = 480, 20


@st.composite
def figures(draw) -> tuple[dict[str, object], st.SearchStrategy[tuple[str, float]]]:
    """What the mapping says of figures, and figures as written with the share of the skill that each stands for."""
    form = draw(some(["percent", "level", "scale"]))
    if form == "level":
        return {"form": form}, some([(style(word), x) for word, x in LEVELS.items() for style in (str, str.upper)])
    if form == "scale":
        points = st.integers(300 * 4, 660 * 4).map(lambda quarter: quarter / 4)
        share = points.map(lambda point: (f"{point:g}", 1 / (1 + exp(-(point - PROFICIENT) / SPREAD))))
        return {"form": form, "proficient": PROFICIENT, "spread": SPREAD}, share
    most = draw(some([1, 30, 100]))
    tenths = st.integers(0, 10 * most).map(lambda tenth: (f"{tenth / 10:g}", tenth / 10 / most))
    with_mark = st.integers(0, 1000).map(lambda tenth: (f"{tenth / 10:g} %", tenth / 1000))
    return {"form": form} | ({"max_score": most} if most != 100 else {}), tenths | with_mark


@st.composite
def reports(draw) -> dict:
    encoding = draw(some(sorted(ENCODINGS)))
    time, writers, tells_zone = draw(times())
    totals, figure = draw(figures())
    wide = draw(st.booleans())
    moment = st.datetimes(datetime(2001, 1, 1), datetime(2026, 10, 1))  # noqa: DTZ001 - made one of a zone
    row = st.fixed_dictionaries(
        {
            "student": names_in(encoding, ["Total"]),
            "at": moment.map(lambda at: at.replace(tzinfo=UTC).astimezone(ZoneInfo(time.get("zone", "UTC")))),
            "writer": some(writers),
            "figures": st.lists(st.none() | figure, min_size=3, max_size=3) if wide else st.lists(
                st.none() | figure, min_size=1, max_size=1
            ),
            "domain": some(DOMAINS),
            "questions": st.none() | st.integers(0, 150),
            "error": st.none() | st.integers(0, 40).map(lambda quarter: quarter / 4),
            "pad": some(["{}", " {}", "{} "]),
        }
    )  # fmt: skip
    return {
        "rows": draw(st.lists(row, min_size=1, max_size=5)),
        "time": time,
        "tells_zone": tells_zone,
        "totals": totals,
        "wide": wide,
        "decimal": draw(some([".", ","])),
        "thousands": False,
        "box": draw(containers([encoding])),
    }


def write_report(report: dict, folder: Path) -> tuple[Path, Path, list[str]]:
    wide, decimal, box = report["wide"], report["decimal"], report["box"]
    header = ["who", "when", *(DOMAINS if wide else ["domain", "figure"]), "questions", "error"]
    rows = []
    for row in report["rows"]:
        written = row["writer"][0](cut(row["at"], row["writer"][1]))
        if report["time"].get("form", "iso").startswith(("epoch", "serial")):
            written = written.replace(".", decimal)
        level = report["totals"]["form"] == "level"
        cells = ["" if each is None else each[0] if level else number(each[0], report) for each in row["figures"]]
        error = "" if row["error"] is None else number(f"{row['error']:g}", report)
        questions = "" if row["questions"] is None else str(row["questions"])
        line = [row["student"], written, *([] if wide else [row["domain"]]), *cells, questions, error]
        rows.append([row["pad"].format(cell) for cell in line])
    path, around = put(folder, [header, *rows], box, ["Total", *[""] * (len(header) - 1)])
    file = {"decimal": decimal, "source": "report"}
    if box["kind"] in {"text", "gzip"} and ENCODINGS[box["encoding"]]:
        file |= {"encoding": ENCODINGS[box["encoding"]]}
    tables = {
        "file": file,
        "columns": {"student": "who", "time": "when"} | ({} if wide else {"skills": "domain"}),
        "time": report["time"],
        "totals": report["totals"]
        | {"questions": "questions", "error": "error"}
        | ({} if wide else {"column": "figure"}),
    }
    tables |= {"domains": {domain: f"{domain} all" for domain in DOMAINS}} if wide else {}
    tables |= {"levels": LEVELS} if report["totals"]["form"] == "level" else {}
    mapping = folder / "report.toml"
    mapping.write_text(write_toml(tables), encoding="utf-8")
    return path, mapping, around


def expect(share: float, row: dict, totals: dict) -> tuple[float, float]:
    """Mean and deviation of a beta distribution after n questions; the figure's own error adds to it."""
    n = min(5 if row["questions"] is None else row["questions"], 100)
    mean = (n * share + 1) / (n + 2)
    deviation = sqrt(mean * (1 - mean) / (n + 3))
    if totals["form"] == "percent":
        deviation = hypot(deviation, (row["error"] or 0) / totals.get("max_score", 100))
    if totals["form"] == "scale":
        deviation = hypot(deviation, (row["error"] or 0) * share * (1 - share) / SPREAD)
    return pytest.approx(mean), pytest.approx(min(deviation, 0.5))


@holds_for(4, 200, report=reports())
def test_totals_of_a_report_are_read_back(report):
    with tempfile.TemporaryDirectory() as folder:
        path, mapping, around = write_report(report, Path(folder))

        rows = pd.concat(open_log(path, mapping=mapping).chunks(), ignore_index=True)

    good = rows[rows["unused"].isna()]
    assert good["rejected"].dropna().tolist() == []
    found = [
        ((row.student_id, row.occurred_at, row.skill_id), (row.mastery, row.uncertainty)) for row in good.itertuples()
    ]
    domains = [f"{domain} all" for domain in DOMAINS]
    told = [
        (
            (
                row["student"],
                in_utc(cut(row["at"], row["writer"][1]), report["tells_zone"]),
                domains[at] if report["wide"] else row["domain"],
            ),
            expect(row["figures"][at][1], row, report["totals"]),
        )
        for at in range(3 if report["wide"] else 1)
        for row in report["rows"]
        if row["figures"][at] is not None
    ]
    assert found == told
    names = {"blank": "total_line", "total": "total_line", "text": "text_line"}
    nothing = sum(each is None for row in report["rows"] for each in row["figures"])
    repeated = [names[word] for word in around for _ in range(3 if report["wide"] and word != "text" else 1)]
    assert sorted(rows["unused"].dropna()) == sorted(repeated + ["no_figure"] * nothing)
