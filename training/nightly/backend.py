"""Where the work on student buckets is done: in this process, in one for each core, or on a Dask cluster."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from features.errors import InputError, UnavailableError
from features.memory import collect_garbage
from features.publications.publish import Each, Result, Task

BACKENDS = ("local", "dask")

WORTH_PROCESSES = 2**29
"""Bytes of event files, some 16 million events, from which on further processes save more than their start costs."""

ATTEMPTS = 10
"""How often a task is begun again whose worker was lost."""


def work_here(function: Callable[[Task], Result], tasks: Sequence[Task], nbytes: int) -> Iterable[Result]:
    """Calls the function with each task, in a process for each core where there is much to read."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if nbytes < WORTH_PROCESSES or cores == 1:
        return map(function, tasks)
    from joblib import Parallel, delayed  # noqa: PLC0415 - not needed by most schools

    results: list[Result] = Parallel(n_jobs=cores, backend="loky")(delayed(_work)(function, task) for task in tasks)
    return results


def _work(function: Callable[[Task], Result], task: Task) -> Result:
    """Calls the function in a process that joblib would replace, with a warning, if it kept what a task has left."""
    result = function(task)
    collect_garbage()
    return result


_each: ContextVar[Each] = ContextVar("each", default=work_here)


def current_each() -> Each:
    """How tasks are mapped now."""
    return _each.get()


@contextmanager
def use_backend(name: str, scheduler: str | None = None) -> Iterator[None]:
    """Does the work on student buckets elsewhere for as long as the context lasts.

    Workers need the same version of regroup, and the home under the same path, such as on a shared disk. A worker that
    is lost costs only the time of what it was at: its tasks are done again, and write the same files.

    Args:
        name: One of `BACKENDS`.
        scheduler: Address of a Dask scheduler, such as `tcp://10.0.0.5:8786`.

    Raises:
        InputError: The backend needs an address or takes none, or Dask is not installed.
        UnavailableError: The scheduler does not answer.
    """
    if (name == "dask") != (scheduler is not None):
        raise InputError(
            "--backend dask needs --scheduler ADDRESS, such as tcp://10.0.0.5:8786, and no other takes one"
        )
    if scheduler is None:
        yield
        return
    try:
        from distributed import Client  # noqa: PLC0415 - optional
    except ImportError:
        raise InputError("Dask is not installed; `pip install regroup[dask]` brings it") from None
    try:
        client = Client(scheduler, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise UnavailableError(f"the Dask scheduler {scheduler} does not answer: {type(error).__name__}") from None

    def work_there(function: Callable[[Task], Result], tasks: Sequence[Task], nbytes: int) -> Iterable[Result]:
        del nbytes
        # the scheduler keeps the function and its arguments: what is scattered would be lost with its worker
        futures = client.map(function, tasks, pure=False, retries=ATTEMPTS)
        results: list[Result] = client.gather(futures)
        return results

    token = _each.set(work_there)
    try:
        yield
    finally:
        _each.reset(token)
        client.close()
