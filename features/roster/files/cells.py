"""Parsers of single cells of a roster file; they raise ValueError with what would be right."""

import difflib
import unicodedata
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date, datetime, time
from typing import TypeVar

from features.dates import require_school_date
from features.lengths import LONGEST_ID

Number = TypeVar("Number", int, float)

CLOCK = 5
"""Characters of HH:MM."""

LONGEST_TEXT = 2000
"""Characters of a name, at most."""

LONGEST_SHOWN = 40
"""Characters of a wrong value that a message repeats."""


def parse_id(text: str) -> str:
    """The id as it stands.

    Raises:
        ValueError: It has outer blanks, a semicolon, a control character or more than 200 characters.

    Example:
        >>> parse_id("007")
        '007'
    """
    if text != text.strip():
        raise ValueError("begins or ends with a blank; remove it")
    if ";" in text:
        raise ValueError("has a semicolon, which separates the ids of a list; use an id without one")
    return _require_short(text)


def parse_ids(text: str) -> tuple[str, ...]:
    """The ids between semicolons, each once, in the order given.

    Raises:
        ValueError: One of them has a control character or more than 200 characters, or there is none.

    Example:
        >>> parse_ids("b; a;b")
        ('b', 'a')
    """
    ids = tuple(dict.fromkeys(parse_id(part.strip()) for part in text.split(";") if part.strip()))
    if not ids:
        raise ValueError("names nobody; write ids separated by semicolons")
    return ids


def parse_text(text: str) -> str:
    """The text without outer blanks.

    Raises:
        ValueError: It has a NUL character, which PostgreSQL cannot keep, or more than 2,000 characters.
    """
    if "\0" in text:
        raise ValueError("has a NUL character; remove it")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"has {len(text):,} characters; use at most {LONGEST_TEXT:,}")
    return text.strip()


def parse_word(text: str) -> str:
    """The word in small letters, without outer blanks.

    Raises:
        ValueError: It has a control character or more than 200 characters.

    Example:
        >>> parse_word(" Reading Coach")
        'reading coach'
    """
    return _require_short(text.strip()).lower()


def one_of(*allowed: str) -> Callable[[str], str]:
    """A parser that takes exactly these words, in any case."""

    def parse(text: str) -> str:
        word = text.strip().lower()
        if word not in allowed:
            raise ValueError(f"{shown(text)} is not known; use one of {', '.join(allowed)}")
        return word

    return parse


def several_of(*allowed: str) -> Callable[[str], tuple[str, ...]]:
    """A parser that takes these words separated by semicolons."""
    parse_one = one_of(*allowed)

    def parse(text: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(parse_one(part) for part in text.split(";") if part.strip()))

    return parse


def parse_count(text: str) -> int:
    """A whole number of 1 or more.

    Raises:
        ValueError: It is anything else.
    """
    largest = 2**31 - 1  # PostgreSQL's integer
    return _parse_number(int, text, 1, largest, "a count; write a whole number of 1 or more")


def parse_share(text: str) -> float:
    """A number from 0 to 1.

    Raises:
        ValueError: It is anything else.
    """
    return _parse_number(float, text, 0, 1, "a weight; write a number from 0 to 1, such as 0.5")


def parse_yes(text: str) -> bool:
    """Whether the cell says yes.

    Raises:
        ValueError: It says neither yes nor no.
    """
    return one_of("yes", "no")(text) == "yes"


def parse_clock(text: str) -> time:
    """A wall-clock time.

    Raises:
        ValueError: It is not HH:MM with 24 hours.

    Example:
        >>> parse_clock("9:05")
        datetime.time(9, 5)
    """
    clock = text.strip().zfill(CLOCK)
    try:
        return datetime.strptime(clock, "%H:%M").time()  # noqa: DTZ007 - a wall clock has no zone
    except ValueError:
        raise ValueError(f"{shown(text)} is not a time; write HH:MM, such as 09:05") from None


def parse_date(text: str) -> date:
    """A calendar date.

    Raises:
        ValueError: It is not YYYY-MM-DD, or before 1990 or after 2199.
    """
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{shown(text)} is not a date; write YYYY-MM-DD, such as 2026-03-09") from None
    require_school_date(day)
    return day


def parse_until(text: str) -> date | None:
    """A last day, or null for `proficient`.

    Raises:
        ValueError: It is neither.

    Example:
        >>> parse_until("2026-05-29"), parse_until("Proficient")
        (datetime.date(2026, 5, 29), None)
    """
    if parse_word(text) == "proficient":
        return None
    try:
        return parse_date(text)
    except ValueError as error:
        raise ValueError(f"{error}, or `proficient`") from None


def shown(text: str) -> str:
    """A wrong value in quotes, cut where it is long."""
    return repr(text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one; null = none is like it.

    Example:
        >>> nearest("scool", ["school", "name"])
        'school'
    """
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.7)
    return close[0] if close else None


def _parse_number(make: Callable[[str], Number], text: str, least: int, most: int, right: str) -> Number:
    with suppress(ValueError):
        number = make(text)
        if least <= number <= most:
            return number
    raise ValueError(f"{shown(text)} is not {right}")


def _require_short(text: str) -> str:
    """The text, which requests can name: their ids follow the same rules (`serving.schemas.texts`)."""
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError("has a line break or control character; use an id without one")
    if len(text) > LONGEST_ID:
        raise ValueError(f"has {len(text):,} characters; use at most {LONGEST_ID}")
    return text


def unknown(named: str, known: Iterable[str], where: str) -> str:
    """What to say of an id that is not where it should be."""
    meant = nearest(named, known)
    return f"{shown(named)} is not in {where}; " + (f"did you mean {shown(meant)}?" if meant else "add it there")
