"""What an ingest of a file would read and feed, told without storing anything."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from features.events.checks import check_rows, count_rules
from features.events.counts import IngestCounts
from features.events.coverage import Coverage
from features.events.evidence import check_totals
from features.events.identity.odd_ids import IdWatch
from features.logs import open_log
from features.logs.files.content import describe_source
from features.logs.totals import TotalsLog
from features.tombstones import NOBODY


def preview_file(path: Path, now: datetime | None = None, **options: Any) -> IngestCounts:  # noqa: ANN401 - of open_log
    """What an ingest of the file would read, without storing anything; what is known already is not looked up.

    Args:
        path: The file.
        now: The current moment, with a time zone; without it, the clock's.
        options: Further arguments of `features.logs.open_log`.

    Raises:
        InputError: The file or the mapping cannot be read.
    """
    log, now = open_log(path, **options), now or datetime.now(UTC)
    ids, coverage, counts, rows_read = IdWatch(), Coverage(), Counter[str](), 0
    unused, rejected, nulled = Counter[str](), Counter[str](), Counter[str]()
    for raw in log.chunks():
        rows_read += len(raw)
        if isinstance(log, TotalsLog):
            rows = check_totals(raw, NOBODY, now)
            unused.update(count_rules(rows["unused"]))
            rejected.update(count_rules(rows["rejected"]))
            counts["evidence"] += int((rows["unused"].isna() & rows["rejected"].isna()).sum())
            continue
        ids.add(raw)
        checked = check_rows(raw, log.source, now)
        coverage.add(checked.events)
        unused.update(checked.unused)
        rejected.update(count_rules(checked.rejected["rejected"]))
        nulled.update(checked.nulled)
        answers = int(checked.events["kind"].eq("response").sum())
        counts.update({"events_stored": answers, "activities": len(checked.events) - answers})
    source = describe_source(path, options.get("sheet"))
    return IngestCounts(
        rows_read=rows_read,
        events_stored=counts["events_stored"],
        events_known=0,
        rows_merged=0,
        activities=counts["activities"],
        evidence=counts["evidence"],
        unused=dict(unused),
        rejected=dict(rejected),
        nulled=dict(nulled),
        data_version=None,
        notes=(*([source] if source else ()), *log.notes, *ids.notes(), *coverage.describe()),
        coverage=coverage.shares(),
    )
