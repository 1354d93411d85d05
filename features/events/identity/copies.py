"""Copied students: two students of a log who gave the same answers to the same items.

In a school's log it is a pupil with two accounts, or one whose id an export has changed; in a benchmark, a test student
whose answers were learned from. The order of the answers does not matter. What is found is kept nowhere.

A pair is found if all of these hold:

| what | limit |
|---|---|
| items that both answered | at least `MIN_COMMON` |
| the same, of all items that either answered (Jaccard) | more than `MIN_OVERLAP` |
| equal answers, of the common items | more than `MIN_EQUAL` |

Two students who get an easy unit all right agree whoever they are, so each pair has `by_chance`: how many pairs of the
log would agree so far by chance, at most, were each answer as likely right as the item is easy and the student able
(Hoeffding's inequality). Pairs below one are `surely_copied`.

Pairs are not compared one by one: students meet in buckets of equal min-hash values, which are split on until they are
small, so that the work grows with the students and not with their pairs.

Source: Broder (1997), "On the resemblance and containment of documents" (min-hash); Bawa, Condie and Ganesan (2005),
"LSH forest" (buckets split on); van der Linden and Sotaridona (2006), "Detecting answer copying when the regular
response process follows a known response model" (equal answers against chance); Hoeffding (1963).
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.events.log.store import read_events
from features.home import Home

logger = logging.getLogger("regroup")

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]

MIN_COMMON = 15
MIN_OVERLAP, MIN_EQUAL = 0.5, 0.97

FUNCTIONS = 48
"""Min-hash functions. A pair at both limits shares one value in two, and one of 24 pairs of values in 998 of 1,000."""

MAX_BUCKET = 32
"""Students of a bucket who are compared with each other; larger ones are split by further values."""

PLAUSIBLE = 0.85
"""Pairs whose min-hash values of the same item differ in more answers than this leaves are not looked at further."""

SEED = 20

AT_ONCE = 5_000
"""Pairs whose answers are laid out side by side; bounds the memory."""


COLUMNS = ("student_id", "item_id", "correct", "attempt")
"""What is read of an event."""


@dataclass(frozen=True)
class _Sheets:
    """One entry per student and item, by student and then item.

    Attributes:
        key: Student code times the number of items, plus item code; ascending.
        correct: 1 if the student never answered the item wrong at the first attempt, else 0.
        start: Where each student begins, and the end.
        items: Number of item codes.
    """

    key: Ints
    correct: npt.NDArray[np.int8]
    start: Ints
    items: int


def find_copies(events: pd.DataFrame) -> pd.DataFrame:
    """Finds pairs of students with the same answers to the same items.

    Args:
        events: Rows with `student_id`, `item_id`, `correct` and `attempt` as in `features.schema.Events`, in any order;
            only first attempts count, and an item that was answered again counts as wrong where any answer was.

    Returns:
        One row per pair, most common items first: `student_id` and `copy_id` in the order of text, `common_items`,
        `overlap` (Jaccard), `equal_share` (of the common items) and `by_chance` (pairs of the log, at most).

    Example:
        >>> rows = [(s, f"i{n}", n % 3 > 0, 1) for s in ("ann", "ann (2)") for n in range(60)]
        >>> rows += [("bob", f"i{n}", n % 5 > 1, 1) for n in range(60)]
        >>> find_copies(pd.DataFrame(rows, columns=["student_id", "item_id", "correct", "attempt"]))["copy_id"].tolist()
        ['ann (2)']
    """
    student, ids = pd.factorize(events["student_id"], sort=True)
    item = pd.factorize(events["item_id"])[0]  # -1 for an activity
    correct = events["correct"].to_numpy(dtype=np.int8, na_value=-1)
    first = (item >= 0) & (correct >= 0) & (events["attempt"].fillna(1) == 1).to_numpy(dtype=bool)
    sheets = _collect(student[first], item[first], correct[first])
    left, right = _meet(sheets)
    found = [_compare(sheets, left[at : at + AT_ONCE], right[at : at + AT_ONCE]) for at in range(0, len(left), AT_ONCE)]
    pairs = pd.concat([_compare(sheets, left[:0], right[:0]), *found], ignore_index=True)
    pairs["by_chance"] = _bound_chance(sheets, pairs)
    pairs = pairs.sort_values(["common_items", "left", "right"], ascending=[False, True, True], ignore_index=True)
    names = {"student_id": ids[pairs.pop("left").to_numpy()], "copy_id": ids[pairs.pop("right").to_numpy()]}
    return pd.concat([pd.DataFrame(names, dtype="str"), pairs], axis=1)


def surely_copied(pairs: pd.DataFrame) -> pd.DataFrame:
    """Returns the pairs of `find_copies` that chance does not explain: fewer than one such is expected in the log."""
    return pairs[pairs["by_chance"] < 1].reset_index(drop=True)


def find_copies_in_log(home: Home) -> pd.DataFrame:
    """Returns the pairs of `find_copies` in all that was ingested, but for those that chance may explain.

    Raises:
        MissingError: Nothing was ingested.
        UnavailableError: The event log cannot be read.
    """
    return surely_copied(find_copies(read_events(home, columns=COLUMNS)))


def warn_of_copies(pairs: pd.DataFrame) -> int:
    """Returns how many students are in these pairs, after a warning, without their ids, if there are any."""
    copied = count_copied(pairs)
    if copied:
        logger.warning(
            "%d students gave the same answers to the same items as another: pupils with two accounts? They count as "
            "two in every forecast and figure; python -m features copies lists them",
            copied,
        )
    return copied


def count_copied(pairs: pd.DataFrame) -> int:
    """Returns how many students are in these pairs."""
    return int(pd.concat([pairs["student_id"], pairs["copy_id"]]).nunique())


def _collect(student: Ints, item: Ints, correct: npt.NDArray[np.int8]) -> _Sheets:
    """Returns the answers by student and item, without students who have fewer items than a copy needs."""
    items = int(item.max(initial=0)) + 1
    key = student * items + item
    order = np.argsort(key, kind="stable")
    key = key[order]
    begins = np.flatnonzero(np.diff(key, prepend=-1))
    always = np.minimum.reduceat(correct[order], begins) if len(begins) else correct
    key = key[begins]
    students = int(student.max(initial=-1)) + 1
    counts = np.bincount(key // items, minlength=students)
    enough = np.repeat(counts >= MIN_COMMON, counts)
    counts[counts < MIN_COMMON] = 0
    return _Sheets(key[enough], always[enough], np.concatenate([[0], np.cumsum(counts)]), items)


def _meet(sheets: _Sheets) -> tuple[Ints, Ints]:
    """Returns pairs of students that may be copies, the smaller code left, each pair once."""
    counts = np.diff(sheets.start)
    students = np.flatnonzero(counts)
    if len(students) == 0:
        return students, students
    values = _hash_sheets(sheets, students)
    codes = [np.zeros(0, np.int64)]
    for band in range(0, FUNCTIONS, 2):
        for one, other in _pair_up(_split(values, band)):
            size = counts[students[one]], counts[students[other]]
            like = np.minimum(*size) > MIN_OVERLAP * np.maximum(*size)
            one, other = one[like], other[like]  # noqa: PLW2901 - the rest of the pairs is of no use
            plausible = _look_alike(values, one, other)
            codes.append(one[plausible] * len(students) + other[plausible])
    code = np.unique(np.concatenate(codes))
    return students[code // len(students)], students[code % len(students)]


def _hash_sheets(sheets: _Sheets, students: Ints) -> Hashes:
    """Returns min-hash values of each student's items, each with that item's answer as its last bit."""
    rng = np.random.default_rng(SEED)
    item = sheets.key % sheets.items
    begins = sheets.start[students]
    values = np.empty((len(students), FUNCTIONS), np.uint64)
    for function in range(FUNCTIONS):
        hashed = rng.integers(1 << 63, size=sheets.items, dtype=np.uint64) << np.uint64(1)
        values[:, function] = np.minimum.reduceat(hashed[item] | sheets.correct.astype(np.uint64), begins)
    return values


def _split(values: Hashes, band: int) -> Ints:
    """Returns a bucket for each student: equal in two values, and where that leaves too many, in further ones.

    A bucket that no value splits is left as it is; who is in it answered alike, many at a time.
    """
    buckets = np.zeros(len(values), np.int64)
    for step in range(FUNCTIONS):
        column = values[:, (band + step) % FUNCTIONS]
        large = np.bincount(buckets)[buckets] > (MAX_BUCKET if step > 1 else 0)
        if not large.any():
            break
        finer = np.where(large, np.unique(column, return_inverse=True)[1] + 1, 0)
        buckets = np.unique(buckets * (len(values) + 1) + finer, return_inverse=True)[1]
    return buckets


def _pair_up(buckets: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Yields the pairs of each bucket of up to `MAX_BUCKET`, smaller code first: those `gap` places apart, per gap."""
    order = np.argsort(buckets, kind="stable")
    sizes = np.bincount(buckets)[buckets[order]]
    order = order[sizes <= MAX_BUCKET]
    for gap in range(1, MAX_BUCKET):
        same = buckets[order[:-gap]] == buckets[order[gap:]]
        if not same.any():
            break
        yield order[:-gap][same], order[gap:][same]


