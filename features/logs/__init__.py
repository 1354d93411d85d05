"""Readers of log files, one per format, that yield raw rows in the shape of `features.logs.rows.RAW_TYPES`.

`open_log` picks the reader. A new format is one file that returns a `Log`, and one line here.
"""

import codecs
import csv
from pathlib import Path
from zoneinfo import available_timezones

from features.errors import InputError
from features.logs.assistments import find_year, open_assistments
from features.logs.datashop import find_form, open_datashop
from features.logs.ednet import EdNetLog, is_ednet, open_ednet
from features.logs.files.content import describe_content, read_head
from features.logs.mapped import open_mapped, open_plain, refuse_without_mapping
from features.logs.mapping import Mapping, read_mapping
from features.logs.rows import Log
from features.logs.standards.documents import is_json
from features.logs.standards.files import STANDARDS, DocumentLog, open_documents, sniff_standard
from features.logs.standards.translation import Names
from features.logs.starter import starter_mapping
from features.logs.totals import TotalsLog, open_totals

FORMATS = ("mapped", "assistments", "datashop", "ednet", *STANDARDS)


def open_log(
    path: Path,
    form: str | None = None,
    mapping: Path | None = None,
    kc_model: str | None = None,
    zone: str | None = None,
    sheet: str | None = None,
) -> Log | DocumentLog | TotalsLog | EdNetLog:
    """A log file, ready to be read.

    Args:
        path: The file, or a folder of EdNet.
        form: One of `FORMATS`; without it, `mapped` if there is a mapping, else what the header looks like.
        mapping: A TOML file for `mapped`.
        kc_model: Knowledge component model for `datashop`.
        zone: Time zone of times that name none, where no mapping says it.
        sheet: Name of the sheet that is read of a spreadsheet.

    Raises:
        InputError: The file or the mapping cannot be read, or its format cannot be recognized.
    """
    said = read_mapping(mapping) if mapping else None
    chosen = form or (sniff_format(path, sheet) if said is None else said.file.format if said.is_standard else "mapped")
    _refuse_contradictions(chosen, said, kc_model, zone)
    if chosen == "assistments":
        return open_assistments(path, sheet, zone)
    if chosen == "ednet":
        return open_ednet(path)
    if chosen == "datashop":
        return open_datashop(path, kc_model, zone, sheet)
    if chosen in STANDARDS:
        names = Names(source=said.file.source, **vars(said.prefixes)) if said else None
        return open_documents(path, chosen, names, zone)
    if said is None:
        raise refuse_without_mapping(path, sheet)
    if said.totals is not None:
        return open_totals(open_plain(path, said, sheet), said, said.totals)
    return open_mapped(path, said, sheet)


def _refuse_contradictions(chosen: str | None, said: Mapping | None, kc_model: str | None, zone: str | None) -> None:
    """Raises if something is said that is not for the format."""
    if said and chosen != (said.file.format if said.is_standard else "mapped"):
        raise InputError(f"--mapping is for format mapped, not {chosen}; leave one of the two out")
    if kc_model and chosen != "datashop":
        raise InputError(f"--kc-model is for format datashop, not {chosen}; leave one of the two out")
    if zone and chosen == "ednet":
        raise InputError("--zone is not for format ednet, whose times count from 1970 in UTC; leave it out")
    if zone and chosen == "mapped":
        raise InputError("--zone is not for format mapped, whose mapping says it with [time] zone; leave it out")
    if zone and zone not in available_timezones():
        raise InputError(f'--zone "{zone}"; right would be such as "America/Chicago"')


def sniff_format(path: Path, sheet: str | None = None) -> str:
    """The format whose columns the header has, or the standard of a JSON file.

    Raises:
        InputError: It has those of none, or the file cannot be read.
    """
    if path.is_dir() and is_ednet(path):
        return "ednet"
    head = read_head(path, sheet)
    if found := describe_content(path, head):
        raise InputError(f"{path.name} is {found}")
    if is_json(head):
        return sniff_standard(path)
    first_line = (head.removeprefix(codecs.BOM_UTF8).decode("latin-1").splitlines() or [""])[0]
    if find_year(next(csv.reader([first_line], delimiter="\t" if "\t" in first_line else ","), [])):
        return "assistments"
    if find_form(head):
        return "datashop"
    raise InputError(
        f"the header of {path.name} does not show its format; name one with --format "
        f"({', '.join(FORMATS)}), or say what its columns are with --mapping FILE "
        f"(python -m features ingest {path.name} prints one to begin with)"
    )


def suggest_mapping(path: Path, form: str | None = None, sheet: str | None = None) -> str | None:
    """A mapping to begin with for a table that needs one, in TOML; null where the file is none.

    Args:
        path: The file.
        form: The format that was asked for, if any.
        sheet: Name of the sheet that is read of a spreadsheet.
    """
    try:
        if form is None:
            sniff_format(path, sheet)
            return None
    except InputError:
        pass  # nobody knows it, which is what a mapping is for
    try:
        if form not in {None, "mapped"} or is_json(read_head(path, sheet)):
            return None
        return starter_mapping(path, sheet)
    except InputError:
        return None
