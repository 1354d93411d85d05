"""What is kept has a ceiling in bytes, and nothing of what it was computed from before."""

import subprocess
import sys
import tracemalloc
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from serving.models.cache import Cache, RecentScores, estimate_bytes

KB = b"x" * 1000


@dataclass(frozen=True)
class Row:
    name: str
    values: tuple[float, ...]


def test_the_least_recently_used_leave_for_newer_ones():
    cache = Cache(max_bytes=10_000)
    for number in range(5):
        cache.get(number, lambda: KB)
    for number in range(5, 50):
        cache.get(number, lambda: KB)
        assert cache.get(0, lambda: b"computed again") is KB

        assert cache.nbytes <= 10_000

    assert cache.get(1, lambda: b"computed again") == b"computed again"


def test_a_result_of_another_version_replaces_the_one_before():
    cache = Cache()
    sizes = set()
    for version in range(100, 200):
        assert cache.get("board", lambda version=version: [version, KB], version=version)[0] == version
        sizes.add(cache.nbytes)

    assert len(sizes) == 1


def test_what_is_larger_than_the_ceiling_is_kept_until_the_next_and_what_is_pinned_for_good():
    cache = Cache(max_bytes=100)
    cache.get("answers", lambda: KB, pinned=True)
    cache.get("first", lambda: KB)
    assert cache.get("first", lambda: b"computed again") is KB

    cache.get("second", lambda: KB)

    assert cache.get("answers", lambda: b"computed again") is KB
    assert cache.get("first", lambda: b"computed again") == b"computed again"


def test_the_estimate_follows_collections_into_their_elements():
    rows = tuple(Row(f"row {at}", (0.5,) * 20) for at in range(100))
    table = np.zeros((100, 50), np.float32)

    assert 100 * 500 < estimate_bytes(rows) < 100 * 2000
    assert table.nbytes <= estimate_bytes({"table": table}) < table.nbytes + 1000
    assert estimate_bytes(np.array(["a" * 1000] * 10, dtype=object)) > 10_000


def test_scores_that_are_asked_for_again_stay_while_thousands_come_and_go():
    scores = RecentScores(100)
    scores.put(b"asked for", 0.25)
    for number in range(5_000):
        scores.put(str(number).encode(), 0.5)

        assert scores.get(b"asked for") == 0.25
        assert len(scores) <= 100

    assert scores.get(b"4999") == 0.5
    assert scores.get(b"1000") is None


def measure_peaks():
    """The most bytes that this process held after every five thousand of 25,000 scores."""
    scores = RecentScores(2_000)
    numbers = iter(range(10**9, 10**9 + 25_000))
    peaks = []
    tracemalloc.start()
    for _ in range(5):
        for number in [next(numbers) for _ in range(5_000)]:
            scores.put(str(number).encode(), 0.5)
        peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    return peaks


def test_scores_take_no_more_memory_however_many_have_come_and_gone():
    """Measured in a process in which nothing else allocates."""
    asked = "from tests.serving.models.test_cache import measure_peaks; print(*measure_peaks())"
    root = Path(__file__).parents[3]
    told = subprocess.run(
        [sys.executable, "-c", asked], cwd=root, check=True, capture_output=True, text=True, timeout=60
    )
    peaks = [int(bytes_held) for bytes_held in told.stdout.split()]

    assert peaks[-1] <= 1.02 * peaks[0]
