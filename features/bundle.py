"""Folders of data that are whole or not there, with a manifest of hashes that a reader checks before it reads."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from features.errors import InputError

MANIFEST = "manifest.json"


def write_bundle(folder: Path, facts: Mapping[str, Any], write: Callable[[Path], None]) -> None:
    """Makes a folder appear at once, complete, with the hash of every file in its manifest.

    Args:
        folder: Where it shall be; one that is there already is replaced.
        facts: What the manifest says besides the hashes.
        write: Writes the files into the folder that it is given.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".{folder.name}-{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        write(draft)
        files = {path.name: file_hash(path) for path in sorted(draft.iterdir())}
        text = json.dumps({**facts, "files": files}, indent=2, ensure_ascii=False)
        (draft / MANIFEST).write_text(text + "\n", encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        draft.replace(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest's facts, after every file has proved to be the one that was written.

    Raises:
        InputError: The manifest is missing or unreadable, or a file is missing or was changed.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        expected = manifest["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder.name} has no readable {MANIFEST}: {type(error).__name__}") from error
    for name, digest in expected.items():
        path = folder / name
        if Path(name).name != name or not path.is_file():
            raise InputError(f"{folder.name} lacks the file {name} that its manifest names")
        if file_hash(path) != digest:
            raise InputError(f"{folder.name}: the file {name} is not the one its manifest names; it was changed")
    return manifest


def file_hash(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
