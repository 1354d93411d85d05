"""Writes one table as a workbook (Office Open XML, ECMA-376): text cells alone, so that no cell is ever a formula."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
MEDIA_TYPE = f"{TYPE}.sheet"

LONGEST_NAME = 31
"""Characters of the name of a sheet that spreadsheets take."""

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'

FILES = {
    "[Content_Types].xml": f'{HEAD}<Types xmlns="{PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
"""Parts of the package that are the same for every table."""


def write_workbook(name: str, rows: Iterable[Sequence[str]]) -> bytes:
    """The bytes of a workbook with one sheet.

    Args:
        name: Of the sheet; cut where spreadsheets take no more.
        rows: The cells, row by row, the head first; control characters are left out, which XML cannot hold.
    """
    lines = []
    for at, row in enumerate(rows, start=1):
        cells = "".join(f'<c t="inlineStr"><is><t xml:space="preserve">{_clean(cell)}</t></is></c>' for cell in row)
        lines.append(f'<row r="{at}">{cells}</row>')
    sheet = f'{HEAD}<worksheet xmlns="{SHEETS}"><sheetData>{"".join(lines)}</sheetData></worksheet>'
    book = (
        f'{HEAD}<workbook xmlns="{SHEETS}" xmlns:r="{OFFICE}"><sheets>'
        f'<sheet name="{_clean(name[:LONGEST_NAME])}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for path, text in {**FILES, "xl/workbook.xml": book, "xl/worksheets/sheet1.xml": sheet}.items():
            package.writestr(path, text)
    return file.getvalue()


def _clean(text: str) -> str:
    return escape("".join(letter for letter in text if letter.isprintable() or letter == "\n"), {'"': "&quot;"})
