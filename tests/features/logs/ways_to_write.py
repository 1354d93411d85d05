"""Ways in which programs and people write names, moments, outcomes and durations, and put a table into a file."""

import csv
import gzip
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from tests.features.conftest import write_sheets

ENCODINGS = {
    "utf-8": None,
    "utf-8-sig": None,
    "utf-16": None,
    "cp1252": "cp1252",
    "latin-1": "latin-1",
    "cp1250": "cp1250",
    "mac-roman": "mac-roman",
    "shift_jis": "shift_jis",
    "utf-16-le": "utf-16-le",
}
"""Encodings, and what a mapping has to say of each."""

NAMES = [
    "1001",
    "007",
    "NA",
    "null",
    "1e3",
    "1001.0",
    "TRUE",
    "-",
    "zoë",
    "O\u2019Brien",
    "Łukasz",
    "学生",
    'say "x"',
    "'q'",
    "a,b",
    "a;b",
    "a|b",
    "a\tb",
    "a\nb",
    "=1+1",
    "a  b",
    "#1",
    "3/5",
    "Total",
]
NULLS = ["NA", "NULL", "null", "N/A", "#N/A", "-", "--", "\\N", "None", "unknown"]
ZONES = ["UTC", "America/Chicago", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"]
LETTERS = "aZ09 éßÅŁłžЖ学の\u2013\u2019ñ.,;:|_+-/()'\"%&"

some = st.sampled_from


def fits(name: str, encoding: str) -> bool:
    try:
        return name == name.encode(encoding).decode(encoding)
    except UnicodeError:
        return False


def names_in(encoding: str, unlike: list[str]) -> st.SearchStrategy[str]:
    """Names that an encoding has, none of them one of some words."""
    letters = "".join(letter for letter in LETTERS if fits(letter, encoding))
    made_up = st.text(letters, min_size=1, max_size=5).map(lambda text: text.strip() or "x")
    return some([name for name in NAMES if fits(name, encoding) and name not in unlike]) | made_up.filter(
        lambda text: text not in unlike
    )


Writer = tuple[Callable[[datetime], str], str]
"""How a local moment is written, and the unit to which."""

UNITS = {
    "day": {"hour": 0, "minute": 0, "second": 0, "microsecond": 0},
    "min": {"second": 0, "microsecond": 0},
    "s": {"microsecond": 0},
    "ms": {},
    "us": {},
}


def cut(at: datetime, unit: str) -> datetime:
    """The moment to a unit."""
    return at.replace(**UNITS[unit], **({"microsecond": at.microsecond // 1000 * 1000} if unit == "ms" else {}))


def hour(at: datetime) -> int:
    return at.hour % 12 or 12


CLOCKS: list[Writer] = [
    (lambda at: f"{at:%H:%M}", "min"),
    (lambda at: f"{at.hour}:{at:%M:%S}", "s"),
    (lambda at: f"{at:%H:%M:%S.%f}", "us"),
    (lambda at: f"{hour(at)}:{at:%M %p}", "min"),
    (lambda at: f"{hour(at)}:{at:%M:%S %p}", "s"),
    (lambda at: f"{hour(at):02}:{at:%M:%S}{f'{at:%p}'.lower()}", "s"),
    (lambda at: f"{hour(at)}:{at:%M} {f'{at:%p}'[0].lower()}.m.", "min"),
    (lambda at: f"{hour(at)}:{at:%M:%S}\u202f{at:%p}", "s"),  # as browsers and Excel write it today
    (lambda at: f"{hour(at)}:{at:%M}\xa0{at:%p}", "min"),
]


def days(first: str, second: str) -> list[Callable[[datetime], str]]:
    def number(at: datetime, name: str, zeros: bool) -> str:
        return f"{getattr(at, name):02}" if zeros else str(getattr(at, name))

    def write(mark: str, year: str, zeros: bool) -> Callable[[datetime], str]:
        return lambda at: f"{number(at, first, zeros)}{mark}{number(at, second, zeros)}{mark}{at.strftime(year)}"

    return [write(mark, year, zeros) for mark in "/.-" for year in ("%Y", "%y") for zeros in (True, False)]


def by_people(first: str, second: str) -> list[Writer]:
    """A day alone, or with a clock behind it; UTC where it says so."""
    alone = [(day, "day") for day in days(first, second)]
    both = [
        ((lambda at, day=day, gap=gap, clock=clock: f"{day(at)}{gap}{clock(at)}"), unit)
        for day in days(first, second)
        for gap in (" ", ", ", "  ", "\xa0")
        for clock, unit in CLOCKS
    ]
    return alone + both


US, EU = by_people("month", "day"), by_people("day", "month")
ISO: list[Writer] = [
    (lambda at: f"{at:%Y-%m-%d %H:%M:%S}", "s"),
    (lambda at: f"{at:%Y-%m-%dT%H:%M}", "min"),
    (lambda at: f"{at:%Y-%m-%dT%H:%M:%S.%f}", "us"),
    (lambda at: f"{at:%Y-%m-%d %H:%M:%S.%f}"[:-3], "ms"),
    (lambda at: f"{at:%Y-%m-%d}", "day"),
    (lambda at: f"{at:%Y%m%dT%H%M%S}", "s"),
]
WITH_OFFSET: list[Writer] = [
    (lambda at: f"{at:%Y-%m-%dT%H:%M:%S%z}", "s"),
    (lambda at: at.isoformat(timespec="microseconds"), "us"),
    (lambda at: at.isoformat(" ", timespec="seconds"), "s"),
    (lambda at: f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "s"),
    (lambda at: f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC", "s"),
    (lambda at: f"{at.astimezone(UTC):%Y-%m-%d %H:%M} GMT", "min"),
    (lambda at: f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}", "s"),
]
PATTERNS = {
    "%d-%b-%Y %H:%M:%S": "s",
    "%A, %B %d, %Y %I:%M %p": "min",
    "%Y/%m/%d %H:%M": "min",
    "%b %d, %Y %I:%M:%S %p": "s",
    "%Y%m%d%H%M%S": "s",
    "%d %B %Y, %H:%M": "min",
    "%H:%M %d.%m.%Y": "min",
    "%m/%d/%Y %H:%M:%S.%f": "us",
    "%j/%Y %H:%M": "min",
    "%Y.%m.%d %Hh%M": "min",
}
WITH_OFFSETS = {"%Y-%m-%dT%H:%M:%S.%f%z": "us", "%d/%b/%Y:%H:%M:%S %z": "s"}
ORIGIN = datetime(2024, 9, 1, tzinfo=UTC)
ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - of a clock on the wall


def since(origin: datetime, unit: timedelta) -> Callable[[datetime], str]:
    return lambda at: str(
        (Decimal((at - origin) // timedelta(microseconds=1)) / (unit // timedelta(microseconds=1)))
        .normalize()
        .__format__("f")
    )


SERIAL: Writer = (lambda at: repr((at.replace(tzinfo=None) - ZERO) / timedelta(1)), "ms")
EPOCHS = {
    "seconds": timedelta(seconds=1),
    "milliseconds": timedelta(milliseconds=1),
    "microseconds": timedelta(microseconds=1),
}


@st.composite
def times(draw) -> tuple[dict[str, object], list[Writer], bool]:
    """What the mapping says of times, how they are written, and whether that tells the zone."""
    kind = draw(some(["iso", "offset", "us", "eu", "pattern", "pattern with offset", "serial", "epoch"]))
    zone = draw(some(ZONES))
    if kind == "epoch":
        unit = draw(some(sorted(EPOCHS)))
        from_origin = draw(st.booleans())
        said = {"form": f"epoch_{unit}"} | ({"origin": ORIGIN} if from_origin else {})
        return said, [(since(ORIGIN if from_origin else datetime(1970, 1, 1, tzinfo=UTC), EPOCHS[unit]), "us")], True
    said = {"zone": zone} | ({"form": kind} if kind in {"us", "eu", "serial"} else {})
    if "pattern" in kind:
        pattern, unit = draw(some(sorted((PATTERNS if kind == "pattern" else WITH_OFFSETS).items())))
        return said | {"form": pattern}, [(lambda at: at.strftime(pattern), unit)], kind != "pattern"
    writers = {"iso": ISO, "offset": WITH_OFFSET, "us": US, "eu": EU, "serial": [SERIAL]}[kind]
    return said, draw(st.lists(some(writers), min_size=1, max_size=3)), kind == "offset"


def in_utc(local: datetime, tells_zone: bool) -> pd.Timestamp:
    """The moment that a clock on the wall shows, the first time where it shows one twice."""
    return pd.Timestamp((local if tells_zone else local.replace(fold=0)).astimezone(UTC))


@st.composite
def outcomes(draw) -> tuple[dict[str, object], st.SearchStrategy[tuple[str, Fraction]]]:
    """What the mapping says of outcomes, and outcomes as written, with the share of the points that each is."""
    kind = draw(some(["zero_one", "bool", "words", "score"]))
    if kind == "zero_one":
        return {}, some([("1", Fraction(1)), ("0", Fraction(0)), ("1.0", Fraction(1)), ("0.0", Fraction(0))])
    if kind == "bool":
        yes, no = (
            ["TRUE", "true", "Yes", "y", "T", "1", "Correct", "right", "PASS"],
            ["False", "NO", "n", "f", "0", "Incorrect", "wrong", "fail"],
        )
        return {"form": "bool"}, some([(word, Fraction(1)) for word in yes] + [(word, Fraction(0)) for word in no])
    if kind == "words":
        words = draw(
            st.lists(
                some(["OK", "BUG", "hint", "✓", "✗", "richtig", "Falsch", "1st try", "half, or so", "correct", "no"]),
                min_size=2,
                unique=True,
            )
        )
        yes, no = words[: len(words) // 2], words[len(words) // 2 :]
        cells = [
            (as_is(word), Fraction(share))
            for share, some_words in ((1, yes), (0, no))
            for word in some_words
            for as_is in (str, str.upper, str.lower)
        ]
        return {"form": "bool", "yes": yes, "no": no}, some(cells)
    most = draw(some([1, 3, 7, 10, 20, 100]))
    mark = draw(some(["0.5", "0.6", "0.7", "0.8", "0.85", "1.0"]))
    tenths = st.integers(0, 10 * most)
    percent = st.integers(0, 1000)
    points = tenths.map(lambda ten: (f"{ten / 10:g}", Fraction(ten, 10 * most)))
    padded = tenths.map(lambda ten: (f"{ten / 10:.2f}", Fraction(ten, 10 * most)))
    share = st.tuples(percent, some(["{:g}%", "{:g} %", "{:.1f}%", "{:g}\xa0%", "{:.2f}\u202f%"])).map(
        lambda pair: (pair[1].format(pair[0] / 10), Fraction(pair[0], 1000))
    )
    part = st.tuples(st.integers(1, 40), st.integers(0, 40), some(["{}/{}", "{} / {}", "{}.0 / {}.00"])).map(
        lambda each: (each[2].format(min(each[:2]), each[0]), Fraction(min(each[:2]), each[0]))
    )
    said = {"form": "score", "pass_mark": float(mark)} | ({"max_score": most} if most > 1 else {})
    return said | {"mark": mark}, st.one_of(draw(st.lists(some([points, padded, share, part]), min_size=1)))


SECONDS = {"s": 1, "ms": Fraction(1, 1000), "min": 60}


@st.composite
def durations(draw, unit: str) -> tuple[str, Fraction]:
    """A duration as written, and its seconds."""
    kind = draw(some(["whole", "decimal", "clock", "hours", "tenths"]))
    count = draw(st.integers(0, 3000))
    if kind == "whole":
        return str(count), count * SECONDS[unit]
    if kind == "decimal":
        return f"{count / 4:g}", Fraction(count, 4) * SECONDS[unit]
    minutes, seconds = divmod(count, 60)
    if kind == "clock":
        return f"{minutes}:{seconds:02}", Fraction(count)
    if kind == "tenths":
        return f"{minutes:02}:{seconds:02}.5", count + Fraction(1, 2)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}", Fraction(count)


@st.composite
def containers(draw, encodings: list[str]) -> dict[str, object]:
    """How a table is put into a file."""
    kind = draw(some(["text"] * 6 + ["gzip", "xlsx", "parquet"]))
    return {
        "kind": kind,
        "encoding": draw(some(encodings)) if kind in {"text", "gzip"} else "utf-8",
        "delimiter": draw(some([",", "\t", ";", "|"])),
        "title": draw(some(["", "", "Report of the class\n\n", "sep=", "padded", "one line, of text; or so\n"])),
        "end": draw(some(["\n", "\r\n", "\r"])),
        "quoting": draw(some([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        "below": draw(st.lists(some(["blank", "total", "text"]), max_size=2)),
        "last_end": draw(st.booleans()),
        "says_delimiter": draw(st.booleans()),
        "name": draw(some(["log", "log.csv", "log.txt", "log.tsv", "log.dat"])),
    }


def put(folder: Path, rows: list[list[str]], box: dict, total: list[str]) -> tuple[Path, list[str]]:
    """Writes the file; also what of it is no row, as readers count it."""
    path = folder / box["name"]
    below = [
        {"blank": [""] * len(total), "total": total, "text": ["Made by the office"]}[kind] for kind in box["below"]
    ]
    if box["kind"] == "parquet":
        columns = list(zip(*rows[1:], strict=True))
        pq.write_table(pa.table([pa.array(column, pa.string()) for column in columns], names=rows[0]), path)
        return path, []
    if box["kind"] == "xlsx":
        kept = [word for word in box["below"] if word == "total"]
        write_sheets(path, {"Answers": [*rows, *(total for _ in kept)]})
        return path, kept
    text = io.StringIO()
    mark = box["delimiter"]
    titles = {"sep=": f"sep={mark}\n", "padded": f"Report{mark * (len(total) - 1)}\n{mark * (len(total) - 1)}\n"}
    text.write(titles.get(box["title"], box["title"]).replace("\n", box["end"]))
    quoting = csv.QUOTE_ALL if box["end"] == "\r" else box["quoting"]  # else a line break within a cell breaks it
    csv.writer(text, delimiter=mark, lineterminator=box["end"], quoting=quoting).writerows([*rows, *below])
    written = text.getvalue() if box["last_end"] else text.getvalue().removesuffix(box["end"])
    if not fits(written, box["encoding"]):
        box["encoding"] = "utf-8"
    content = written.encode(box["encoding"])
    path.write_bytes(gzip.compress(content) if box["kind"] == "gzip" else content)
    return path, box["below"]


def or_none(column: pd.Series) -> list:
    return column.astype(object).where(column.notna(), None).tolist()
