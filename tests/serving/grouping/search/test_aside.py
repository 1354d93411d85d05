"""A search by the clock runs on a thread that gives way to others, and ends when its time is over."""

import os
import sys
import threading
import time

import pytest

from serving.grouping.search.aside import NICENESS, run_until
from serving.grouping.search.kernel import ENDED, SPENT

TIME_S = 0.3


def test_a_search_learns_what_is_spent_and_ends_with_its_time():
    seen = []

    def search(clock):
        while not clock[ENDED]:
            seen.append(clock[SPENT])
            time.sleep(0.001)
        return len(seen)

    began = time.perf_counter()
    rounds = run_until(search, began + TIME_S)

    assert time.perf_counter() - began >= TIME_S
    assert rounds == len(seen) > 0
    assert seen == sorted(seen)
    assert 0.0 <= seen[0] < seen[-1] < 1.0


def test_a_search_that_is_done_is_not_waited_for():
    began = time.perf_counter()

    assert run_until(lambda _: 7, began + 60) == 7

    assert time.perf_counter() - began < 30


def test_an_error_of_a_search_is_raised():
    with pytest.raises(ZeroDivisionError):
        run_until(lambda _: 1 // 0, time.perf_counter() + 60)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no priorities of their own")
def test_it_gives_way_and_nobody_else_does():
    def read_priority(_):
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    usual = read_priority(None)

    assert run_until(read_priority, time.perf_counter() + 60) == min(usual + NICENESS, 19)
    assert read_priority(None) == usual
