"""Memory of several processes is that of all of them, at one moment."""

import subprocess
import sys

import pytest

from experiments.benchmarks.memory import MemoryWatch, peak_mb

HOLD = "import time; held = bytearray(b'x') * 200_000_000; time.sleep(1)"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what other processes hold")
def test_what_children_hold_at_one_moment_is_added_and_what_came_after_another_is_not():
    def hold(processes):
        with MemoryWatch() as watch:
            children = [subprocess.Popen([sys.executable, "-c", HOLD]) for _ in range(processes)]
            assert [child.wait() for child in children] == [0] * processes
        return watch.most_mb

    one, two = hold(1), hold(2)
    assert one > 190
    assert 170 < two - one < 260
    with MemoryWatch() as watch:
        for _ in range(2):
            subprocess.run([sys.executable, "-c", HOLD], check=True)
    assert watch.most_mb < one + 100
    assert watch.cpu_seconds > 0
    assert peak_mb() > 0
