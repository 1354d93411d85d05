"""What a file holds is told by its content: spreadsheets and what is packed are read, others named."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from features.logs import open_log, sniff_format, suggest_mapping
from features.logs.files.content import describe_source
from features.logs.mapped import open_mapped
from features.logs.mapping import parse_mapping

COLUMNS = {"student": "who", "time": "at", "correct": "right", "item": "what", "duration_s": "took"}
HEADER = ["who", "at", "right", "what", "took"]
ROWS = [["1001", "2026-03-05 09:05:00", "1", "q1", "2"], ["007", "2026-03-05 09:06:00", "0", "q2", "3.5"]]
CSV = "\n".join(",".join(row) for row in [HEADER, *ROWS]).encode() + b"\n"


def read(path: Path, **tables) -> pd.DataFrame:
    mapping = parse_mapping({"columns": COLUMNS} | tables)
    return pd.concat(open_mapped(path, mapping).chunks(), ignore_index=True)


def zipped(content: bytes, *names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return packed.getvalue()


def tarred(content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("a.csv")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, bz2.compress, lzma.compress, lambda content: zipped(content, "folder/log.csv")]
)
@pytest.mark.parametrize("name", ["log.csv", "log", "log.gz", "log.xlsx"])
def test_a_packed_file_is_read_as_what_is_in_it_whatever_its_name(tmp_path, pack, name):
    (tmp_path / "plain.csv").write_bytes(CSV)
    (tmp_path / name).write_bytes(pack(CSV))

    pd.testing.assert_frame_equal(read(tmp_path / name), read(tmp_path / "plain.csv"))


def test_packed_statements_and_exports_are_recognized_too(tmp_path):
    statement = b'{"actor": {"mbox": "mailto:a@b"}, "verb": {"id": "v"}, "object": {"id": "o"}}\n'
    header = "Anon Student Id,Problem Name,Problem View,Step Name,First Transaction Time,Step Duration (sec)"
    (tmp_path / "a").write_bytes(gzip.compress(statement))
    (tmp_path / "b").write_bytes(zipped(f"{header},First Attempt,Hints\n".encode(), "steps.txt"))

    assert (sniff_format(tmp_path / "a"), sniff_format(tmp_path / "b")) == ("xapi", "datashop")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"%PDF-1.7\n", "a PDF document"),
        (gzip.compress(b"RDX3\nX\n\0\0"), "a data file of R"),
        (bz2.compress(b"RDX2\nX\n"), "a data file of R"),
        (gzip.compress(b"X\n\0\0\0\3"), "a data file of R"),
        (gzip.compress(tarred(CSV)), "a tar archive"),
        (zipped(CSV, "a.csv", "b.csv"), "a zip archive of 2 files"),
        (zipped(CSV, "orgs.csv", "users.csv", "manifest.csv"), "python -m features roster"),
        (zipped(CSV, "word/document.xml", "b"), "no spreadsheet"),
        (b"<html><table><tr><td>Score</td></tr></table>", "save it as .xlsx"),
        (b"\xff\xd8\xff\xe0", "a picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "no spreadsheet that can be read"),
        (gzip.compress(CSV * 99)[:60], "damaged"),
        (zipped(CSV, "xl/workbook.xml"), "no spreadsheet that can be read"),
    ],
    ids=range(13),  # the bytes hold the time
)
@pytest.mark.parametrize("name", ["log.csv", "log.parquet", "log.xlsx"])
def test_what_is_no_table_is_told_for_what_it_is(tmp_path, content, sentence, name):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(InputError) as error:
        open_log(tmp_path / name)
    assert sentence in str(error.value)
    assert suggest_mapping(tmp_path / name) is None


FIRST = datetime(2020, 1, 1)  # noqa: DTZ001 - a sheet has no zones

CELLS = {
    "who": st.sampled_from(["007", "zoë", "NA", "a,b", 'say "x"']),
    "at": st.datetimes(FIRST, FIRST.replace(year=2026)).map(lambda at: at.replace(microsecond=0)),
    "right": st.booleans() | st.sampled_from([0, 1, 1.0]),
    "what": st.sampled_from(["q1", "R1 C1", 12, 12.5]),
    "took": st.sampled_from([None, 2, 3.25, timedelta(minutes=90), timedelta(seconds=75), time(0, 1, 30)]),
}
SECONDS = {None: None, time(0, 1, 30): 90.0}


@given(rows=st.lists(st.tuples(*(CELLS[name] for name in HEADER)), min_size=1, max_size=8), title=st.booleans())
@settings(max_examples=25)
def test_values_of_a_sheet_are_read_back_whatever_their_cells_are(tmp_path_factory, write_sheets, rows, title):
    sheet = [*([["Report of May"], []] if title else []), HEADER, *rows, ["Total", None, 3.5]]
    path = write_sheets(tmp_path_factory.mktemp("sheet") / "log.bin", {"Notes": [["read me"]], "Answers": sheet})

    table = read(path, correct={"form": "bool"}, time={"form": "us"})

    assert table["unused"].dropna().tolist() == ["total_line"]
    answers = table[table["unused"].isna()]
    assert answers["rejected"].isna().all(), answers["rejected"].unique()
    assert answers["student_id"].tolist() == [row[0] for row in rows]
    assert answers["occurred_at"].tolist() == [pd.Timestamp(row[1], tz="UTC") for row in rows]
    assert answers["score"].tolist() == [float(row[2]) for row in rows]
    assert answers["item_id"].tolist() == [str(row[3]) for row in rows]
    took = [row[4] for row in rows]
    seconds = [each.total_seconds() if isinstance(each, timedelta) else SECONDS.get(each, each) for each in took]
    assert answers["duration_s"].astype(object).where(answers["duration_s"].notna(), None).tolist() == seconds


def test_the_sheet_is_the_fullest_visible_one_or_the_one_that_is_named(tmp_path, write_sheets):
    sheets = {"Read me": [["a", "b"]], "May": [HEADER, *ROWS], "June": [HEADER, ROWS[0]], "Old": [HEADER, *ROWS * 9]}
    path = write_sheets(tmp_path / "log.xlsx", sheets, hidden=["Old"])

    assert len(read(path)) == len(ROWS)
    assert describe_source(path) == 'read the sheet "May"; Read me, June would be read with --sheet NAME'
    assert len(read(path, file={"sheet": "June"})) == 1
    assert len(read(path, file={"sheet": "Old"})) == 9 * len(ROWS)
    assert tuple(suggest_mapping(path, sheet="June").splitlines()).count('sheet = "June"') == 1
    with pytest.raises(InputError, match=r'no sheet "Mai"; did you mean "May"\? \(its sheets: Read me, May, June, Old'):
        read(path, file={"sheet": "Mai"})


def test_a_date_without_a_clock_and_a_blank_sheet(tmp_path, write_sheets):
    path = write_sheets(tmp_path / "a.xlsx", {"A": [HEADER, ["s", date(2026, 3, 5), 1, "q", None]]})
    blank = write_sheets(tmp_path / "b.xlsx", {"A": []})

    assert read(path)["occurred_at"].tolist() == [pd.Timestamp("2026-03-05", tz="UTC")]
    with pytest.raises(InputError, match="has no rows"):
        open_log(blank)
