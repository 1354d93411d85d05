"""Checks of series.csv: whom and what each row names, and whether the wanted dose fits into a week.

A series that can never be held would be given up each day, so that it is refused with the file.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from features.roster.files.cells import shown, unknown
from features.roster.files.sheets import Findings, Row
from features.roster.records import SESSION_TYPES, WEEKDAYS, Block, Series, Staff


def check_series(sheets: Mapping[str, Sequence[Row]], findings: Findings) -> None:
    """Adds every problem of the file to the findings."""
    teams = {row.record.team_id for row in sheets["teams"]}
    members = {(row.record.team_id, row.record.student_id) for row in sheets["members"]}
    blocks: dict[str, list[Block]] = defaultdict(list)
    adults: dict[str, dict[str, Staff]] = defaultdict(dict)
    for row in sheets["blocks"]:
        blocks[row.record.team_id].append(row.record)
    for row in sheets["staff"]:
        adults[row.record.team_id][row.record.staff_id] = row.record
    for row in sheets["series"]:
        series = row.record
        if series.team_id not in teams:
            findings.add("series", unknown(series.team_id, teams, "teams.csv"), row.line, "team_id")
            continue
        strangers = sum((series.team_id, student) not in members for student in series.students)
        if strangers:
            what = f"{strangers} of {len(series.students)} are not members of the team; name only members"
            findings.add("series", what, row.line, "students")
        own = blocks[series.team_id]
        for column, what in (*find_mistakes(series, adults[series.team_id]), *find_misfits(series, own)):
            findings.add("series", what, row.line, column)


def find_mistakes(series: Series, adults: Mapping[str, Staff]) -> list[tuple[str, str]]:
    """What is wrong with the adult and the dates of a series: fields, and what would be right.

    Args:
        series: One series.
        adults: The adults of its team, by id.
    """
    found = []
    lead = adults.get(series.staff_id)
    if lead is None:
        found.append(("staff_id", unknown(series.staff_id, adults, "the team's rows of staff.csv")))
    else:
        if set(lead.may_lead) <= {"online"}:
            types = ", ".join(name for name in SESSION_TYPES if name != "online")
            found.append(("staff_id", f"{shown(lead.staff_id)} leads no group; name who may lead one of {types}"))
        if lead.skills is not None and not set(lead.skills) & set(series.skills):
            found.append(("skills", f"{shown(lead.staff_id)} may teach none of them; name one, or another adult"))
        if lead.max_group is not None and len(series.students) > lead.max_group:
            what = f"are {len(series.students)}, but {shown(lead.staff_id)} takes at most {lead.max_group} at once"
            found.append(("students", f"{what}; name fewer"))
    if series.until is not None and series.until < series.from_date:
        found.append(("until", f"{series.until} is before from_date; write a later day, or `proficient`"))
    return found


def find_misfits(series: Series, blocks: Sequence[Block]) -> list[tuple[str, str]]:
    """What of the places and the dose of a series the week of its team does not have: fields, and what would be right.

    Args:
        series: One series.
        blocks: All blocks of its team.
    """
    ids = {block.block_id for block in blocks}
    found = [
        ("block_ids", unknown(block, ids, "the team's rows of blocks.csv"))
        for block in series.block_ids or ()
        if block not in ids
    ]
    days = {block.weekday for block in blocks}
    if series.block_ids is not None and series.weekdays is not None:
        found.append(("weekdays", "blocks have their weekday already; leave one of the two blank"))
    missing = [day for day in series.weekdays or () if day not in days]
    if missing:
        having = ", ".join(sorted(days, key=WEEKDAYS.index)) or "no day"
        found.append(("weekdays", f"the team has no block on {', '.join(missing)}; it has blocks on {having}"))
    if found:
        return found
    longest: dict[str, int] = defaultdict(int)
    for block in list_blocks(series, blocks):
        longest[block.weekday] = max(longest[block.weekday], minutes_of(block))
    if series.sessions_per_week is not None and series.minutes_per_week is not None:
        found.append(("minutes_per_week", "sessions_per_week is there too; leave one of the two blank"))
    elif (series.sessions_per_week or 0) > len(longest):
        what = f"{series.sessions_per_week} is more than the {len(longest)} days a week on which it may take place"
        found.append(("sessions_per_week", f"{what}, once each; write {len(longest)} or less"))
    elif (series.minutes_per_week or 0) > sum(longest.values()):
        what = f"{series.minutes_per_week} is more than one block a day gives; write {sum(longest.values())} or less"
        found.append(("minutes_per_week", what))
    return found


def list_blocks(series: Series, blocks: Sequence[Block]) -> list[Block]:
    """The blocks of the week in which a series may take place."""
    return [
        block
        for block in blocks
        if (series.block_ids is None or block.block_id in series.block_ids)
        and (series.weekdays is None or block.weekday in series.weekdays)
    ]


def minutes_of(block: Block) -> int:
    """How long a block is."""
    day = date.min
    return int((datetime.combine(day, block.end) - datetime.combine(day, block.start)).total_seconds() // 60)
