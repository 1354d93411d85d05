"""Everything that the service needs to start without a registry, in one folder.

`struggle/` and `mastery/` hold the models of one run, `profiles/` what was published for it; the manifest says which
run, versions and profiles they are, and holds the hash of each part's own manifest.
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
from serving.models.registry import FORECASTS, Champion

Source = Literal["registry", "bundle", "last_good"]
"""MLflow's registry and the home; a bundle that was exported; the copy of what served last."""


@dataclass(frozen=True)
class Artifacts:
    """Folders, each with a manifest of its own.

    Attributes:
        champion: Run and versions of the models.
        publication: Name under which the profiles were published.
        models: Folder of each forecast's model.
        profiles: Folder of the profiles.
        source: Where they come from.
    """

    champion: Champion
    publication: str
    models: Mapping[str, Path]
    profiles: Path
    source: Source


FORMAT = "regroup-bundle/1"
"""Changes when a reader of an older bundle would misread a newer one."""

PROFILES = "profiles"


def write_artifacts(folder: Path, artifacts: Artifacts) -> None:
    """Copies the parts into a bundle that appears at once, complete; an older bundle there is replaced.

    Raises:
        InputError: A part was altered, or the folder holds something else than a bundle.
    """
    if folder.exists() and not (folder.is_dir() and (not any(folder.iterdir()) or _facts(folder))):
        raise InputError(f"{folder} is there already and is no bundle of this service; name another folder")

    def write(draft: Path) -> None:
        for name, part in {**artifacts.models, PROFILES: artifacts.profiles}.items():
            shutil.copytree(part, draft / name)
            read_manifest(draft / name)

    facts = {
        "format": FORMAT,
        "run_id": artifacts.champion.run_id,
        "versions": dict(artifacts.champion.versions),
        "publication": artifacts.publication,
    }
    write_bundle(folder, facts, write)


def holds(folder: Path, profiles_digest: str, champion: Champion) -> bool:
    """Whether a bundle is already of this run and these profiles; its manifest alone is read.

    Args:
        folder: Of the bundle.
        profiles_digest: Hash of the profiles' manifest.
        champion: Run and versions.
    """
    facts = _facts(folder)
    return facts is not None and (facts["run_id"], facts["versions"], facts["files"].get(f"{PROFILES}/{MANIFEST}")) == (
        champion.run_id,
        dict(champion.versions),
        profiles_digest,
    )


def peek_bundle(folder: Path) -> tuple[Champion, str, str]:
    """Run, name of the profiles, and hash of the manifest; no other file is looked at.

    Raises:
        SnapshotError: There is no bundle, or it is of another format.
    """
    facts = _facts(folder)
    if facts is None:
        told = f"{folder} has no {MANIFEST} of the format {FORMAT}; write one with `python -m serving export FOLDER`"
        raise SnapshotError(told)
    return Champion(facts["run_id"], facts["versions"]), facts["publication"], file_hash(folder / MANIFEST)


def read_artifacts(folder: Path, source: Source) -> Artifacts:
    """The parts of a bundle, after every file has proved to be the one that was written.

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
    """What the manifest says; null where there is no readable one of this format."""
    try:
        facts: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        named = {f"{name}/{MANIFEST}" for name in (*FORECASTS, PROFILES)}
        whole = facts["format"] == FORMAT and set(facts["files"]) == named and set(facts["versions"]) == set(FORECASTS)
        return facts if whole and {"run_id", "publication"} <= set(facts) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
