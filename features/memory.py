"""What a process that lives long does for its memory."""

import ctypes
import gc
from contextlib import suppress

import pyarrow as pa


def collect_garbage() -> None:
    """Collects all garbage, and gives the memory that it frees back to the system where the C library can."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
