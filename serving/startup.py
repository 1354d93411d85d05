"""The service's first seconds: it listens at once, says what it is waiting for, and loads everything else meanwhile.

A thread imports what takes seconds to import (pandas, LightGBM, numba, MLflow), so this module imports none of it. Of
several processes that share a port, one answers while it loads and the others join when they are ready: a client that
saw the service ready is never asked to wait by another process.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import MappingProxyType

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from filelock import FileLock, Timeout
from starlette.types import Receive, Scope, Send

from features.console import OWNER_ONLY
from serving.api.problems import error_response
from serving.errors import NotReadyError
from serving.lifecycle import share_heaps

logger = logging.getLogger("regroup")

START_FOLDER = "REGROUP_START_FOLDER"
"""Environment variable with a folder that the processes of one service share; unset where there is one process."""

FAILED = 3
"""Exit code of a process that could not start, the same as uvicorn's."""

POLL_S = 0.1
"""Seconds between two looks at whether another process is ready."""


class StartingError(NotReadyError):
    """The process is still loading."""

    headers = MappingProxyType({"Retry-After": "2"})


class Startup:
    """An ASGI application that answers from the first moment and hands over to the service when that is loaded.

    Until then `/livez` succeeds, and every other request gets 503 with what is being loaded and `Retry-After`.

    Args:
        load: Makes the application in a thread, and calls the function that it gets with each step.
    """

    def __init__(self, load: Callable[[Callable[[str], None]], FastAPI]) -> None:
        self._load = load
        self._app: FastAPI | None = None
        self._step = "importing libraries"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or runs the application from start to stop."""
        if scope["type"] == "lifespan":
            await self._run(receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)
        elif scope["path"] == "/livez":
            await JSONResponse({"status": "alive"})(scope, receive, send)
        else:
            error = StartingError("starting", f"the service is starting: {self._step}")
            await error_response(error)(scope, receive, send)

    async def _run(self, receive: Receive, send: Send) -> None:
        turns = _Turns(os.environ.get(START_FOLDER))
        answers_early = turns.is_first()
        stop = asyncio.Event()
        started = asyncio.Event()
        await receive()
        running = asyncio.create_task(self._serve(turns, started, stop))
        if not answers_early:
            await started.wait()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        stop.set()
        await running
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, turns: "_Turns", started: asyncio.Event, stop: asyncio.Event) -> None:
        self.say(self._step)
        async with AsyncExitStack() as stack:
            try:
                app = await asyncio.to_thread(self._load, self.say)
                await stack.enter_async_context(app.router.lifespan_context(app))
            except Exception:
                logger.critical("the service could not start", exc_info=True)
                os._exit(FAILED)  # there is no other way for an application to end its server with an exit code
            while not turns.may_answer():  # noqa: ASYNC110 - another process changes this
                await asyncio.sleep(POLL_S)
            self._app = app
            started.set()
            logger.info("started")
            await stop.wait()

    def say(self, step: str) -> None:
        """Notes the step that has begun, for the log and for answers; any thread may call it."""
        self._step = step
        logger.info("starting: %s", step)


class _Turns:
    """Decides which of the processes that share a port answers first.

    Args:
        folder: The folder that they share; None where there is one process.
    """

    def __init__(self, folder: str | None) -> None:
        self._started = None if folder is None else Path(folder) / "started"
        self._lock = None if folder is None else FileLock(Path(folder) / "first.lock")

    def is_first(self) -> bool:
        """Whether no other process answers or is about to; the first process stays the first until it ends."""
        if self._started is None or self._lock is None:
            return True
        if self._started.exists():
            return False
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        return True

    def may_answer(self) -> bool:
        """Whether this process, which is ready, is the first or the first answers already."""
        if self._started is None or self._started.exists():
            return True
        if self.is_first():
            self._started.touch()
            return True
        return False


def create_startup() -> Startup:
    """Builds the application that the server runs, without importing anything slow.

    What the process writes is for the owner alone, also where another program than `python -m serving` starts it.
    """
    os.umask(OWNER_ONLY)
    share_heaps()

    def load(say: Callable[[str], None]) -> FastAPI:
        from serving.app import create_app  # noqa: PLC0415 - takes seconds

        return create_app(say=say)

    return Startup(load)
