"""`make demo`: from a log to a plan that a teacher can read, through the real commands and the real service."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from experiments.roster_of_log import write_roster
from features.console import OUT
from features.errors import InputError, RegroupError
from features.home import Home

READY_S = 90
"""How long the service may take to load its model."""

WIDTH = 150
"""Characters of a line where the plan is not printed to a terminal."""

FIRST_SATURDAY = 5
"""Of `date.weekday()`."""


class DemoError(RegroupError):
    """A step of the demo failed; its own message was printed above."""


def run_demo(log: Path | None, form: str | None, mapping: Path | None) -> int:
    """Simulates a school or takes a real log, and walks the whole way to tomorrow's groups.

    Args:
        log: A log file; without it, a school is simulated.
        form: Its format, as `python -m features ingest --format` knows it.
        mapping: Its mapping, for the format `mapped`.

    Raises:
        DemoError: A step failed.
        InputError: The log is not there.
    """
    if log is not None and not log.exists():
        raise InputError(f"there is no log {log}; give LOG=FILE, or leave it out to simulate a school")
    home = Home(Path("var/demo").resolve())
    shutil.rmtree(home.root, ignore_errors=True)  # the demo starts from nothing each time
    home.root.mkdir(parents=True)
    store = f"sqlite:///{home.root / 'mlruns' / 'mlflow.db'}"
    os.environ |= {"REGROUP_HOME": str(home.root), "MLFLOW_TRACKING_URI": store, "MLFLOW_DISABLE_TELEMETRY": "true"}
    os.environ.pop("REGROUP_DATABASE_URL", None)

    roster = home.root / "roster"
    if log is None:
        log, mapping = _simulate(home.root / "school")
        form, roster = "mapped", home.root / "school" / "roster"
    options = [*(["--format", form] if form else []), *(["--mapping", str(mapping)] if mapping else [])]
    _step("features", "ingest", str(log), *options)
    if not roster.exists():
        OUT.print("no roster: students go into teams of 60, the most recently active first", style="dim")
        write_roster(home, roster)
    _step("features", "roster", str(roster))
    _step("training", "nightly")

    key = _issue_key()
    port = _free_port()
    with _service(port, home.root / "serving.log"):
        address = f"http://127.0.0.1:{port}"
        models = _call(f"{address}/v1/models", key)
        team = (roster / "teams.csv").read_text(encoding="utf-8").splitlines()[1].split(",")[0]
        body = {"team_id": team, "date": _next_school_day(models["provenance"]["data_as_of"]).isoformat()}
        begun = time.perf_counter()
        plan = _call(f"{address}/v1/recommendations", key, body)
        waited_s = time.perf_counter() - begun
    _print_plan(plan)
    OUT.print(f"suggested in {waited_s:.2f} s, the first request of a new service", markup=False, highlight=False)
    _print_where(plan, store, home, key)
    return 0


def _simulate(folder: Path) -> tuple[Path, Path]:
    from experiments.simulation.config import SchoolConfig  # noqa: PLC0415 - only this path needs the simulator
    from experiments.simulation.school import simulate_school  # noqa: PLC0415
    from experiments.simulation.writing import write_school  # noqa: PLC0415

    OUT.print("\n[bold]simulate[/bold] a school of four teams of 60 students, twelve weeks")
    school = SchoolConfig(students_per_team=60, attendance=0.5, session_median=8.0)
    write_school(simulate_school(school), folder)
    return folder / "log.parquet", folder / "mapping.toml"


def _step(package: str, *arguments: str) -> None:
    OUT.print(f"\n[bold]python -m {package} {' '.join(arguments)}[/bold]", highlight=False)
    done = subprocess.run([sys.executable, "-m", package, *arguments], check=False)  # noqa: S603 - our own commands
    if done.returncode:
        raise DemoError(f"`python -m {package} {arguments[0]}` ended with exit code {done.returncode}; see above")


def _issue_key() -> str:
    options = ["keys", "issue", "--name", "demo", "--scope", "read", "--scope", "plan"]
    OUT.print(f"\n[bold]python -m serving {' '.join(options)}[/bold]", highlight=False)
    command = [sys.executable, "-m", "serving", *options]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own command
    if done.returncode:
        raise DemoError("no API key could be issued; see above")
    return done.stdout.strip()


@contextmanager
def _service(port: int, log: Path) -> Iterator[None]:
    OUT.print(f"\n[bold]python -m serving --port {port}[/bold]", highlight=False)
    command = [sys.executable, "-m", "serving", "--port", str(port)]
    with log.open("wb") as lines:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=lines)  # noqa: S603 - our own command
    try:
        deadline = time.monotonic() + READY_S
        while True:
            if process.poll() is not None:
                raise DemoError(f"the service stopped before it was ready; see {log}")
            try:
                _call(f"http://127.0.0.1:{port}/readyz", key="")
                break
            except DemoError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _call(address: str, key: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = urllib.request.Request(address, data, headers)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            answer: dict[str, Any] = json.load(response)
            return answer
    except urllib.error.HTTPError as error:
        raise DemoError(f"the service answered {error.code}: {json.load(error)['detail']}") from None
    except urllib.error.URLError as error:
        raise DemoError(f"the service does not answer: {error.reason}") from None


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
        kind = session["modality"].replace("_", " ")
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


def _print_where(plan: dict[str, Any], store: str, home: Home, key: str) -> None:
    led = [each for each in plan["sessions"] if each["skill_id"] is not None]
    seats = sum(len(each["students"]) for each in led)
    model = plan["provenance"]["model"]
    OUT.print(
        f"\n{len(led)} sessions led by an adult with {seats} seats; "
        f"{len(plan['unmet'])} students keep a need that today does not meet.\n"
        f"model: struggle version {model['struggle_version']}, mastery version {model['mastery_version']}, "
        f"run {model['run_id']}\n"
        f"profiles as of: {plan['provenance']['data_as_of'] or 'the end of the log'}\n"
        f"why this model: {home.decisions}\n"
        f"serve it again: REGROUP_HOME={home.root} MLFLOW_TRACKING_URI={store} {sys.executable} -m serving\n"
        f"its API key: {key}\n"
        "API docs: http://127.0.0.1:8000/docs while it runs\n"
        f"MLflow: {Path(sys.executable).parent / 'mlflow'} ui --backend-store-uri {store}",
        markup=False,
        highlight=False,
    )
