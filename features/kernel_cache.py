"""Compiled kernels: compiled ahead on all cores, and found where a wheel contains them.

numba keeps its cache beside the source or, where that folder cannot be written, in another folder, where it does not
find what lies beside the source. The locators here copy the cache there first, once.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numba
from numba.core.caching import UserProvidedCacheLocator, UserWideCacheLocator

from features.errors import RegroupError

REPORT_EVERY_S = 4.0
"""Seconds between two lines about what is being compiled."""

POLL_EVERY_S = 0.05

READABLE = 0o022
"""The umask of what is compiled ahead: every user of an installation reads it, and it holds no student."""


class CompileError(RegroupError):
    """A kernel could not be compiled; its own message was printed."""


def compile_kernels(units: Mapping[str, str]) -> None:
    """Compiles the units in separate processes on all cores; a current cache is only read.

    Args:
        units: The functions that compile, as `module:function`, by their name on the screen; longest first.

    Raises:
        CompileError: A unit could not be compiled.
    """
    from features.console import OUT  # noqa: PLC0415 - kernels are loaded without a console

    began = reported = time.monotonic()
    cores = os.cpu_count() or 1
    OUT.print(f"compiling on {cores} cores what is not compiled yet: {', '.join(units)}", markup=False, highlight=False)
    waiting, running = dict(units), dict[str, subprocess.Popen[bytes]]()
    try:
        while waiting or running:
            while waiting and len(running) < cores:
                name = next(iter(waiting))
                module, function = waiting.pop(name).split(":")
                program = f"from {module} import {function}; {function}()"
                running[name] = subprocess.Popen([sys.executable, "-c", program], umask=READABLE)  # noqa: S603 - ours
            time.sleep(POLL_EVERY_S)
            now = time.monotonic()
            for name in [name for name, process in running.items() if process.poll() is not None]:
                if running.pop(name).returncode:
                    raise CompileError(f"{name} could not be compiled; see above")
                OUT.print(f"{now - began:4.0f} s  {name}: ready", markup=False, highlight=False)
                reported = now
            if running and now - reported >= REPORT_EVERY_S:
                OUT.print(f"{now - began:4.0f} s  {', '.join(running)} ...", markup=False, highlight=False)
                reported = now
    finally:
        for process in running.values():
            process.kill()
            process.wait()


class _CopiesFromSource:
    """A cache folder per version of a source file, filled with what was compiled from that version elsewhere."""

    _py_file: str
    _lineno: int

    def get_cache_path(self) -> str:
        """The folder; its name holds the versions of source and numba, so that its contents are never out of date."""
        stamp: bytes = self.get_source_stamp()  # type: ignore[attr-defined]
        return f"{super().get_cache_path()}-{numba.__version__}-{stamp.hex()[:16]}"  # type: ignore[misc]

    def ensure_cache_path(self) -> None:
        """Makes the folder, and copies the function's files into it where it has none yet.

        Raises:
            OSError: The folder cannot be made or written.
        """
        super().ensure_cache_path()  # type: ignore[misc]
        source, folder = Path(self._py_file), Path(self.get_cache_path())
        python = f"py{sys.version_info[0]}{sys.version_info[1]}{sys.abiflags}"
        of_function = f"{source.stem}.*-{self._lineno}.{python}"
        for index in (source.parent / "__pycache__").glob(f"{of_function}.nbi"):
            if not (folder / index.name).exists():
                with suppress(PermissionError):  # compiled by another user, for that user alone
                    for data in index.parent.glob(f"{index.stem}.*.nbc"):
                        _copy_at_once(data, folder / data.name)
                    _copy_at_once(index, folder / index.name)  # last: an index names files that are there


class GivenFolder(_CopiesFromSource, UserProvidedCacheLocator):
    """Below the folder that `NUMBA_CACHE_DIR` names, where it names one."""


class UserFolder(_CopiesFromSource, UserWideCacheLocator):
    """Below the user's own cache folder."""


def _copy_at_once(source: Path, target: Path) -> None:
    """Copies a file that other processes may be about to read."""
    with source.open("rb") as content, tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as draft:
        shutil.copyfileobj(content, draft)
    os.replace(draft.name, target)  # noqa: PTH105 - as short as with a path
