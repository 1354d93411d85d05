"""The artifacts that a snapshot is loaded from, and a bundle: all of them in one folder that needs no registry.

In a bundle, `struggle/` and `mastery/` hold the models of one run and `profiles/` what was published for it. Its
manifest says which run, versions and profiles they are, and holds the hash of the manifest of each of the three.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from features.bundle import MANIFEST, file_hash, read_manifest, write_bundle
from features.errors import InputError, RegroupError
from serving.errors import SnapshotError
from serving.models.published.registry import FORECASTS, Champion

FORMAT = "regroup-bundle/1"
"""Changes when a reader of an older bundle would misread a newer one."""

PROFILES = "profiles"

Source = Literal["registry", "bundle", "last_good"]
"""MLflow's registry and the home; a bundle that was exported; the copy of what served last."""


@dataclass(frozen=True)
class Artifacts:
    """Models and profiles on disk: three folders, each with a manifest.

    Attributes:
        champion: Run and versions of the models.
        publication: Name under which the profiles were published.
        models: Folder of the model by forecast.
        profiles: Folder of the profiles.
        source: Where the folders come from.
    """

    champion: Champion
    publication: str
    models: Mapping[str, Path]
    profiles: Path
    source: Source


def write_artifacts(folder: Path, artifacts: Artifacts) -> None:
    """Copies artifacts into a bundle that appears at once, complete; an older bundle in its place is replaced.

    Raises:
        InputError: An artifact was altered, or the folder holds something else than a bundle.
    """
    if folder.exists() and not (folder.is_dir() and (not any(folder.iterdir()) or _facts(folder))):
        raise InputError(f"{folder} is there already and is no bundle of this service; name another folder")

    def write(draft: Path) -> None:
        for name, original in {**artifacts.models, PROFILES: artifacts.profiles}.items():
            shutil.copytree(original, draft / name)
            read_manifest(draft / name)

    facts = {
        "format": FORMAT,
        "run_id": artifacts.champion.run_id,
        "versions": dict(artifacts.champion.versions),
        "publication": artifacts.publication,
    }
    write_bundle(folder, facts, write)


def holds(folder: Path, profiles_digest: str, champion: Champion) -> bool:
    """Says whether a bundle holds this run and the profiles whose manifest has this hash, and was not altered since."""
    facts = _facts(folder)
    found = facts and (facts["run_id"], facts["versions"], facts["files"].get(f"{PROFILES}/{MANIFEST}"))
    if found != (champion.run_id, dict(champion.versions), profiles_digest):
        return False
    try:
        read_manifest(folder)
    except RegroupError:
        return False
    return True


def peek_bundle(folder: Path) -> tuple[Champion, str, str]:
    """Reads the run, the name of the profiles and the hash of the manifest, and no other file.

    Raises:
        SnapshotError: There is no bundle, or it is of another format.
    """
    facts = _facts(folder)
    if facts is None:
        raise SnapshotError(
            f"{folder} has no {MANIFEST} of the format {FORMAT}; write one with `python -m serving export FOLDER`"
        )
    return Champion(facts["run_id"], facts["versions"]), facts["publication"], file_hash(folder / MANIFEST)


def read_artifacts(folder: Path, source: Source) -> Artifacts:
    """Returns the artifacts of a bundle after checking the hash of every file.

    Raises:
        SnapshotError: There is no bundle, it is of another format, or a file of it was altered.
    """
    champion, publication, _ = peek_bundle(folder)
    try:
        read_manifest(folder)
    except RegroupError as error:
        raise SnapshotError(f"the bundle {folder.name} is refused: {error}") from error
    models = {name: folder / name for name in FORECASTS}
    return Artifacts(champion, publication, models, folder / PROFILES, source)


def _facts(folder: Path) -> dict[str, Any] | None:
    """Reads the manifest; None where there is no readable one of this format."""
    try:
        facts: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = {f"{name}/{MANIFEST}" for name in (*FORECASTS, PROFILES)}
        complete = set(facts["files"]) == files and set(facts["versions"]) == set(FORECASTS)
        return facts if facts["format"] == FORMAT and complete and {"run_id", "publication"} <= set(facts) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
