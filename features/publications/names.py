"""Which published profiles are newest: their names say the moment and the versions of the data.

The newest are those of the latest moment and, of one moment, of the latest event log. When a folder was written says
nothing: a night may look back (`--as-of`), and a copy or a back-up gives folders other times.
"""

import re
from datetime import UTC, datetime
from pathlib import Path

from features.bundle import MANIFEST
from features.home import Home

NAME = re.compile(r"(no-clock|\d{8}T\d{6}Z)-(\d+)\.(\d+)(?:-erased(\d+))?")
"""The moment, the versions of the event log and of the items' skills, and how many erasures there were since."""

MOMENT = "%Y%m%dT%H%M%SZ"
NO_CLOCK = "no-clock"


def name_publication(as_of: datetime | None, data_version: str) -> str:
    """The name of the folder of profiles at a moment in UTC, of an event log and items' skills of some versions.

    Example:
        >>> name_publication(datetime(2026, 3, 14, tzinfo=UTC), "12.3")
        '20260314T000000Z-12.3'
    """
    return f"{NO_CLOCK if as_of is None else as_of.strftime(MOMENT)}-{data_version}"


def order_of(name: str) -> tuple[str, int, int, int]:
    """What the names of publications are sorted by, the newest last; names that are none come first.

    Example:
        >>> order_of("20260309T000000Z-14.3") < order_of("20260314T000000Z-9.3") < order_of("20260314T000000Z-12.3")
        True
    """
    found = NAME.fullmatch(name)
    if found is None:
        return "", -1, -1, -1
    moment, events, item_skills, erasures = found.groups()
    return "" if moment == NO_CLOCK else moment, int(events), int(item_skills), int(erasures or 0)


def moment_of(name: str) -> datetime | None:
    """The moment in UTC that a name of a publication says; null without one.

    Example:
        >>> moment_of("20260314T000000Z-12.3").isoformat()
        '2026-03-14T00:00:00+00:00'
    """
    text = order_of(name)[0]
    return datetime.strptime(text, MOMENT).replace(tzinfo=UTC) if text else None


def newest_publication(home: Home, run_id: str) -> Path | None:
    """The folder of the newest profiles for a run; null where nothing was published for it."""
    found = [path.parent for path in (home.published / run_id).glob(f"*/{MANIFEST}") if path.parent.name[0] != "."]
    return max(found, key=lambda folder: (order_of(folder.name), folder.name), default=None)
