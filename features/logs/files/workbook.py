"""Sheets of spreadsheets (.xlsx, .xlsm, .xlsb, .xls, .ods), written as CSV, so that they are read as any other table.

Of several sheets the visible one with the most cells is read, unless one is named. Dates and clocks are written as ISO
8601 has them, whatever the sheet shows; whole numbers without a point, others with the 15 digits that a sheet keeps.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    load_workbook,
)

from features.errors import InputError

Cell = int | float | str | bool | time | date | datetime | timedelta

ALMOST = timedelta(milliseconds=1)
"""By how much a moment that is kept as a fraction of a day may miss its second."""


@dataclass(frozen=True)
class Sheet:
    """A sheet as CSV in UTF-8.

    Attributes:
        name: Its name.
        data: Its rows, from the first that has a cell.
        others: Names of the other visible sheets that are not empty.
    """

    name: str
    data: bytes
    others: tuple[str, ...] = ()


def read_workbook(data: bytes, name: str, sheet: str | None = None) -> Sheet:
    """One sheet of a workbook.

    Args:
        data: The workbook.
        name: The file's name, for errors.
        sheet: The sheet's name; without it, the visible one with the most cells, the first of several.

    Raises:
        InputError: It is damaged, has a password, has nothing written in it, or has no such sheet.
    """
    with _open(data, name) as workbook:
        if sheet is not None and sheet not in workbook.sheet_names:
            near = get_close_matches(sheet, workbook.sheet_names, n=1, cutoff=0.5)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            raise InputError(f'{name} has no sheet "{sheet}"{hint} (its sheets: {", ".join(workbook.sheet_names)})')
        shown = _read_visible(workbook)
        if sheet is None:
            if not shown:
                raise InputError(f"{name} has no rows")
            sheet = max(shown, key=lambda each: shown[each][0])
        text = shown[sheet][1] if sheet in shown else _to_csv(workbook.get_sheet_by_name(sheet).to_python())
    if not text.strip():
        raise InputError(f'the sheet "{sheet}" of {name} has no rows')
    return Sheet(sheet, text.encode(), tuple(each for each in shown if each != sheet))


def read_sheets(data: bytes, name: str) -> Mapping[str, bytes]:
    """All visible sheets that are not empty by their name, as CSV in UTF-8; errors as above."""
    with _open(data, name) as workbook:
        return {sheet: text.encode() for sheet, (_, text) in _read_visible(workbook).items()}


def _open(data: bytes, name: str) -> CalamineWorkbook:
    try:
        return load_workbook(io.BytesIO(data))
    except PasswordError:
        raise InputError(f"{name} is a spreadsheet with a password; save it without one") from None
    except (CalamineError, OSError, ValueError):
        raise InputError(
            f"{name} is no spreadsheet that can be read, or is damaged; save it as .xlsx or as CSV"
        ) from None


def _read_visible(workbook: CalamineWorkbook) -> dict[str, tuple[int, str]]:
    """The visible sheets that are not empty: how many cells each has, and its CSV."""
    found = {}
    for each in workbook.sheets_metadata:
        if each.visible != SheetVisibleEnum.Visible or each.typ != SheetTypeEnum.WorkSheet:
            continue
        rows = workbook.get_sheet_by_name(each.name).to_python()
        cells = sum(1 for row in rows for cell in row if cell != "")
        if cells:
            found[each.name] = cells, _to_csv(rows)
    return found


def _to_csv(rows: Iterable[Iterable[Cell]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([write_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def write_cell(cell: Cell) -> str:
    """A cell as text.

    Example:
        >>> [write_cell(cell) for cell in (1001.0, 0.1 + 0.2, True, datetime(2026, 3, 5, 9, 4, 59, 999900))]
        ['1001', '0.3', 'TRUE', '2026-03-05 09:05:00']
    """
    if isinstance(cell, str | bool):
        return str(cell).upper() if isinstance(cell, bool) else cell
    if isinstance(cell, int | float):
        return str(int(cell)) if cell == int(cell) else format(cell, ".15g")
    if isinstance(cell, datetime):
        return _round(cell).isoformat(" ")
    if isinstance(cell, timedelta):
        minutes, second = divmod(round(cell.total_seconds(), 3), 60)
        return f"{int(minutes // 60)}:{int(minutes % 60):02}:{second:06.3f}".removesuffix(".000")
    if isinstance(cell, time):
        return _round(datetime.combine(date.min, cell)).time().isoformat()
    return cell.isoformat()


def _round(moment: datetime) -> datetime:
    second = moment.replace(microsecond=0)
    if moment - second <= ALMOST:
        return second
    return second + timedelta(seconds=1) if second + timedelta(seconds=1) - moment <= ALMOST else moment
