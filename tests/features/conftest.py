"""A small writer of spreadsheets, so that what is read from one is known."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest

OFFICE = "http://schemas.openxmlformats.org"
MAIN = f"{OFFICE}/spreadsheetml/2006/main"
RELATIONS = f"{OFFICE}/officeDocument/2006/relationships"
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="[h]:mm:ss"/></numFmts>'
    '<cellXfs count="5"><xf numFmtId="0"/><xf numFmtId="22"/><xf numFmtId="14"/><xf numFmtId="21"/>'
    '<xf numFmtId="164"/></cellXfs></styleSheet>'
)
"""Styles 1 to 4: a date with a clock, a date, a clock, a duration."""

ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet has no zones

WriteSheets = Callable[..., Path]


def write_sheets(path: Path, sheets: Mapping[str, Sequence[Sequence[object]]], hidden: Sequence[str] = ()) -> Path:
    """An .xlsx file with these sheets, whose cells are texts, numbers, truths, dates, clocks, durations or nothing."""
    entries, relations = [], []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (name, rows) in enumerate(sheets.items(), start=1):
            state = ' state="hidden"' if name in hidden else ""
            entries.append(f'<sheet name={quoteattr(name)} sheetId="{number}"{state} r:id="r{number}"/>')
            kind = f"{RELATIONS}/worksheet"
            relations.append(f'<Relationship Id="r{number}" Type="{kind}" Target="worksheets/sheet{number}.xml"/>')
            lines = "".join(
                f'<row r="{line}">{"".join(_cell(f"{_column(at)}{line}", cell) for at, cell in enumerate(row))}</row>'
                for line, row in enumerate(rows, start=1)
            )
            text = f'<worksheet xmlns="{MAIN}"><sheetData>{lines}</sheetData></worksheet>'
            archive.writestr(f"xl/worksheets/sheet{number}.xml", text)
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{"".join(entries)}</sheets></workbook>',
        )
        relations.append(f'<Relationship Id="s" Type="{RELATIONS}/styles" Target="styles.xml"/>')
        package = f"{OFFICE}/package/2006/relationships"
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}">{"".join(relations)}</Relationships>'
        )
        archive.writestr("xl/styles.xml", STYLES)
        main = f'<Relationship Id="w" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{package}">{main}</Relationships>')
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{OFFICE}/package/2006/content-types"/>')
    return path


def _column(at: int) -> str:
    return (_column(at // 26 - 1) if at >= 26 else "") + chr(ord("A") + at % 26)


def _cell(place: str, cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
    if isinstance(cell, bool):
        return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, datetime):
        return f'<c r="{place}" s="1"><v>{(cell - ZERO) / timedelta(days=1)!r}</v></c>'
    if isinstance(cell, date):
        return f'<c r="{place}" s="2"><v>{(cell - ZERO.date()).days}</v></c>'
    style = 3 if isinstance(cell, time) else 4 if isinstance(cell, timedelta) else 0
    if isinstance(cell, time):
        cell = datetime.combine(date.min, cell) - datetime.combine(date.min, time())
    value = cell / timedelta(days=1) if isinstance(cell, timedelta) else cell
    return f'<c r="{place}" s="{style}"><v>{value!r}</v></c>'


@pytest.fixture(scope="session", name="write_sheets")
def writer_of_sheets() -> WriteSheets:
    """The writer."""
    return write_sheets
