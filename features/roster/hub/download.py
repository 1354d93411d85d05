"""Downloads a roster from a hub as the CSV files of OneRoster, which are read as those of any export."""

import csv
import io
import time
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote

from features.errors import HubError, InputError
from features.roster.exports.oneroster import MANIFEST
from features.roster.files.archive import Files
from features.roster.hub.client import Client, RefusedError
from features.roster.hub.lists import Record, read_list
from features.roster.hub.settings import Hub

LISTS = ("enrollments", "classes", "academicSessions", "orgs", "users")
"""In the order in which they are read: whoever is enrolled before is a user after."""

NEEDED = ("enrollments", "classes", "users")

ASKED = 20
"""People and classes that enrollments name and no list has, of whom the hub is asked one by one."""

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "orgs": {"parentSourcedId": "parent"} | {key: key for key in ("name", "type", "identifier")},
    "academicSessions": {"parentSourcedId": "parent"}
    | {key: key for key in ("title", "type", "startDate", "endDate", "schoolYear")},
    "classes": {"courseSourcedId": "course", "schoolSourcedId": "school", "termSourcedIds": "terms"}
    | {key: key for key in ("title", "grades", "classCode", "classType", "location", "subjects", "periods")},
    "enrollments": {"classSourcedId": "class", "userSourcedId": "user", "schoolSourcedId": "school"}
    | {key: key for key in ("role", "primary", "beginDate", "endDate")},
    "users": {"orgSourcedIds": "orgs", "agentSourcedIds": "agents", "primaryOrgSourcedId": "primaryOrg"}
    | {
        key: key
        for key in (
            "enabledUser", "role", "username", "userIds", "givenName", "familyName", "middleName", "identifier",
            "email", "sms", "phone", "grades", "userMasterIdentifier", "preferredGivenName", "preferredMiddleName",
            "preferredFamilyName",
        )
    },
}  # fmt: skip
"""Columns of each file, and the key of a record that each of them has."""

ROLE_COLUMNS = {"orgSourcedId": "org"} | {key: key for key in ("roleType", "role", "beginDate", "endDate")}
"""Columns of `roles.csv`, whose rows are within the users of OneRoster 1.2."""


def download_roster(hub: Hub, wait: Callable[[float], None] = time.sleep) -> Files:
    """OneRoster's files, in memory alone; names in them are for the reader to leave out.

    Args:
        hub: The hub.
        wait: Waits for some seconds before a request is asked again.

    Raises:
        HubError: The hub did not answer, or did not give the whole roster.
        InputError: The hub refuses, or the settings are wrong.
    """
    client = Client(hub, wait)
    lists = {name: read_list(client, name) for name in LISTS if name not in hub.absent}
    for name in NEEDED:
        if not lists[name]:
            raise HubError(f"the hub gave no {name}, and without them no roster is whole; nothing was changed")
    enrolled = [record for record in lists["enrollments"] if _holds(record)]
    for name, key in (("users", "user"), ("classes", "class")):
        _require_named(client, name, lists[name], {_write_value(record.get(key)) for record in enrolled} - {""})
    version = f"1.{hub.version[-1]}"
    modes = [(f"file.{name}", "bulk" if name in lists else "absent") for name in LISTS]
    files = {MANIFEST: _write([["propertyName", "value"], ["oneroster.version", version], *modes])}
    for name, records in lists.items():
        keys = {"sourcedId": "sourcedId", "status": "status", **COLUMNS[name]}
        rows = ([_write_value(record.get(key)) for key in keys.values()] for record in records)
        files[name] = _write([[*keys], *rows])
    roles = [
        [record["sourcedId"], *(_write_value(role.get(key)) for key in ROLE_COLUMNS.values())]
        for record in lists["users"]
        for role in record.get("roles") or ()
        if isinstance(role, dict)
    ]
    if roles:
        files["roles"] = _write([["userSourcedId", *ROLE_COLUMNS], *roles])
    return {f"{name}.csv": content for name, content in files.items()}


def _require_named(client: Client, name: str, records: list[Record], named: set[str]) -> None:
    """Asks for some of those whom enrollments name and the list lacks: one who is there shows that it is not whole."""
    for key in sorted(named - {record["sourcedId"] for record in records})[:ASKED]:
        try:
            found = client.get(f"{name}/{quote(key, '')}", _read_one).body
        except RefusedError:
            continue
        if found is not None and str(found.get("status")).lower() != "tobedeleted" and found.get("sourcedId") == key:
            raise HubError(
                f"the hub's list of {name} lacks one whom it knows by id; nothing was changed; try again later"
            )


def _holds(record: Record) -> bool:
    return str(record.get("status")).lower() != "tobedeleted"


def _read_one(body: object) -> Record | None:
    """The record of an answer about one thing; null where there is none."""
    inner = next(iter(body.values()), None) if isinstance(body, dict) and len(body) == 1 else body
    return inner if isinstance(inner, dict) else None


def _write_value(value: object) -> str:
    """A value as a cell: `true`, `a,b`, the id that a link names, or `{type:identifier}` of another id."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(filter(None, map(_write_value, value)))
    if isinstance(value, dict):
        if "identifier" in value and "type" in value:
            return f"{{{value['type']}:{value['identifier']}}}"
        return _write_value(value.get("sourcedId"))
    return str(value)


def _write(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    try:
        return text.getvalue().encode()
    except UnicodeEncodeError:
        raise InputError("the hub gives text that is not Unicode (half of a pair of surrogates)") from None
