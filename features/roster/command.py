"""`python -m features roster PATH`: loads a roster, or shows what loading it would change."""

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

from rich.table import Table

from features.console import OUT
from features.database import Database
from features.errors import WRONG_PATH, InputError, explain_os_error
from features.home import Home
from features.roster.changes import Change, Load, ManyGoneError, UnansweredError, load_roster, preview_roster
from features.roster.files.archive import read_files
from features.roster.hub.download import download_roster
from features.roster.hub.settings import is_address, read_hub
from features.roster.loading import ReadRoster
from features.roster.policy.file import NAME as POLICY_FILE
from features.roster.skills import PARTS

NAMED = 20
"""Ids of new, changed and gone that a preview names of each kind."""


NAMED_SKILLS = 3
"""Skills that are shown where some are new, so that people see whether their ids are those of the log."""


def load_roster_command(
    path: Path | str,
    home: Home,
    *,
    policy: Path | None = None,
    hub: Path | None = None,
    preview: bool = False,
    yes: bool = False,
    as_of: date | None = None,
    skill_id: str | None = None,
) -> int:
    """Loads a roster, or skills alone, into the home's database, prints counts and warnings; returns the exit code.

    Args:
        path: A folder, a zip archive or a CSV file; or the address of a hub that speaks OneRoster.
        home: Where the database is.
        policy: A file as `policy.toml`: what people say of the teams; where a preview names one that is not there, the
            questions are written to it.
        hub: A file that says how to ask the hub.
        preview: Whether only to show what would change, and what the roster cannot say.
        yes: Whether the roster may lack more than a twentieth of the stored students.
        as_of: From which day on enrollments count; today, unless given.
        skill_id: The field of a standard of CASE whose value events carry; without it, as was said before.

    Raises:
        InputError: The files have problems, or many students are gone; nothing was changed.
        BusyError: A student is being erased, or another process holds the database; nothing was changed.
        DatabaseAwayError: The database cannot be used; nothing was changed.
        HubError: The hub does not answer, or does not give the whole roster; nothing was changed.
    """
    files = download_roster(read_hub(str(path), hub)) if is_address(path) else read_files(Path(path))
    day = as_of or datetime.now().astimezone().date()
    asked = _read_policy(policy, missing_ok=preview)
    with Database(home.database_url()) as database:
        if preview:
            load = preview_roster(files, str(path), database, day, asked, skill_id=skill_id)
            _show_preview(load, str(path), day, asked, policy)
            return 0
        try:
            load = load_roster(files, str(path), home, database, day, asked, yes=yes, skill_id=skill_id)
        except ManyGoneError as error:
            raise InputError(f"{error}; look at it with --preview, and load it with --yes if it is right") from None
        except UnansweredError as error:
            raise InputError(
                f"{error}; run again with --preview --policy {POLICY_FILE}, fill that file in, and load with it"
            ) from None
    if load.found.parts == PARTS:
        _show_changes(load.changes, "skills")
    else:
        _show_counts(load.found)
    _show_skills(load)
    if load.erased:
        OUT.print(
            f"warning: {load.erased} members were erased before; they are seated without demographics, past sessions "
            "and events, and their events are still dropped"
        )
    _warn(load)
    return 0


def _show_skills(load: Load) -> None:
    if any(change.new for change in load.changes if change.kind == "skills"):
        for skill in load.found.roster.skills[:NAMED_SKILLS]:
            OUT.print(f"skill {skill.skill_id}: {skill.name or 'without a name'}", markup=False, highlight=False)


def _read_policy(path: Path | None, *, missing_ok: bool) -> bytes | None:
    if path is None or (missing_ok and not path.exists()):
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise explain_os_error(error, f"policy {path} cannot be read", WRONG_PATH) from None


def _show_preview(load: Load, name: str, day: date, asked: bytes | None, policy: Path | None) -> None:
    OUT.print(f"{name} was taken for: {load.found.shape}", markup=False, highlight=False)
    if load.found.classes is not None:
        OUT.print(f"enrollments as of {day}", markup=False, highlight=False)
    _show_changes(load.changes, "what loading would change")
    _show_skills(load)
    _warn(load)
    if load.questions is None:
        return
    if policy is not None and asked is None:
        try:
            policy.write_text(load.questions, encoding="utf-8")
        except OSError as error:
            raise explain_os_error(error, f"policy {policy} cannot be written", WRONG_PATH) from None
        OUT.print(f"what the roster cannot say was written to {policy}; fill it in", markup=False, highlight=False)
    else:
        OUT.print(load.questions, markup=False, highlight=False)


def _show_changes(changes: Iterable[Change], title: str) -> None:
    changes = tuple(changes)
    table = Table("", "stored", "new", "changed", "gone", title=title)
    for change in changes:
        counts = change.before, len(change.new), len(change.changed), len(change.gone)
        table.add_row(change.kind, *(f"{count:,}" for count in counts))
    OUT.print(table)
    for change in changes:
        for what, ids in (("new", change.new), ("changed", change.changed), ("gone", change.gone)):
            if ids and change.before:
                more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
                OUT.print(f"{change.kind} {what}: {', '.join(ids[:NAMED])}{more}", markup=False, highlight=False)


def _show_counts(found: ReadRoster) -> None:
    table = Table(title=f"roster ({found.shape})")
    table.add_column("file")
    table.add_column("rows", justify="right")
    for part in found.parts:
        table.add_row(f"{part}.csv", str(len(getattr(found.roster, part))))
    table.add_row(POLICY_FILE, str(len(found.roster.policies)))
    OUT.print(table)


def _warn(load: Load) -> None:
    for warning in (*load.found.roster.warnings, *load.refused):
        OUT.print(f"warning: {warning}", markup=False, highlight=False)