def _look_alike(values: Hashes, one: Ints, other: Ints) -> npt.NDArray[np.bool_]:
    """Marks pairs whose hashed items, where they are the same, mostly have the same answer."""
    differ = values[one] ^ values[other]
    same_item = (differ <= 1).sum(axis=1)
    found: npt.NDArray[np.bool_] = (differ == 0).sum(axis=1) >= PLAUSIBLE * same_item
    return found


def _line_up(sheets: _Sheets, left: Ints, right: Ints) -> tuple[Ints, Ints, Ints]:
    """Returns, for each common item of each pair, the number of the pair and where the answers of both are."""
    counts = np.diff(sheets.start)[left]
    pair = np.repeat(np.arange(len(left)), counts)
    mine = np.repeat(sheets.start[left] - np.cumsum(counts) + counts, counts) + np.arange(len(pair))
    wanted = right[pair] * sheets.items + sheets.key[mine] % sheets.items
    theirs = np.minimum(np.searchsorted(sheets.key, wanted), len(sheets.key) - 1)
    common = sheets.key[theirs] == wanted
    return pair[common], mine[common], theirs[common]


def _compare(sheets: _Sheets, left: Ints, right: Ints) -> pd.DataFrame:
    """Returns the pairs that are within the limits, with student codes as `left` and `right`."""
    pair, mine, theirs = _line_up(sheets, left, right)
    counts = np.diff(sheets.start)
    size = np.bincount(pair, minlength=len(left))
    equal = np.bincount(pair, sheets.correct[mine] == sheets.correct[theirs], minlength=len(left))
    overlap, share = size / (counts[left] + counts[right] - size), equal / np.maximum(size, 1)
    found = pd.DataFrame({"left": left, "right": right, "common_items": size, "overlap": overlap, "equal_share": share})
    return found[(size >= MIN_COMMON) & (overlap > MIN_OVERLAP) & (share > MIN_EQUAL)]


