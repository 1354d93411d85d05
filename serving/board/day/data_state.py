"""What is wrong with the data that the board counts with: a night that was stopped, or answers that are old."""

import datetime as dt
import re

from features.home import Home

OLD_DAYS = 3
"""Days after which pages say how old the answers are."""

STOPPED = re.compile(r"# Night (\d{4}-\d{2}-\d{2}): Act now")
"""The head of the record of a night that somebody has to look at before there is newer data."""


def describe_age(as_of: dt.datetime | None, day: dt.date) -> str | None:
    """How old the answers are beside a day, where that is worth a word; null for a log without a clock too."""
    if as_of is None:
        return None
    days = (dt.datetime.combine(day, dt.time(), dt.UTC) - as_of).days
    if days < OLD_DAYS:
        return None
    when = f"{as_of:%A} {as_of.day} {as_of:%B}"
    return f"Answers count up to {when}, {days} days before this day: look twice at what surprises you."


def describe_night(home: Home) -> str | None:
    """What the newest record of a night says where it was stopped; null where it was not, or there is no record."""
    records = sorted(home.decisions.glob("[0-9][0-9][0-9][0-9]-*.md"))
    if not records:
        return None
    lines = records[-1].read_text(encoding="utf-8").splitlines()
    stopped = STOPPED.match(lines[0]) if lines else None
    if stopped is None:
        return None
    night = dt.date.fromisoformat(stopped[1])
    return (
        f"The night of {night:%A} {night.day} {night:%B} was stopped, so answers since then may be missing here. "
        "Whoever runs regroup has its record; until it is mended, trust what you saw in class more than this page."
    )
