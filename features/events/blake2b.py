"""BLAKE2b with a digest of 16 bytes, compiled: the hash of many short texts at once, as `hashlib.blake2b` has it.

A log has millions of rows, and a call of Python for each takes more time than to read it. Source: RFC 7693.
"""

import numba as nb
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

DIGEST_BYTES = 16

BLOCK = 128
"""Bytes that are compressed at once."""

PARAMETERS = np.uint64(0x01010000 | DIGEST_BYTES)
"""One hash without a key, of this length."""

BEGIN = np.array([
    0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
    0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
], np.uint64)  # fmt: skip

ORDERS = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    ]
)
"""The order of the words of a block in each of twelve rounds."""

_compiled = nb.njit(cache=True, error_model="numpy")


def hash_texts(text: Bytes, ends: npt.NDArray[np.int64]) -> Bytes:
    """The digests of texts that stand one after another.

    Args:
        text: Their bytes.
        ends: Where each begins, and where the last one ends.

    Returns:
        `DIGEST_BYTES` for each text.

    Example:
        >>> hash_texts(np.frombuffer(b"abc", np.uint8), np.array([0, 3])).tobytes().hex()
        'cf4ab791c62b8d2b2109c90275287816'
    """
    digests = np.empty(DIGEST_BYTES * (len(ends) - 1), np.uint8)
    _hash(text, ends, digests.view(np.uint64))
    return digests


@_compiled
def _hash(text, ends, digests):
    state, block = np.empty(8, np.uint64), np.empty(BLOCK // 8, np.uint64)
    bytes_of_block = block.view(np.uint8)
    for at in range(len(ends) - 1):
        state[:] = BEGIN
        state[0] ^= PARAMETERS
        begin, size, done = ends[at], ends[at + 1] - ends[at], 0
        while True:
            some = min(size - done, BLOCK)
            block[:] = 0
            for place in range(some):
                bytes_of_block[place] = text[begin + done + place]
            done += some
            _compress(state, block, done, done == size)
            if done == size:
                break
        digests[2 * at], digests[2 * at + 1] = state[0], state[1]


@_compiled
def _compress(state, block, done, is_last):
    v0, v1, v2, v3, v4, v5, v6, v7 = state
    v8, v9, v10, v11, v12, v13, v14, v15 = BEGIN
    v12 ^= np.uint64(done)
    v14 = ~v14 if is_last else v14
    for order in ORDERS:
        v0, v4, v8, v12 = _mix(v0, v4, v8, v12, block[order[0]], block[order[1]])
        v1, v5, v9, v13 = _mix(v1, v5, v9, v13, block[order[2]], block[order[3]])
        v2, v6, v10, v14 = _mix(v2, v6, v10, v14, block[order[4]], block[order[5]])
        v3, v7, v11, v15 = _mix(v3, v7, v11, v15, block[order[6]], block[order[7]])
        v0, v5, v10, v15 = _mix(v0, v5, v10, v15, block[order[8]], block[order[9]])
        v1, v6, v11, v12 = _mix(v1, v6, v11, v12, block[order[10]], block[order[11]])
        v2, v7, v8, v13 = _mix(v2, v7, v8, v13, block[order[12]], block[order[13]])
        v3, v4, v9, v14 = _mix(v3, v4, v9, v14, block[order[14]], block[order[15]])
    for at, word in enumerate((v0 ^ v8, v1 ^ v9, v2 ^ v10, v3 ^ v11, v4 ^ v12, v5 ^ v13, v6 ^ v14, v7 ^ v15)):
        state[at] ^= word


@_compiled
def _mix(a, b, c, d, one, other):
    a += b + one
    d = _turn(d ^ a, 32)
    c += d
    b = _turn(b ^ c, 24)
    a += b + other
    d = _turn(d ^ a, 16)
    c += d
    return a, _turn(b ^ c, 63), c, d


@_compiled
def _turn(word, bits):
    return (word >> np.uint64(bits)) | (word << np.uint64(64 - bits))
