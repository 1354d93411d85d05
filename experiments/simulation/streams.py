"""Random streams that numba can read: one per student, so that adding students changes nobody else's.

SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators").
"""

import math

import numba
import numpy as np

Stream = np.ndarray[tuple[int], np.dtype[np.uint64]]
"""The state of one stream, a single number that each draw moves on."""

STEP = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
S30, S27, S31, S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
UNIT = 2.0**-53


@numba.njit(cache=True)
def _mixed(state: np.uint64) -> np.uint64:
    state = (state ^ (state >> S30)) * MIX_1
    state = (state ^ (state >> S27)) * MIX_2
    return state ^ (state >> S31)


@numba.njit(cache=True)
def open_stream(seed: int, owner: int, purpose: int) -> Stream:
    """Returns the stream of one owner (such as a student) for one purpose."""
    stream = np.zeros(1, np.uint64)
    state = _mixed(np.uint64(seed) + STEP)
    state = _mixed(state ^ (np.uint64(owner) * STEP + STEP))
    stream[0] = _mixed(state ^ (np.uint64(purpose) * MIX_1 + MIX_2))
    return stream


@numba.njit(cache=True)
def uniform(stream: Stream) -> float:
    """Returns a number in [0, 1)."""
    stream[0] += STEP
    return np.float64(_mixed(stream[0]) >> S11) * UNIT


@numba.njit(cache=True)
def normal(stream: Stream) -> float:
    """Returns a standard normal number (Box & Muller 1958, one of the pair)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(stream)))
    return radius * math.cos(2.0 * math.pi * uniform(stream))


@numba.njit(cache=True)
def below(stream: Stream, count: int) -> int:
    """Returns a whole number from 0 to count - 1."""
    return int(uniform(stream) * count)