def _bound_chance(sheets: _Sheets, pairs: pd.DataFrame) -> Floats:
    """Returns how many pairs of the log would by chance agree as far as each of these, at most."""
    pair, mine, theirs = _line_up(sheets, pairs["left"].to_numpy(), pairs["right"].to_numpy())
    item, student = sheets.key % sheets.items, sheets.key // sheets.items
    overall = _logit((sheets.correct.sum() + 1) / (len(sheets.correct) + 2))
    ease = _logit((np.bincount(item, sheets.correct) + 1) / (np.bincount(item) + 2))
    able = _logit((np.bincount(student, sheets.correct) + 1) / (np.bincount(student) + 2)) - overall
    one, other = (1 / (1 + np.exp(-ease[item[at]] - able[student[at]])) for at in (mine, theirs))
    size = pairs["common_items"].to_numpy()
    expected = np.bincount(pair, one * other + (1 - one) * (1 - other), minlength=len(pairs)) / size
    students = np.count_nonzero(np.diff(sheets.start))
    bound: Floats = np.exp(_log_bound(size, pairs["equal_share"].to_numpy(), expected)) * students * (students - 1) / 2
    return bound


def _log_bound(size: Ints, share: Floats, expected: Floats) -> Floats:
    """Returns a bound of the log-probability that at least this share is equal where so much is expected."""
    with np.errstate(divide="ignore", invalid="ignore"):
        unequal = np.where(share < 1, (1 - share) * np.log((1 - share) / (1 - expected)), 0)
    bound: Floats = np.where(share > expected, -size * (share * np.log(share / expected) + unequal), 0)
    return bound


def _logit(share: Floats) -> Floats:
    logit: Floats = np.log(share / (1 - share))
    return logit
