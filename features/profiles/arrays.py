"""The arrays of a part of saved state in one file, packed."""

import io
import json
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.profiles.kernel import Item
from features.profiles.state import Floats

ITEM_TIME = "item_time"
"""The array with the last column of items, when each was answered last, as steps from row to row."""

BEGIN = b"regroup state\n"
"""What a part begins with; those of earlier versions are archives of NumPy."""

PACKED, HEADER = ".zst", 64
"""What names of packed arrays in such an archive end in, and the bytes before them that say type and shape."""

CODEC = pa.Codec("zstd", compression_level=3)


def pack_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """The arrays of a part as the content of a file: what they are as JSON, and then each packed."""
    apart = _split_times(arrays)
    packed = {name: _pack(values) for name, values in apart.items()}
    about = {name: (values.dtype.str, values.shape, len(packed[name])) for name, values in apart.items()}
    header = json.dumps(about).encode()
    return b"".join([BEGIN, len(header).to_bytes(4), header, *packed.values()])


def read_arrays(file: BinaryIO, left_out: Collection[str]) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a part but some, which are not read; of a file on disk, only what is asked for.

    Raises:
        ValueError: This is no such file.
    """
    if file.read(len(BEGIN)) != BEGIN:
        file.seek(0)
        with np.load(file, allow_pickle=False) as stored:
            names = [name.removesuffix(PACKED) for name in stored.files]
            return {name: _read_earlier(stored, name) for name in names if name not in left_out}
    if "item" in left_out:
        left_out = {*left_out, ITEM_TIME}
    about: dict[str, tuple[str, list[int], int]] = json.loads(file.read(int.from_bytes(file.read(4))))
    arrays = {}
    for name, (dtype, shape, size) in about.items():
        if name in left_out:
            file.seek(size, io.SEEK_CUR)
        else:
            arrays[name] = _unpack(file.read(size), dtype, shape)
    if ITEM_TIME in arrays:
        arrays["item"] = np.column_stack([arrays["item"], _read_times(arrays.pop(ITEM_TIME))])
    return arrays


def _split_times(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Puts the times of items apart, in steps of their common unit, which take a third as much room as the times.

    Whoever practices answers one item after the other, mostly in whole seconds. Without a clock, times stay where they
    are.
    """
    counts, times = arrays["item"][:, : Item.LAST_TIME], arrays["item"][:, Item.LAST_TIME]
    if not np.isfinite(times).all():
        return dict(arrays)
    whole = times.astype(np.int64)
    steps = whole - np.append(0, whole[:-1])
    unit = max(1, int(np.gcd.reduce(steps)))
    steps //= unit
    # small numbers of either sign as small ones without a sign
    return {**arrays, "item": np.ascontiguousarray(counts), ITEM_TIME: np.append(unit, steps << 1 ^ steps >> 63)}


def _read_times(stored: npt.NDArray[np.int64]) -> Floats:
    unit, steps = stored[0], stored[1:]
    times: Floats = (np.cumsum(steps >> 1 ^ -(steps & 1)) * unit).astype(np.float64)
    return times


def _pack(values: npt.NDArray[Any]) -> bytes:
    """An array as Zstandard has it: the first bytes of all values, then the second ones, and so on.

    Most of them are zero, or alike from row to row, so that they take a third less than value by value.
    """
    width = values.dtype.itemsize * (values.shape[1] if values.ndim > 1 else 1)
    planes = values.view(np.uint8).reshape(len(values), width).T
    packed: bytes = CODEC.compress(planes.tobytes(), asbytes=True)
    return packed


def _unpack(packed: bytes, dtype: str, shape: Sequence[int]) -> npt.NDArray[Any]:
    size = np.dtype(dtype).itemsize * math.prod(shape)
    planes = np.frombuffer(CODEC.decompress(packed, size, asbytes=True), np.uint8)
    rows = np.ascontiguousarray(planes.reshape(-1, shape[0]).T) if shape[0] else planes
    values: npt.NDArray[Any] = rows.view(dtype).reshape(shape)
    return values


def _read_earlier(stored: Mapping[str, npt.NDArray[Any]], name: str) -> npt.NDArray[Any]:
    """An array of an archive, packed or not."""
    if name + PACKED not in stored:
        return stored[name]
    content = stored[name + PACKED].tobytes()
    return _unpack(content[HEADER:], *json.loads(content[:HEADER]))
