"""Folders of data that appear complete or not at all, with a manifest of hashes that is checked before reading.

A part of a bundle may be a bundle itself: the outer manifest then holds the hash of the inner manifest. A folder that
holds anything else than what its manifest names is refused, and so is every link: what is read is what was hashed.

With `REGROUP_SIGNING_KEY` in the environment manifests are signed, and those that are not signed with it are refused:
who can write to a folder of models or profiles can make hashes that fit, but no signature.
"""

import hashlib
import hmac
import io
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from features.errors import WRONG_PATH, InputError, explain_os_error

MANIFEST = "manifest.json"

SIGNATURE = "signature"
"""The member of a manifest with its signature: HMAC-SHA256 over all others."""

SIGNING_KEY = "REGROUP_SIGNING_KEY"

SHORTEST_KEY = 32
"""Fewest characters of a signing key; as many hexadecimal digits hold 128 bits."""


def read_signing_key() -> bytes | None:
    """The key in the environment; None where manifests are not signed.

    Raises:
        InputError: It is too short to be of use.
    """
    key = os.environ.get(SIGNING_KEY, "")
    if key and len(key) < SHORTEST_KEY:
        raise InputError(
            f"{SIGNING_KEY} has {len(key)} characters; `openssl rand -hex 32` makes one that is long enough"
        )
    return key.encode() or None


def write_bundle(
    folder: Path, facts: Mapping[str, Any], write: Callable[[Path], None], hashes: Mapping[str, str] | None = None
) -> None:
    """Makes a folder appear at once, complete, with the hash of every file in its manifest, for its owner alone.

    Args:
        folder: The path of the bundle; an existing one is replaced.
        facts: What the manifest says besides the hashes.
        write: Writes the files, and the bundles that are parts of this one, into the folder that is its argument.
        hashes: Those of files that are known, such as of links to files of another bundle; others are computed.
    """
    hashes = hashes or {}
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".{folder.name}-{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        write(draft)
        parts = (path / MANIFEST if path.is_dir() else path for path in sorted(draft.iterdir()))
        names = ((path.relative_to(draft).as_posix(), path) for path in parts)
        files = {name: hashes.get(name) or file_hash(path) for name, path in names}
        _write_manifest(draft, {**facts, "files": files})
        _close_to_others(draft)
        _put(draft, folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest, after the hash of every file was checked.

    Raises:
        InputError: The manifest is missing, no manifest or not signed, a file is missing or was changed, or there is
            something that the manifest does not name.
        UnavailableError: A file that is there cannot be read.
    """
    manifest = _read_manifest(folder)
    key = read_signing_key()
    if key is not None and not hmac.compare_digest(str(manifest.get(SIGNATURE, "")).encode(), _sign(manifest, key)):
        raise InputError(f"the {MANIFEST} of {folder.name} is not signed with {SIGNING_KEY}")
    _check_names(folder, manifest["files"])
    for name, digest in manifest["files"].items():
        if (part := name.removesuffix(f"/{MANIFEST}")) != name:
            read_manifest(folder / part)
        _require_unchanged(folder, name, digest)
    return manifest


def read_file(folder: Path, name: str, manifest: Mapping[str, Any]) -> bytes:
    """The bytes of a file of a bundle, which are those that the manifest names whatever happened to it since.

    Args:
        folder: The bundle.
        name: The name of the file.
        manifest: What `read_manifest` returned.

    Raises:
        InputError: The manifest does not name the file, or it is missing or was changed.
        UnavailableError: It cannot be read.
    """
    if name not in manifest["files"]:
        raise InputError(f"{folder.name} has no file {name}")
    with _open(folder, name) as file:
        content = file.read()
    _compare(folder, name, manifest["files"][name], hashlib.sha256(content).hexdigest())
    return content


def sign_bundles(folder: Path) -> int:
    """Signs every bundle in a folder and in its folders with the key in the environment; returns how many.

    Raises:
        InputError: There is no key, or a bundle was altered; that one and those that hold it are not signed then.
        UnavailableError: A file cannot be read or written.
    """
    if read_signing_key() is None:
        raise InputError(f"there is no key to sign with; set {SIGNING_KEY}")
    manifests = sorted(folder.rglob(MANIFEST), key=lambda path: len(path.parts), reverse=True)  # inner ones first
    resigned: dict[Path, str] = {}  # the hash that a signed manifest had before
    for path in manifests:
        before = file_hash(path)
        manifest = _read_manifest(path.parent)
        _check_names(path.parent, manifest["files"])
        for name, digest in manifest["files"].items():
            inner = path.parent / name
            if resigned.get(inner) == digest:
                manifest["files"][name] = file_hash(inner)
            else:
                _require_unchanged(path.parent, name, digest)
        _write_manifest(path.parent, manifest)
        resigned[path] = before
    return len(manifests)


def _write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Writes the manifest, signed where there is a key."""
    content = {name: value for name, value in manifest.items() if name != SIGNATURE}
    if (key := read_signing_key()) is not None:
        content[SIGNATURE] = _sign(content, key).decode()
    text = json.dumps(content, indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _sign(manifest: Mapping[str, Any], key: bytes) -> bytes:
    content = {name: value for name, value in manifest.items() if name != SIGNATURE}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), "sha256").hexdigest().encode()


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = manifest["files"]
        hashes = {str(name): bytes.fromhex(digest) for name, digest in files.items()}
    except OSError as error:
        raise explain_os_error(error, f"{folder.name} has no readable {MANIFEST}", WRONG_PATH) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{folder.name} has no readable {MANIFEST}: {type(error).__name__}") from error
    return {**manifest, "files": {name: digest.hex() for name, digest in hashes.items()}}


def _check_names(folder: Path, files: Mapping[str, str]) -> None:
    """Refuses names that lead out of the folder, links, and what the manifest does not name."""
    parts = {name: name.removesuffix(f"/{MANIFEST}") for name in files}
    for name, part in parts.items():
        if not part or part in {".", "..", MANIFEST} or {"/", "\\", "\0"} & set(part):
            raise InputError(f"the {MANIFEST} of {folder.name} names {name!r}, which is no file of a bundle")
    try:
        found = {path.name: path.lstat().st_mode for path in folder.iterdir()}
    except OSError as error:
        raise explain_os_error(error, f"{folder.name} cannot be read", WRONG_PATH) from error
    kinds = {part: stat.S_ISREG if part == name else stat.S_ISDIR for name, part in parts.items()}
    for name, mode in found.items():
        if not kinds.get(name, stat.S_ISREG)(mode):
            raise InputError(f"{folder.name}: {name} is a link or another thing that no bundle holds")
        if name not in kinds and name != MANIFEST:
            raise InputError(f"{folder.name} holds {name}, which its {MANIFEST} does not name")


@contextmanager
def _open(folder: Path, name: str) -> Iterator[io.BufferedReader]:
    """Opens a file of a bundle, and follows no link."""
    try:
        with os.fdopen(os.open(folder / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            yield file
    except FileNotFoundError:
        raise InputError(f"{folder.name} lacks the file {name} that its manifest names") from None
    except OSError as error:
        raise explain_os_error(error, f"{folder.name}: the file {name} cannot be read", WRONG_PATH) from error


def _require_unchanged(folder: Path, name: str, digest: str) -> None:
    with _open(folder, name) as file:
        _compare(folder, name, digest, hashlib.file_digest(file, "sha256").hexdigest())


def _compare(folder: Path, name: str, digest: str, found: str) -> None:
    if found != digest:
        raise InputError(f"{folder.name}: the file {name} is not the one its manifest names; it was changed")


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
