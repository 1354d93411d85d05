"""Readers of log files, one per format, that yield raw rows in the shape of `features.logs.rows.RAW_TYPES`.

`open_log` picks the reader. A new format is one file that returns a `Log`, and one line here.
"""

import codecs
import csv
from pathlib import Path

from features.errors import InputError
from features.logs.assistments import COLUMNS as ASSISTMENTS_COLUMNS
from features.logs.assistments import open_assistments
from features.logs.datashop import STUDENT_STEP, TRANSACTION, open_datashop
from features.logs.mapped import open_mapped, refuse_without_mapping
from features.logs.mapping import read_mapping
from features.logs.rows import Log
from features.logs.table_file import read_head

FORMATS = ("mapped", "assistments", "datashop")


def open_log(path: Path, form: str | None = None, mapping: Path | None = None, kc_model: str | None = None) -> Log:
    """A log file, ready to be read.

    Args:
        path: The file.
        form: One of `FORMATS`; without it, `mapped` if there is a mapping, else what the header looks like.
        mapping: A TOML file for `mapped`.
        kc_model: Knowledge component model for `datashop`.

    Raises:
        InputError: The file or the mapping cannot be read, or its format cannot be recognized.
    """
    chosen = form or ("mapped" if mapping else sniff_format(path))
    if mapping and chosen != "mapped":
        raise InputError(f"--mapping is for format mapped, not {chosen}; leave one of the two out")
    if kc_model and chosen != "datashop":
        raise InputError(f"--kc-model is for format datashop, not {chosen}; leave one of the two out")
    if chosen == "assistments":
        return open_assistments(path)
    if chosen == "datashop":
        return open_datashop(path, kc_model)
    if mapping is None:
        raise refuse_without_mapping(path)
    return open_mapped(path, read_mapping(mapping))


def sniff_format(path: Path) -> str:
    """The format whose columns the header has.

    Raises:
        InputError: It has those of none, or the file cannot be read.
    """
    first_line = (read_head(path).removeprefix(codecs.BOM_UTF8).decode("latin-1").splitlines() or [""])[0]
    if set(ASSISTMENTS_COLUMNS) <= set(next(csv.reader([first_line]), [])):
        return "assistments"
    for names in (set(first_line.split("\t")), set(next(csv.reader([first_line]), []))):
        if set(TRANSACTION.values()) <= names or set(STUDENT_STEP.values()) <= names:
            return "datashop"
    raise InputError(
        f"the header of {path.name} does not show its format; name one with --format "
        f"({', '.join(FORMATS)}), or say what its columns are with --mapping FILE "
        "(--format mapped alone shows one to begin with)"
    )
