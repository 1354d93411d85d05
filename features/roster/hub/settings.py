"""Where a hub is and who asks: its address, a TOML file, and credentials from that file or the environment.

base_path       path of the hub's lists, where it is not `/ims/oneroster/v1p1` or `/ims/oneroster/rostering/v1p2`;
an address that has a path of its own needs none
version         `v1p1` or `v1p2`; without it, as the path says, else `v1p1`
token           a bearer token that was handed out once; or REGROUP_HUB_TOKEN
client_id       with client_secret: OAuth 2 client credentials where there is a token_url, else each request is
client_secret   signed by OAuth 1 (HMAC-SHA256); or REGROUP_HUB_CLIENT_ID and REGROUP_HUB_CLIENT_SECRET
token_url       where OAuth 2 hands out tokens
scope           what OAuth 2 asks for, else the two scopes of rosters; "" asks for none
page_size       records that one request asks for, 1-10000; 1000 unless given
timeout         seconds that one answer may take, 1-600; 60 unless given
filter          which records to ask for, such as `status='active'`; all unless given: those to be deleted are left
out here too, and a hub may answer a filter with less than it should
absent          lists that the hub does not have: `orgs`, `academicSessions`
trust_count     `false` where the hub's `X-Total-Count` is not the number of records that it gives
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from features.console import OUT
from features.errors import WRONG_PATH, InputError, explain_os_error
from features.roster.files.cells import nearest

BASE_PATHS = {"v1p1": "/ims/oneroster/v1p1", "v1p2": "/ims/oneroster/rostering/v1p2"}

SCOPES = ("roster-core.readonly", "roster.readonly")

LOOPBACK = ("localhost", "127.0.0.1", "::1")

OPTIONAL = ("orgs", "academicSessions")
"""Lists without which a roster can be read."""

SECRETS = {
    "token": "REGROUP_HUB_TOKEN",
    "client_id": "REGROUP_HUB_CLIENT_ID",
    "client_secret": "REGROUP_HUB_CLIENT_SECRET",
}

OTHERS = 0o044
"""Rights of a file that let other accounts read it."""


@dataclass(frozen=True)
class Hub:
    """A hub; no text of it shows a secret.

    Attributes:
        base: Address of the lists, without a slash at the end.
        version: `v1p1` or `v1p2`.
        client_id: Null with a bearer token.
        client_secret: As above.
        token: Null without one.
        token_url: Where OAuth 2 hands out tokens; null: OAuth 1, or the bearer token.
        scope: What OAuth 2 asks for.
        page_size: Records that one request asks for.
        timeout: Seconds that one answer may take.
        filter: Which records to ask for; null = all.
        absent: Lists that the hub does not have.
        trust_count: Whether its count of records is right.
    """

    base: str
    version: str = "v1p1"
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    token_url: str | None = None
    scope: str | None = None
    page_size: int = 1000
    timeout: float = 60
    filter: str | None = None
    absent: tuple[str, ...] = ()
    trust_count: bool = True


def is_address(path: str | Path) -> bool:
    """Whether a path is an address on the web."""
    return isinstance(path, str) and "://" in path


def read_hub(address: str, file: Path | None, environ: Mapping[str, str] = os.environ) -> Hub:
    """The hub at an address.

    Args:
        address: Of the hub, with or without the path of its lists.
        file: A TOML file with the settings above; null = none.
        environ: Has the credentials that the file does not; those of the file count before them.

    Raises:
        InputError: A setting is wrong, or nobody says who asks.
    """
    said = {} if file is None else _read_file(file)
    for key, name in SECRETS.items():
        said[key] = (said.get(key) or environ.get(name) or "").strip() or None
    path = urlsplit(address).path.rstrip("/")
    version = said.pop("version", None) or next((name for name in BASE_PATHS if path.endswith(f"/{name}")), "v1p1")
    own = said.pop("base_path", None) or path or BASE_PATHS[version]
    _require_safe(address, "the address of a hub")
    base = _require_safe(urlunsplit(urlsplit(address)._replace(path=f"/{own.strip('/')}")), "base_path")
    if said.get("token_url") is not None:
        _require_safe(said["token_url"], "token_url")
    if not said["token"] and not (said["client_id"] and said["client_secret"]):
        raise InputError(
            f"nobody says who asks the hub; set {SECRETS['token']}, or {SECRETS['client_id']} and "
            f"{SECRETS['client_secret']}, or write token, or client_id and client_secret, in a file and name it with "
            "--hub"
        )
    if said["token"] and not (said["token"].isascii() and said["token"].isprintable()):
        raise InputError("the hub's token has letters that no token has; copy it again")
    if said.get("scope") is None:
        said["scope"] = " ".join(f"https://purl.imsglobal.org/spec/or/{version}/scope/{name}" for name in SCOPES)
    return Hub(base.rstrip("/"), version, **said)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("is not text; write some in quotes")  # noqa: TRY004 - as all others
    return value


def _number(low: int, high: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"is not right; write a whole number from {low} to {high}")
        return value

    return read


def _version(value: object) -> str:
    if value not in BASE_PATHS:
        raise ValueError(f"is not known; use one of {', '.join(BASE_PATHS)}")
    return str(value)


def _absent(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(name in OPTIONAL for name in value):
        raise ValueError(f"is not right; write a list of {' and '.join(OPTIONAL)}; no roster is whole without others")
    return tuple(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is not right; write true or false")  # noqa: TRY004 - as all others
    return value


KEYS: Mapping[str, Callable[[object], Any]] = {
    **dict.fromkeys((*SECRETS, "base_path", "token_url", "scope", "filter"), _text),
    "version": _version, "page_size": _number(1, 10_000), "timeout": _number(1, 600), "absent": _absent,
    "trust_count": _flag,
}  # fmt: skip


def _read_file(file: Path) -> dict[str, Any]:
    """The settings of a file; no message repeats a value, since it may be a secret."""
    try:
        document = tomllib.loads(file.read_bytes().decode("utf-8-sig"))
        readable = bool(file.stat().st_mode & OTHERS)
    except OSError as error:
        raise explain_os_error(error, f"the hub's file {file} cannot be read", WRONG_PATH) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise InputError(f'the hub\'s file {file} is not TOML; write lines such as token_url = "https://…"') from None
    said = {}
    for key, value in document.items():
        if key not in KEYS:
            meant = nearest(key, KEYS)
            raise InputError(f"{file} {key}: is not known; {f'did you mean {meant}?' if meant else 'remove it'}")
        try:
            said[key] = KEYS[key](value)
        except ValueError as error:
            raise InputError(f"{file} {key}: {error}") from None
    if readable and {"token", "client_secret"} & said.keys():
        OUT.print(f"warning: {file} has a secret, and other accounts may read it; chmod 600 {file}", markup=False)
    return said


def _require_safe(address: str, what: str) -> str:
    """The address, which must not send students' data in the clear or show credentials."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or not address.isascii() or not address.isprintable() or " " in address:
        raise InputError(f"{what} is no address; write one such as https://hub.example/")
    if parts.username is not None or parts.query or parts.fragment:
        raise InputError(f"{what} has more than host and path; write credentials in a file that --hub names")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise InputError(f"{what} begins with {parts.scheme}://, which others can read on the way; write https://")
    return address
