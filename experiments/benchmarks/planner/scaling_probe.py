"""What one size costs, asked in a process of its own so that nothing else counts."""

import resource
import sys
import time
from pathlib import Path

from experiments.benchmarks.planner.days import Size, draw_day
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups, warm_up


def probe(students: int, adults: int, blocks: int, skills: int, seed: int, rounds: int) -> tuple[float, float, float]:
    """CPU seconds of the first plan and of so many rounds of search, and the most megabytes held."""
    warm_up()
    problem = draw_day(Size(students, adults, blocks, skills), seed)
    began = time.process_time()
    suggest_groups(problem, Budget(rounds=0, seatings=0, bound_rounds=0))
    first = time.process_time()
    suggest_groups(problem, Budget(rounds=rounds, seatings=0, bound_rounds=0))
    return first - began, time.process_time() - first, _most_mb()


def _most_mb() -> float:
    """Linux counts a child's `ru_maxrss` from its parent's, so its own high-water mark is read instead."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 * 1024 if sys.platform == "darwin" else 1024)
