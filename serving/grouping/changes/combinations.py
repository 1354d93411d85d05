"""One of each of several lists, in every way, from the greatest sum on."""

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush


def pick_best_first(worth: Sequence[Sequence[float]]) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Yields a position in each list, with the sum of the numbers there, the greatest sum first; none if one is empty.

    Only as many are looked at as are asked for (best-first search over a lattice).

    Example:
        >>> list(pick_best_first([[1.0, 5.0], [2.0]]))
        [(7.0, (1, 0)), (3.0, (0, 0))]
    """
    order = [sorted(range(len(row)), key=lambda at, row=row: (-row[at], at)) for row in worth]  # type: ignore[misc]

    def total(ranks: tuple[int, ...]) -> float:
        return sum(row[into[at]] for row, into, at in zip(worth, order, ranks, strict=True))

    first = (0,) * len(worth)
    waiting = [(-total(first), first)] if all(worth) else []
    seen = {first}
    while waiting:
        most, ranks = heappop(waiting)
        yield -most, tuple(into[at] for into, at in zip(order, ranks, strict=True))
        for row, at in enumerate(ranks):
            further = (*ranks[:row], at + 1, *ranks[row + 1 :])
            if at + 1 < len(worth[row]) and further not in seen:
                seen.add(further)
                heappush(waiting, (-total(further), further))
