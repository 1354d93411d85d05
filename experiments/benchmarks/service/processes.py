"""The service as processes of its own: started, waited for, measured, and stopped."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from experiments.benchmarks.service.load import Connection
from features.errors import RegroupError

START_S = 300
"""In which a server has to be ready, on a machine with other work."""

OK = 200


class ServerError(RegroupError):
    """A server that is measured did not start."""


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
        found = [child for child in _children(self.process.pid) if "resource_tracker" not in _command(child)]
        return found or [self.process.pid]


@contextmanager
def run_service(environment: Mapping[str, str], workers: int, log: Path) -> Iterator[Server]:
    """Yields the service with so many workers, ready to answer."""
    port = free_port()
    command = [sys.executable, "-m", "serving", "--port", str(port), "--workers", str(workers)]
    with run_server(command, environment, port, "/readyz", log) as server:
        yield server


@contextmanager
def run_server(
    command: Sequence[str], environment: Mapping[str, str], port: int, path: str, log: Path
) -> Iterator[Server]:
    """Any server, ready to answer at a path.

    Raises:
        ServerError: It ended, or was not ready in time.
    """
    begun = time.perf_counter()
    with log.open("ab") as lines:
        process = subprocess.Popen(  # noqa: S603 - our own commands
            command, env={**os.environ, **environment}, stdout=lines, stderr=lines
        )
    try:
        if not wait_until(lambda: process.poll() is not None or answers(port, path), START_S):
            raise ServerError(f"{command[1:3]} was not ready within {START_S} s; see {log}")
        if process.poll() is not None:
            raise ServerError(f"{command[1:3]} ended with exit code {process.poll()}; see {log}")
        yield Server(port, process, time.perf_counter() - begun)
    finally:
        process.terminate()
        try:
            process.wait(timeout=90)
        except subprocess.TimeoutExpired:
            process.kill()


def answers(port: int, path: str) -> bool:
    """Returns whether a server says 200 there."""
    connection = Connection(port)
    try:
        return connection.send("GET", path).status == OK
    except OSError:
        return False
    finally:
        connection.close()


def wait_until(done: Callable[[], object], within_s: float) -> bool:
    """Returns whether it was done in time."""
    deadline = time.monotonic() + within_s
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def memory_mb(process_id: int) -> dict[str, float]:
    """`pss`: memory with shared pages divided among who shares them; `uss`: what is a process's own; in MB."""
    sizes = dict.fromkeys(("Pss", "Private_Clean", "Private_Dirty"), 0)
    for line in Path(f"/proc/{process_id}/smaps_rollup").read_text(encoding="utf-8").splitlines()[1:]:
        name, _, rest = line.partition(":")
        if name in sizes:
            sizes[name] = int(rest.split()[0])
    return {"pss": sizes["Pss"] / 1024, "uss": (sizes["Private_Clean"] + sizes["Private_Dirty"]) / 1024}


def free_port() -> int:
    """Returns a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(process_id: int) -> list[int]:
    children = Path(f"/proc/{process_id}/task/{process_id}/children").read_text(encoding="utf-8")
    return [int(child) for child in children.split()]


def _command(process_id: int) -> str:
    return Path(f"/proc/{process_id}/cmdline").read_bytes().replace(b"\0", b" ").decode()
