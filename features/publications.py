"""Published profiles: the state of every student at one moment, for the models of one run, and which of them is newest.

The newest are those of the latest moment and, of one moment, of the latest event log. When a folder was written says
nothing: a night may look back (`--as-of`), and a copy or a back-up gives folders other times.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from features.bundle import MANIFEST, read_manifest, write_bundle
from features.errors import InputError
from features.home import Home
from features.profiles.columns import SCHEMA_HASH
from features.profiles.difficulty import Statistics
from features.profiles.fold import build_profiles, read_student_profiles

NAME = re.compile(r"(no-clock|\d{8}T\d{6}Z)-(\d+)\.(\d+)(?:-erased(\d+))?")
"""The moment, the versions of the event log and of the items' skills, and how many erasures there were since."""

MOMENT = "%Y%m%dT%H%M%SZ"
NO_CLOCK = "no-clock"


def publish_profiles(
    home: Home,
    run_id: str,
    events: pd.DataFrame,
    item_skills: pd.DataFrame,
    statistics: Statistics,
    as_of: datetime | None,
    data_version: str,
    code: str = "",
) -> Path:
    """Writes the profiles that the service serves with the models of a run.

    The folder appears at once, complete: `skill_profiles.parquet` (one row per student and practiced skill, sorted by
    student), `student_profiles.parquet` (one row per student), `state.npz` and `statistics.json` (which continue the
    profiles with later events), `items.parquet` (one row per item, in the order of the state's codes), and a manifest.
    What the same code published of the same data stays as it is.

    Args:
        home: Whose `published` folder it goes to.
        run_id: The run of the models that will read them.
        events: Rows of `Events`.
        item_skills: Rows of `ItemSkills`.
        statistics: The statistics that the run was trained with.
        as_of: The moment of the states, in UTC; None for a log without a clock.
        data_version: Versions of the event log and of the items' skills.
        code: Hash of the code that makes them.
    """
    folder = home.published / run_id / name_publication(as_of, data_version)
    facts = {
        "format": 1,
        "run_id": run_id,
        "as_of": None if as_of is None else as_of.isoformat(),
        "data_version": data_version,
        "schema": SCHEMA_HASH,
        "code": code,
    }
    if code and _holds(folder, facts):
        return folder
    known = statistics.extend(item_skills, events["item_id"], events["skills"])
    profiles, state = build_profiles(events, known, as_of)

    def write(draft: Path) -> None:
        ordered = profiles.sort_values(["student_id", "skill_id"], ignore_index=True)
        ordered.to_parquet(draft / "skill_profiles.parquet", index=False)
        read_student_profiles(state, known, as_of).to_parquet(draft / "student_profiles.parquet", index=False)
        state.save(draft / "state.npz")
        known.describe_items().to_parquet(draft / "items.parquet", index=False)
        (draft / "statistics.json").write_text(json.dumps(known.to_json(), ensure_ascii=False), encoding="utf-8")

    write_bundle(folder, {**facts, "students": len(state.students), "skill_profiles": len(profiles)}, write)
    return folder


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


def _holds(folder: Path, facts: dict[str, object]) -> bool:
    """Whether a folder has these facts, and was not altered since it was written."""
    try:
        manifest = read_manifest(folder)
    except InputError:
        return False
    return facts.items() <= manifest.items()
