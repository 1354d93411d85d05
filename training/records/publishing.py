"""Publishes profiles for the service: the state of every student at one moment, by the champion's statistics."""

import json
from datetime import datetime
from pathlib import Path

import pandas as pd

from features.bundle import write_bundle
from features.home import Home
from features.profiles.columns import SCHEMA_HASH
from features.profiles.difficulty import Statistics
from features.profiles.fold import build_profiles, read_student_profiles


def publish_profiles(
    home: Home,
    run_id: str,
    events: pd.DataFrame,
    item_skills: pd.DataFrame,
    statistics: Statistics,
    as_of: datetime | None,
    data_version: str,
) -> Path:
    """Writes the profiles that the service serves with the models of a run.

    The folder appears at once, complete: `skill_profiles.parquet` (one row per student and practiced skill, sorted by
    student), `student_profiles.parquet` (one row per student), `state.npz` and `statistics.json` (which continue the
    profiles with later events), `items.parquet` (one row per item, in the order of the state's codes), and a manifest.

    Args:
        home: Whose `published` folder it goes to.
        run_id: The run of the models that will read them.
        events: Rows of `Events`.
        item_skills: Rows of `ItemSkills`.
        statistics: The statistics that the run was trained with.
        as_of: The moment of the states, in UTC; None for a log without a clock.
        data_version: Versions of the event log and of the items' skills.
    """
    known = statistics.extend(item_skills, events["item_id"], events["skills"])
    profiles, state = build_profiles(events, known, as_of)
    moment = "no-clock" if as_of is None else as_of.strftime("%Y%m%dT%H%M%SZ")

    def write(draft: Path) -> None:
        ordered = profiles.sort_values(["student_id", "skill_id"], ignore_index=True)
        ordered.to_parquet(draft / "skill_profiles.parquet", index=False)
        read_student_profiles(state, known, as_of).to_parquet(draft / "student_profiles.parquet", index=False)
        state.save(draft / "state.npz")
        known.describe_items().to_parquet(draft / "items.parquet", index=False)
        (draft / "statistics.json").write_text(json.dumps(known.to_json(), ensure_ascii=False), encoding="utf-8")

    facts = {
        "format": 1,
        "run_id": run_id,
        "as_of": None if as_of is None else as_of.isoformat(),
        "data_version": data_version,
        "schema": SCHEMA_HASH,
        "students": len(state.students),
        "skill_profiles": len(profiles),
    }
    folder = home.published / run_id / f"{moment}-{data_version}"
    write_bundle(folder, facts, write)
    return folder
