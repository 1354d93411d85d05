"""Work that takes long: in several processes at once, and kept in a folder, so that a run that was stopped goes on."""

import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from features.console import track

Done = TypeVar("Done")


def run_each(
    function: Callable[..., Done], work: Sequence[tuple[Any, ...]], workers: int | None, name: str
) -> Iterator[Done]:
    """Yields what a function returns of each piece of work, in whatever order they end.

    Args:
        function: One of a module, so that other processes find it.
        work: Arguments of each call.
        workers: Processes; 1 = this one; null = as many as there are cores.
        name: What is counted while it runs.
    """
    workers = (os.cpu_count() or 1) if workers is None else workers
    if workers == 1:
        yield from (function(*one) for one in track(work, name, total=len(work)))
        return
    # a fork of a process that has threads of LightGBM's may hang
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(function, *one) for one in work]
        for done in track(as_completed(waiting), name, total=len(waiting)):
            yield done.result()


def keep_once(keep: Path | None, name: str, make: Callable[[], Done]) -> Done:
    """Returns what was kept under a name; else it is made, and kept where there is a folder for it.

    Args:
        keep: The folder, made if need be; null = nothing is kept.
        name: Says everything that may make a difference.
        make: Makes it; it must be picklable.
    """
    path = None if keep is None else keep / f"{name}.pickle"
    if path is not None and path.is_file():
        kept: Done = pickle.loads(path.read_bytes())  # noqa: S301 - written by this function
        return kept
    made = make()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.write_bytes(pickle.dumps(made))
        draft.replace(path)  # whole or not at all, whenever it is stopped
    return made
