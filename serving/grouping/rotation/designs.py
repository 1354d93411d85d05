"""Rounds from symmetry, in which nobody meets twice: where they exist, no search by swaps finds them as soon.

Students and groups are numbered here; a design is an array of rounds x students, in the order of the groups.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

LARGEST_FIELD = 64
"""Groups beyond which no field is sought."""


def field_rounds(groups: int, size: int) -> Ints | None:
    """Rounds of equal groups from a finite field; None where no field has that many elements or it is too small.

    Students stand in `size` rows and `groups` columns; in round r column c of row j goes to group c + r j, so that two
    of different rows meet once (the transversal design of a field, Bose 1938). Where a row splits into groups, further
    rounds let the rows meet among themselves, by the same rule where it applies.

    Example:
        >>> field_rounds(2, 2).tolist()
        [[0, 2, 1, 3], [0, 3, 1, 2], [0, 1, 2, 3]]
    """
    tables = _field(groups) if size <= groups <= LARGEST_FIELD else None
    if tables is None:
        return None
    add, times = tables
    minus = np.argmin(add, axis=1)  # the column of each row's zero
    rows = np.arange(size)
    rounds = [
        np.array([row * groups + add[group, minus[times[turn, row]]] for group in range(groups) for row in rows])
        for turn in range(groups)
    ]
    if size > 1 and groups % size == 0:
        within = field_rounds(groups // size, size)
        within = np.arange(groups)[None] if within is None else within
        rounds += [np.concatenate([row * groups + each for row in rows]) for each in within]
    return np.array(rounds, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Cycle:
    """A symmetry: round after round each student takes the place of the next of a circle, but for those who stay.

    Attributes:
        length: Of the circles, and the rounds that one base round gives.
        students: All of them; those who do not fill a circle stay where they are.
    """

    length: int
    students: int

    @property
    def staying(self) -> int:
        """Students in no circle."""
        return self.students % self.length

    def keys(self) -> tuple[Ints, Ints]:
        """For each two students the class of pairs that the symmetry turns theirs into, and where classes start.

        A class starts at one meeting too many where its pairs would meet more than once: two who stay, or two who stand
        opposite each other in a circle of even length.
        """
        circle, place = np.divmod(np.arange(self.students), self.length)
        stays = circle == self.students // self.length
        circle[stays], place[stays] = circle[stays] + place[stays], 0
        low, high = np.minimum.outer(circle, circle), np.maximum.outer(circle, circle)
        turn = np.where(
            circle[:, None] <= circle[None, :], place[None, :] - place[:, None], place[:, None] - place[None, :]
        )
        turn = turn % self.length
        same = circle[:, None] == circle[None, :]
        turn = np.where(same, np.minimum(turn, self.length - turn), turn)
        either = stays[:, None] | stays[None, :]
        turn = np.where(either, 0, turn)
        key = (low * (circle.max() + 1) + high) * self.length + turn
        count = np.zeros(int(key.max()) + 1, np.int64)
        count[key[same & (2 * turn == self.length) & ~either]] = 1
        count[key[stays[:, None] & stays[None, :]]] = 1
        return key.astype(np.int64), count

    def develop(self, base: Ints) -> Ints:
        """All rounds of a base round."""
        circle, place = np.divmod(base, self.length)
        stays = circle == self.students // self.length
        turned = [circle * self.length + (place + turn) % self.length for turn in range(self.length)]
        return np.array([np.where(stays, base, each) for each in turned], dtype=np.int64)


def cycles(students: int, groups: int, rounds: int, most: int) -> list[Cycle]:
    """The shortest circles that give enough rounds and let those who stay sit apart, up to `most` of them."""
    found = [Cycle(length, students) for length in range(max(2, rounds), students + 1)]
    return [cycle for cycle in found if cycle.staying <= groups][:most]


def _field(order: int) -> tuple[Ints, Ints] | None:
    """Tables of sums and products of the field of a prime power; None for other numbers.

    Elements are polynomials over the prime field, modulo the first monic one that leaves no product of others 0.
    """
    prime = next((p for p in range(2, order + 1) if order % p == 0), 0)
    degree = next((n for n in range(1, 7) if prime and prime**n == order), 0)
    if not degree:
        return None
    numbers = np.arange(order)
    digits = numbers[:, None] // prime ** np.arange(degree) % prime
    weights = prime ** np.arange(degree)
    add = ((digits[:, None] + digits[None]) % prime) @ weights
    for tail in product(range(prime), repeat=degree):
        times = np.array([[_multiply(one, other, tail, prime) @ weights for other in digits] for one in digits])
        if times[1:, 1:].all():
            return add, times
    raise AssertionError(order)  # a field of every prime power exists (Galois 1830)


def _multiply(one: Ints, other: Ints, tail: tuple[int, ...], prime: int) -> Ints:
    """The product of two polynomials where x to the degree is the tail."""
    degree = len(one)
    full = np.convolve(one, other)
    for at in range(len(full) - 1, degree - 1, -1):
        full[at - degree : at] += full[at] * np.array(tail)
        full[at] = 0
    rest: Ints = full[:degree] % prime
    return rest
