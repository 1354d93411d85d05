"""Servers as processes of their own: started, waited for, measured, and stopped."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from experiments.benchmarks.service.load import Connection
from features.console import OUT
from features.errors import RegroupError

OK = 200

PROGRESS_S = 4.0
"""Seconds between two lines that say what a wait is for."""


class ServerError(RegroupError):
    """A server or a command that a measurement needs failed."""


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        port: Where it listens.
        process: The first process; workers are its children.
        ready_s: Seconds from its start to the first 200.
    """

    port: int
    process: "subprocess.Popen[bytes]"
    ready_s: float

    def workers(self) -> list[int]:
        """Returns ids of the processes that answer: the children with a web server in them, else the first process."""
        parent = self.process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8").split()
        commands = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
        return [child for child, command in commands.items() if b"resource_tracker" not in command] or [parent]


@contextmanager
def run_service(
    environment: Mapping[str, str], workers: int, log: Path, *, open_files: int | None = None
) -> Iterator[Server]:
    """Yields the service with so many workers, ready to answer; each may have so many files and connections open."""
    port = free_port()
    command = [sys.executable, "-m", "serving", "--port", str(port), "--workers", str(workers)]
    if open_files is not None:
        command = ["sh", "-c", f'ulimit -n {open_files}; exec "$@"', "sh", *command]
    with run_server(command, environment, port, "/readyz", log) as server:
        yield server


@contextmanager
def run_server(
    command: Sequence[str], environment: Mapping[str, str], port: int, path: str, log: Path
) -> Iterator[Server]:
    """Yields a server once it answers 200 at a path; it is waited for as long as its process lives.

    Raises:
        ServerError: The process ended first.
    """
    begun, state = time.perf_counter(), "it does not listen yet"
    with log.open("ab") as lines:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=lines, stderr=lines)  # noqa: S603
    try:
        with show_progress(lambda: f"waiting for {' '.join(command[1:3])}: {state}"):
            while state := describe_state(port, path):
                if process.poll() is not None:
                    last = (log.read_text(encoding="utf-8", errors="replace").splitlines() or ["it wrote nothing"])[-1]
                    raise ServerError(
                        f"{' '.join(command[1:3])} ended with exit code {process.returncode}: {last} (log: {log})"
                    )
                time.sleep(0.1)
        yield Server(port, process, time.perf_counter() - begun)
    finally:
        process.terminate()
        try:
            process.wait(timeout=90)
        except subprocess.TimeoutExpired:
            process.kill()


def describe_state(port: int, path: str) -> str:
    """Returns what a server is waiting for; nothing once it answers 200 at the path."""
    connection = Connection(port)
    try:
        response = connection.send("GET", path)
    except OSError:
        return "it does not listen yet"
    finally:
        connection.close()
    if response.status == OK:
        return ""
    is_json = "json" in response.headers.get("content-type", "")
    return str(json.loads(response.body)["detail"]) if is_json else f"it answers {response.status}"


@contextmanager
def show_progress(describe: Callable[[], str]) -> Iterator[None]:
    """Prints every few seconds what is waited for, from a thread, until the work inside ends."""
    ended, begun = threading.Event(), time.monotonic()

    def print_lines() -> None:
        while not ended.wait(PROGRESS_S):
            line = f"... {time.monotonic() - begun:.0f} s: {describe()}"
            OUT.print(line, style="dim", markup=False, highlight=False)

    thread = threading.Thread(target=print_lines, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def wait_until(done: Callable[[], object], within_s: float) -> bool:
    """Returns whether something came true in time."""
    deadline = time.monotonic() + within_s
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def free_port() -> int:
    """Returns a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
