"""`make demo`: from a log to a plan that a teacher can read, through the real commands and the real service."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from experiments.roster_of_log import write_roster
from features.console import OUT
from features.errors import InputError, RegroupError
from features.home import Home

SAY_S = 4.0
"""Between two lines that say what a wait is for."""

LOOK_S = 0.2
"""Between two looks at whether the service is ready."""

TAIL = 12
"""Lines of the service's log that are shown when something fails."""

KEPT = 10
"""Exit code of `python -m training nightly` when the champion that is there stays."""

WIDTH = 150
"""Characters of a line where the plan is not printed to a terminal."""

FIRST_SATURDAY = 5
"""Of `date.weekday()`."""


class DemoError(RegroupError):
    """A step of the demo failed; its own message was printed above."""


@dataclass
class Kept:
    """What an earlier demo made in this home, by step; it counts for the same inputs and the same code only.

    Attributes:
        path: The file that it is written to.
        inputs: What the demo was asked for, and a hash of the code that makes it.
        done: Steps that ended well, in order.
    """

    path: Path
    inputs: dict[str, Any]
    done: list[str]

    @classmethod
    def read(cls, path: Path, inputs: dict[str, Any]) -> "Kept":
        """The steps done for these inputs; none where the file is of other inputs, or is not there."""
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            return cls(path, inputs, told["done"] if told["inputs"] == inputs else [])
        except (OSError, ValueError, KeyError):
            return cls(path, inputs, [])

    def run(self, step: str, make: Callable[[], object]) -> None:
        """Does a step, unless it was done before, and notes that it was done.

        Args:
            step: What is done, in one line.
            make: Does it, and raises where it fails.
        """
        OUT.print(f"\n[bold]{step}[/bold]", highlight=False)
        if step in self.done:
            OUT.print("done by an earlier demo and reused; `make demo FRESH=1` starts over", style="dim")
            return
        with _saying(lambda: "at work"):
            make()
        self.done.append(step)
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps({"inputs": self.inputs, "done": self.done}, indent=2), encoding="utf-8")
        draft.replace(self.path)


def run_demo(
    log: Path | None, form: str | None, mapping: Path | None, *, fresh: bool = False, show_key: bool = False
) -> int:
    """Simulates a school or takes a real log, and walks the whole way to tomorrow's groups.

    Args:
        log: A log file; without it, a school is simulated.
        form: Its format, as `python -m features ingest --format` knows it.
        mapping: Its mapping, for the format `mapped`.
        fresh: Whether to start over instead of reusing what an earlier demo made of the same inputs.
        show_key: Whether to print an API key that stays valid.

    Raises:
        DemoError: The service stopped or refused a request.
        InputError: The log is not there.
        RegroupError: A command failed, as it would alone.
    """
    if log is not None and not log.exists():
        raise InputError(f"there is no log {log}; give LOG=FILE, or leave it out to simulate a school")
    home = Home(Path("var/demo").resolve())
    kept = Kept.read(home.root / "demo.json", _inputs(log, form, mapping))
    if fresh or not kept.done:
        shutil.rmtree(home.root, ignore_errors=True)
        kept.done.clear()
    home.root.mkdir(parents=True, exist_ok=True)
    store = f"sqlite:///{home.root / 'mlruns' / 'mlflow.db'}"
    os.environ |= {"REGROUP_HOME": str(home.root), "MLFLOW_TRACKING_URI": store, "MLFLOW_DISABLE_TELEMETRY": "true"}
    # LightGBM's threads must not wait by spinning; read when it is imported, by whichever command comes first
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.pop("REGROUP_DATABASE_URL", None)
    try:
        roster = _train(home, kept, log, form, mapping)
        with _api_key(home, keep=show_key) as key, _service(home.root / "serving.log") as service:
            plan, waited_s = _plan(service, key, roster)
    except BaseException:
        if kept.done:
            OUT.print("what was made so far is kept; the next `make demo` goes on from there", style="dim")
        raise
    _print_plan(plan)
    OUT.print(f"suggested in {waited_s:.2f} s, the first request of a new service", markup=False, highlight=False)
    _print_where(plan, store, home, key if show_key else None)
    return 0


def _train(home: Home, kept: Kept, log: Path | None, form: str | None, mapping: Path | None) -> Path:
    """The steps from a log to a champion; the folder of the roster."""
    school = home.root / "school"
    roster = school / "roster" if log is None else home.root / "roster"
    if log is None:
        kept.run("simulate a school of four teams of 60 students, twelve weeks", lambda: _simulate(school))
        log, form, mapping = school / "log.parquet", "mapped", school / "mapping.toml"
    options = [*(["--format", form] if form else []), *(["--mapping", str(mapping)] if mapping else [])]
    _command(kept, "features", "ingest", str(log), *options)
    if not roster.is_relative_to(school):
        kept.run("write a roster of teams of 60, the most recently active first", lambda: write_roster(home, roster))
    _command(kept, "features", "roster", str(roster))
    _command(kept, "training", "nightly")
    return roster


