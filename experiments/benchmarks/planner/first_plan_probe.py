"""What a process of its own needs until its first plan; imports the planner only once the clock runs."""

import time
from statistics import median

REPEATS = 3


def probe(students: int, seed: int, rounds: int | None, warmed: bool) -> tuple[float, float, float, float]:
    """CPU seconds of the import, of warming up, of the first plan, and of the same plan again."""
    began = time.process_time()
    from serving.grouping.search.anneal import Budget  # noqa: PLC0415 - said above
    from serving.grouping.solve import suggest_groups, warm_up  # noqa: PLC0415

    imported = time.process_time() - began
    from experiments.benchmarks.planner.days import draw_day  # noqa: PLC0415

    problem = draw_day(students, seed)
    budget = Budget(rounds=rounds) if rounds is None else Budget(rounds=rounds, seatings=0, bound_rounds=0)

    def plan() -> float:
        start = time.process_time()
        suggest_groups(problem, budget)
        return time.process_time() - start

    start = time.process_time()
    if warmed:
        warm_up()
    warm_up_s = time.process_time() - start
    return imported, warm_up_s, plan(), median(plan() for _ in range(REPEATS))
