"""Folders of data that appear complete or not at all, with a manifest of hashes that is checked before reading.

A part of a bundle may be a bundle itself: the outer manifest then holds the hash of the inner manifest.
"""

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from features.errors import WRONG_PATH, InputError, explain_os_error

MANIFEST = "manifest.json"


def write_bundle(folder: Path, facts: Mapping[str, Any], write: Callable[[Path], None]) -> None:
    """Makes a folder appear at once, complete, with the hash of every file in its manifest, for its owner alone.

    Args:
        folder: The path of the bundle; an existing one is replaced.
        facts: What the manifest says besides the hashes.
        write: Writes the files, and the bundles that are parts of this one, into the folder that is its argument.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".{folder.name}-{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        write(draft)
        parts = (path / MANIFEST if path.is_dir() else path for path in sorted(draft.iterdir()))
        files = {path.relative_to(draft).as_posix(): file_hash(path) for path in parts}
        text = json.dumps({**facts, "files": files}, indent=2, ensure_ascii=False)
        (draft / MANIFEST).write_text(text + "\n", encoding="utf-8")
        _close_to_others(draft)
        _put(draft, folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest, after the hash of every file was checked.

    Raises:
        InputError: The manifest is missing or no manifest, or a file is missing or was changed.
        UnavailableError: A file that is there cannot be read.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        expected = manifest["files"]
    except OSError as error:
        raise explain_os_error(error, f"{folder.name} has no readable {MANIFEST}", WRONG_PATH) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder.name} has no readable {MANIFEST}: {type(error).__name__}") from error
    for name, digest in expected.items():
        path = folder / name
        part = name.removesuffix(f"/{MANIFEST}")
        if Path(part).name != part or not path.is_file():
            raise InputError(f"{folder.name} lacks the file {name} that its manifest names")
        try:
            changed = file_hash(path) != digest
        except OSError as error:
            raise explain_os_error(error, f"{folder.name}: the file {name} cannot be read", WRONG_PATH) from error
        if changed:
            raise InputError(f"{folder.name}: the file {name} is not the one its manifest names; it was changed")
        if part != name:
            read_manifest(folder / part)
    return manifest


def _close_to_others(folder: Path) -> None:
    """Leaves no right to anybody but the owner, whatever the rights of the files that were copied."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(stat.S_IRWXU if path.is_dir() else stat.S_IRUSR | stat.S_IWUSR)


def _put(draft: Path, folder: Path) -> None:
    """Puts the draft in the folder's place, which is empty for the moment between two renames."""
    if not folder.exists():
        draft.replace(folder)
        return
    old = draft.with_name(f"{draft.name}-old")
    shutil.rmtree(old, ignore_errors=True)
    folder.replace(old)
    draft.replace(folder)
    shutil.rmtree(old)


def file_hash(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