def _plan(service: "Service", key: str, roster: Path) -> tuple[dict[str, Any], float]:
    """The plan for the next school day of the roster's first team, and how many seconds it took."""
    service.wait_until_ready()
    models = service.call("/v1/models", key)
    team = (roster / "teams.csv").read_text(encoding="utf-8").splitlines()[1].split(",")[0]
    body = {"team_id": team, "date": _next_school_day(models["provenance"]["data_as_of"]).isoformat()}
    OUT.print(f"\n[bold]POST /v1/recommendations {json.dumps(body)}[/bold]", highlight=False)
    begun = time.perf_counter()
    with _saying(lambda: "the service plans"):
        plan = service.call("/v1/recommendations", key, body)
    return plan, time.perf_counter() - begun


def _inputs(log: Path | None, form: str | None, mapping: Path | None) -> dict[str, Any]:
    """What decides the school and its model: the log, and the code that reads, simulates and trains."""
    code = hashlib.sha256()
    root = Path(__file__).parents[1]
    for folder in ("features", "training", "experiments/simulation"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in {".py", ".toml"}:
                code.update(path.read_bytes())
    return {
        "log": None if log is None else [str(log.resolve()), log.stat().st_size, log.stat().st_mtime_ns],
        "format": form,
        "mapping": None if mapping is None else mapping.read_text(encoding="utf-8"),
        "code": code.hexdigest(),
    }


def _simulate(folder: Path) -> None:
    from experiments.simulation.config import SchoolConfig  # noqa: PLC0415 - only this path needs the simulator
    from experiments.simulation.school import simulate_school  # noqa: PLC0415
    from experiments.simulation.writing import write_school  # noqa: PLC0415

    school = SchoolConfig(students_per_team=60, attendance=0.5, session_median=8.0)
    write_school(simulate_school(school), folder)


def _command(kept: Kept, package: str, *arguments: str) -> None:
    """Runs one of our commands in this process, which spares its imports.

    Raises:
        DemoError: It ended with another exit code than a good one.
        RegroupError: As the command's own.
    """

    def run() -> None:
        # the commands import what takes seconds
        code = import_module(f"{package}.__main__").main(arguments)
        if code not in {0, KEPT}:
            raise DemoError(f"`python -m {package} {arguments[0]}` ended with exit code {code}; see above")

    kept.run(f"python -m {package} {' '.join(arguments)}", run)


@contextmanager
def _api_key(home: Home, *, keep: bool) -> Iterator[str]:
    """An API key that may read and plan; it is revoked at the end unless it is to be kept."""
    from features.database import Database  # noqa: PLC0415 - takes a second
    from serving.access.caller import Scope  # noqa: PLC0415
    from serving.access.keys import issue_key  # noqa: PLC0415
    from serving.store.keys import revoke_key  # noqa: PLC0415

    with Database(home.database_url()) as database:
        key = issue_key(database, "demo", [Scope("read"), Scope("plan")])
        try:
            yield key.reveal()
        finally:
            if not keep:
                revoke_key(database, key.key_id, datetime.now(UTC))


class Service:
    """The service in a process of its own.

    Args:
        process: That answers.
        port: Of this machine.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self._process = process
        self._address = f"http://127.0.0.1:{port}"
        self._waits_for = "the service does not listen yet"

    def wait_until_ready(self) -> None:
        """Waits for as long as the process lives, and says what for.

        Raises:
            DemoError: The process ended.
        """
        with _saying(lambda: self._waits_for):
            while not self._is_ready():
                time.sleep(LOOK_S)

    def call(self, path: str, key: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer to a request, which is sent again for as long as the service asks to wait.

        Raises:
            DemoError: The process ended, or the service refused the request.
        """
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        request = urllib.request.Request(self._address + path, data, headers)  # noqa: S310 - loopback
        while True:
            try:
                # no time limit: a busy machine is slow, and a process that ends closes the connection
                with urllib.request.urlopen(request) as response:  # noqa: S310
                    answer: dict[str, Any] = json.load(response)
                    return answer
            except urllib.error.HTTPError as error:
                with error:
                    told = json.load(error)["detail"]
                if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
                    raise DemoError(f"the service answered {error.code}: {told}") from None
                self._waits_for = told
                time.sleep(float(error.headers.get("Retry-After", 1)))
            except OSError as error:
                self._require_alive()
                raise DemoError(f"the service does not answer: {error}") from None

    def _is_ready(self) -> bool:
        self._require_alive()
        try:
            with urllib.request.urlopen(f"{self._address}/readyz"):  # noqa: S310 - loopback
                return True
        except urllib.error.HTTPError as error:
            with error:
                self._waits_for = json.load(error)["detail"]
        except OSError:
            pass  # it does not listen yet
        return False

    def _require_alive(self) -> None:
        code = self._process.poll()
        if code is not None:
            raise DemoError(f"the service ended with exit code {code}")


@contextmanager
def _service(log: Path) -> Iterator[Service]:
    """The service while it runs; when something fails, the end of its log is shown."""
    port = _free_port()
    OUT.print(f"\n[bold]python -m serving --port {port}[/bold]", highlight=False)
    command = [sys.executable, "-m", "serving", "--port", str(port)]
    with log.open("wb") as lines:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=lines)  # noqa: S603 - our own command
    try:
        yield Service(process, port)
    except DemoError:
        OUT.print(f"\nend of the service's log, {log}:", markup=False, highlight=False)
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:]:
            OUT.print(line, markup=False, highlight=False)
        raise
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _saying(what: Callable[[], str]) -> Iterator[None]:
    """Prints every few seconds what is waited for, from a thread, until the work inside ends."""
    ended = threading.Event()
    begun = time.monotonic()

    def say() -> None:
        while not ended.wait(SAY_S):
            OUT.print(f"... {time.monotonic() - begun:.0f} s: {what()}", style="dim", markup=False, highlight=False)

    thread = threading.Thread(target=say, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _next_school_day(as_of: str | None) -> date:
    day = date.today() if as_of is None else datetime.fromisoformat(as_of).date()  # noqa: DTZ011 - the school's own day
    while day.weekday() >= FIRST_SATURDAY:
        day += timedelta(days=1)
    return day


def _print_plan(plan: dict[str, Any]) -> None:
    day = date.fromisoformat(plan["date"])
    OUT.print(f"\n[bold]Groups for {plan['team_id']}, {day:%A} {day}[/bold]\n", highlight=False)
    table = Table(show_lines=True)
    for name in ("block", "room", "adult", "skill", "students and why"):
        table.add_column(name, overflow="fold", no_wrap=name == "block")
    for session in plan["sessions"]:
        adults = "\n".join(f"{adult['staff_id']} ({adult['role'].replace('_', ' ')})" for adult in session["adults"])
        kind = session["session_type"].replace("_", " ")
        if session["skill_id"] is None:
            students = f"{len(session['students'])} students online"
        else:
            students = "\n".join(_student_line(seat) for seat in session["students"])
        what = "self-paced" if session["skill"] is None else f"{session['skill']}\n({kind})"
        table.add_row(session["time"], session["room_id"] or "-", adults, what, students)
    wide = OUT if OUT.is_terminal else Console(width=WIDTH)  # a pipe has no width of its own
    wide.print(table, markup=False, highlight=False)


def _student_line(seat: dict[str, Any]) -> str:
    if seat["struggle_risk"] is None:
        told = "no forecast yet"
    elif seat["struggle_risk"] == 1:
        told = "struggling"
    else:
        told = f"struggle risk {seat['struggle_risk']:.0%}"
    return f"{seat['student_id']}: {', '.join([*seat['facts'], told])}"


def _print_where(plan: dict[str, Any], store: str, home: Home, key: str | None) -> None:
    led = [session for session in plan["sessions"] if session["skill_id"] is not None]
    seats = sum(len(session["students"]) for session in led)
    model = plan["provenance"]["model"]
    OUT.print(
        f"\n{len(led)} sessions led by an adult with {seats} seats; "
        f"{len(plan['unmet'])} students keep a need that today does not meet.\n"
        f"model: struggle version {model['struggle_version']}, mastery version {model['mastery_version']}, "
        f"run {model['run_id']}\n"
        f"profiles as of: {plan['provenance']['data_as_of'] or 'the end of the log'}\n"
        f"why this model: {home.decisions}\n"
        f"serve it again: REGROUP_HOME={home.root} MLFLOW_TRACKING_URI={store} {sys.executable} -m serving"
        f"{'' if key else ' --open'}\n"
        + (f"its API key: {key}\n" if key else "")
        + "API docs: http://127.0.0.1:8000/docs while it runs\n"
        f"MLflow: {Path(sys.executable).parent / 'mlflow'} ui --backend-store-uri {store}",
        markup=False,
        highlight=False,
    )
