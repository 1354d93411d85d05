"""Reads a list of a hub page by page until it is known to be whole.

One reading is believed if its pages join without a gap (each begins with the last record of the one before), no record
came twice, and there are as many as the hub counts. Else two readings in a row, with pages of other lengths, have to
give the same records, and no fewer than the hub counts. Links to a next page are not followed: those of some hubs lead
in circles, or to hosts that only the hub knows; that there is one is a reason to look further.
"""

import logging
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from features.errors import HubError, InputError
from features.roster.hub.client import Answer, Client, RefusedError

Record = dict[str, Any]

READINGS = 4
"""Times that a list is read at most."""

IDLE, IDLE_LINKED = 5, 20
"""Pages in a row without a new record that end a list of which no count says that it is whole.

The second holds where each of them links to a next one. Pages within a list are empty where a hub takes out those who
are to be deleted after it has cut the page.
"""

SMALL_PAGE = 100
"""Records of a page of a hub that refuses larger ones; what OneRoster gives to those who do not say."""

MOST_RECORDS = 10_000_000

TOO_MUCH = frozenset({
    HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.NOT_IMPLEMENTED,
})  # fmt: skip
"""Refusals of a request that asks for more than the hub can: large pages, or an order."""

logger = logging.getLogger(__name__)


@dataclass
class Reading:
    """A list as it was read once.

    Attributes:
        records: By id, the last that was read of each.
        total: How many the hub counted last; null where it does not count or is not trusted.
        unchanging: Whether it counted the same on each page.
        longest: Records of the longest page.
        whole: Whether the reading alone shows that nothing is missing.
    """

    records: dict[str, Record] = field(default_factory=dict)
    total: int | None = None
    unchanging: bool = True
    longest: int = 0
    whole: bool = True

    @property
    def lacks(self) -> bool:
        """Whether there are fewer records than the hub counts."""
        return self.total is not None and len(self.records) < self.total

    def add(self, page: list[Record]) -> bool:
        """Adds a page and returns whether any of its records is new."""
        before = len(self.records)
        self.records.update((record["sourcedId"], record) for record in page)
        new = len(self.records) - before
        self.whole &= new == len(page)
        self.longest = max(self.longest, len(page))
        if len(self.records) > MOST_RECORDS:
            raise InputError(f"the hub gives more than {MOST_RECORDS:,} records of one kind and does not end")
        return new > 0

    def note_total(self, total: int | None) -> None:
        """Notes what a page says of the number of all."""
        self.unchanging &= total is not None and self.total in {None, total}
        self.whole &= self.unchanging
        self.total = self.total if total is None else total


def read_list(client: Client, name: str) -> list[Record]:
    """All records of a list, each once.

    Args:
        client: Asks the hub.
        name: Of the list, such as `users`.

    Raises:
        HubError: The hub did not answer, or the list is not known to be whole.
        InputError: The hub refuses, or never ends.
    """
    before: Reading | None = None
    size = most = client.hub.page_size
    longest = 0
    for turn in range(READINGS):
        found = _read_once(client, name, size)
        again = before is not None and before.records.keys() == found.records.keys()
        if (found.whole and len(found.records) == found.total) or (again and not found.lacks):
            logger.info("hub: %s: %s records", name, f"{len(found.records):,}")
            return list(found.records.values())
        before, longest = found, max(longest, found.longest)
        size = min(most, max(1, longest - (turn + 1) % 2))  # by turns one less, so that pages begin elsewhere
    if found.lacks:
        why = f"the hub counts {found.total:,} {name} and gives {len(found.records):,}; if it counts others too, set "
        why += "trust_count = false in the file that --hub names"
    else:
        why = f"the hub's list of {name} was another each of {READINGS} times; try again when nobody changes it"
    raise HubError(f"{why}; nothing was changed")


def read_page(body: object, name: str) -> list[Record]:
    """The records of an answer, whatever they are wrapped in; none of an empty one.

    Raises:
        ValueError: It is no list of records with ids.
    """
    page = body
    if isinstance(body, dict):
        lists = [value for key, value in body.items() if isinstance(value, list) and key.lower() == name.lower()]
        lists = lists or [value for value in body.values() if isinstance(value, list)]
        if len(lists) != 1 and any(value is not None for value in body.values()):
            raise ValueError(f"no list of {name}")
        page = lists[0] if lists else []
    if page is None:
        return []
    if not isinstance(page, list) or not all(isinstance(record, dict) for record in page):
        raise ValueError(f"no list of {name}")
    for record in page:
        key = record.get("sourcedId")
        if isinstance(key, bool) or not isinstance(key, str | int) or not str(key).strip():
            raise ValueError(f"{name} that have no sourcedId")
        record["sourcedId"] = str(key).strip()
    return page


def _read_once(client: Client, name: str, size: int) -> Reading:
    found, first = Reading(), list[Record]()
    offset, idle, last = 0, 0, ""
    while True:
        joins = bool(last)
        answer = _ask(client, name, size, offset - joins)
        page = answer.body
        if page or answer.total is not None:
            found.note_total(answer.total if client.hub.trust_count else None)
        if joins:
            joined = bool(page) and page[0]["sourcedId"] == last
            if not joined or len(page) == 1:
                # the list has moved, or the hub takes no such offset, or this is the end; what is at the offset itself?
                found.whole &= joined
                found.records.update((record["sourcedId"], record) for record in page)  # who was seen once is there
                last = ""
                continue
            page = page[1:]
        if found.add(page):
            first = first or page
            offset += len(page)
            last, idle = page[-1]["sourcedId"], 0
            continue
        idle += 1
        begins_again = bool(page and offset) and _ids(page) == _ids(first)
        most = IDLE_LINKED if answer.more and not begins_again else IDLE
        if found.unchanging and len(found.records) == found.total:
            most = 1
        if idle >= most and (begins_again or not (found.lacks and offset < (found.total or 0))):
            if begins_again:
                _require_pages(client, name, first)
            return found
        offset += len(page) or found.longest or size


def _ask(client: Client, name: str, limit: int, offset: int) -> Answer:
    query: dict[str, object] = {"limit": min(limit, SMALL_PAGE) if client.plain else limit, "offset": offset}
    if not client.plain:  # an order that stays keeps records from moving between pages
        query |= {"sort": "sourcedId", "orderBy": "asc"}
    if client.hub.filter is not None:
        query["filter"] = client.hub.filter
    try:
        return client.get(name, lambda body: read_page(body, name), **query)
    except RefusedError as error:
        if offset and error.status == HTTPStatus.NOT_FOUND:  # as some say that a list has ended
            return Answer([], None, more=False)
        if client.plain or error.status not in TOO_MUCH:
            raise
    client.plain = True
    return _ask(client, name, limit, offset)


def _require_pages(client: Client, name: str, first: list[Record]) -> None:
    """Refuses a hub that gives its first page whatever the offset, unless that is the whole list."""
    half = len(first) // 2
    if half and _ids(_ask(client, name, half, half).body) == _ids(first)[:half]:
        raise InputError(f"the hub gives the same {name} whatever the offset; only its first page can be read")


def _ids(page: list[Record]) -> list[str]:
    return [record["sourcedId"] for record in page]
