"""`make demo`: from a log to a plan that a teacher can read, through the real commands and the real service."""

import hashlib
import json
import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from experiments.benchmarks.service.processes import Server, run_service, show_progress
from features.console import OUT
from features.errors import InputError, RegroupError
from features.home import Home

CHAMPION_STAYS = 10
"""Exit code of `python -m training nightly` when the new model is no better than the champion."""

WIDTH = 150
"""Characters of a line where the plan is not printed to a terminal, which has a width of its own."""

SHOWN = 6
"""Notes of one kind that are printed."""

SATURDAY = 5
"""Number of the first day without school, from Monday = 0."""


class DemoError(RegroupError):
    """A step of the demo failed; its own message was printed above."""


@dataclass
class Progress:
    """The steps that earlier demos of the same inputs and the same code finished, kept in a file.

    Attributes:
        path: The file.
        inputs: What the demo was asked for, and a hash of the code.
        done: Finished steps, in order.
    """

    path: Path
    inputs: dict[str, Any]
    done: list[str]

    @classmethod
    def read(cls, path: Path, inputs: dict[str, Any]) -> "Progress":
        """Reads the steps done for these inputs; none where the file is of other inputs, or is not there."""
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            return cls(path, inputs, stored["done"] if stored["inputs"] == inputs else [])
        except (OSError, ValueError, KeyError):
            return cls(path, inputs, [])

    def run(self, step: str, work: Callable[[], object]) -> None:
        """Does a step and records it, unless it was done before; `work` raises where it fails."""
        OUT.print(f"\n[bold]{step}[/bold]", highlight=False)
        if step in self.done:
            OUT.print("done by an earlier demo and reused; `make demo FRESH=1` starts over", style="dim")
            return
        with show_progress(lambda: "at work"):
            work()
        self.done.append(step)
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps({"inputs": self.inputs, "done": self.done}, indent=2), encoding="utf-8")
        draft.replace(self.path)


def run_demo(
    log: Path | None, form: str | None, mapping: Path | None, *, fresh: bool = False, show_key: bool = False
) -> int:
    """Simulates a school or takes a real log, and walks the whole way to tomorrow's groups.

    Args:
        log: A log file; null = a school is simulated.
        form: Its format, as `python -m features ingest --format` knows it.
        mapping: Its mapping, for the format `mapped`.
        fresh: Whether to start over instead of reusing what an earlier demo made of the same inputs.
        show_key: Whether to print an API key that stays valid.

    Raises:
        DemoError: A command failed, or the service refused a request.
        ServerError: The service did not start.
        InputError: The log is not there.
        RegroupError: A command failed, as it would alone.
    """
    if log is not None and not log.exists():
        raise InputError(f"there is no log {log}; give LOG=FILE, or leave it out to simulate a school")
    home = Home(Path("var/demo").resolve())
    progress = Progress.read(home.root / "demo.json", describe_inputs(log, form, mapping))
    if fresh or not progress.done:
        shutil.rmtree(home.root, ignore_errors=True)
        progress.done.clear()
    home.root.mkdir(parents=True, exist_ok=True)
    store = f"sqlite:///{home.root / 'mlruns' / 'mlflow.db'}"
    os.environ |= {"REGROUP_HOME": str(home.root), "MLFLOW_TRACKING_URI": store, "MLFLOW_DISABLE_TELEMETRY": "true"}
    # LightGBM's threads must not wait by spinning; read when it is imported, by whichever command comes first
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.pop("REGROUP_DATABASE_URL", None)
    try:
        roster = _train(home, progress, log, form, mapping)
        OUT.print("\n[bold]python -m serving[/bold]", highlight=False)
        with _api_key(home, keep=show_key) as key, run_service({}, 1, home.root / "serving.log") as server:
            plan, seconds = _plan(server, key, roster)
    except BaseException:
        if progress.done:
            OUT.print("what was made so far is kept; the next `make demo` goes on from there", style="dim")
        raise
    _print_plan(plan)
    OUT.print(f"suggested in {seconds:.2f} s, the first request of a new service", markup=False, highlight=False)
    _print_where(plan, store, home, key if show_key else None)
    return 0


def describe_inputs(log: Path | None, form: str | None, mapping: Path | None) -> dict[str, Any]:
    """Returns what decides the school and its model: the log, and the code that reads, simulates and trains."""
    code, root = hashlib.sha256(), Path(__file__).parents[1]
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


def _train(home: Home, progress: Progress, log: Path | None, form: str | None, mapping: Path | None) -> Path:
    """Goes from a log to a champion, and returns the folder of the roster."""
    school = home.root / "school"
    roster = school / "roster" if log is None else home.root / "roster"
    if log is None:
        progress.run("simulate a school of four teams of 60 students, twelve weeks", lambda: _simulate(school))
        log, form, mapping = school / "log.parquet", "mapped", school / "mapping.toml"
    options = [*(["--format", form] if form else []), *(["--mapping", str(mapping)] if mapping else [])]
    _run_command(progress, "features", "ingest", str(log), *options)
    if not roster.is_relative_to(school):
        title = "write a roster of teams of 60, the most recently active first"
        progress.run(title, lambda: _write_roster(home, roster))
    _run_command(progress, "features", "roster", str(roster))
    _run_command(progress, "training", "nightly")
    return roster


def _simulate(folder: Path) -> None:
    from experiments.simulation import SchoolConfig, simulate_school, write_school  # noqa: PLC0415 - takes seconds

    write_school(simulate_school(SchoolConfig(students_per_team=60, attendance=0.5, session_median=8.0)), folder)


def _write_roster(home: Home, folder: Path) -> None:
    from experiments.simulation.people import write_log_roster  # noqa: PLC0415 - takes seconds
    from features.events.log.store import read_events  # noqa: PLC0415

    events = read_events(home, columns=["student_id", "occurred_at", "sequence"])
    last = events.groupby("student_id").max()
    order = last.sort_values(["occurred_at", "sequence"], ascending=False, kind="stable").index
    write_log_roster(order.to_list(), folder)


def _run_command(progress: Progress, package: str, *arguments: str) -> None:
    """Runs one of our commands in this process, which spares its imports.

    Raises:
        DemoError: It ended with another exit code than a good one.
        RegroupError: The command's own error.
    """

    def run() -> None:
        code = import_module(f"{package}.__main__").main(arguments)
        if code not in {0, CHAMPION_STAYS}:
            raise DemoError(f"`python -m {package} {arguments[0]}` ended with exit code {code}; see above")

    progress.run(f"python -m {package} {' '.join(arguments)}", run)


@contextmanager
def _api_key(home: Home, *, keep: bool) -> Iterator[str]:
    """Yields an API key that may read and plan; it is revoked at the end unless it is to be kept."""
    from features.database import Database  # noqa: PLC0415 - takes a second
    from serving.access.caller import Scope  # noqa: PLC0415
    from serving.access.keys import issue_key  # noqa: PLC0415
    from serving.store.keys import revoke_key  # noqa: PLC0415

    with Database(home.database_url()) as database:
        key = issue_key(database, "demo", [Scope("read"), Scope("plan"), Scope("board")])
        try:
            yield key.reveal()
        finally:
            if not keep:
                revoke_key(database, key.key_id, datetime.now(UTC))


def _plan(server: Server, key: str, roster: Path) -> tuple[dict[str, Any], float]:
    """Returns the plan for the next school day of the roster's first team, and how many seconds it took."""
    as_of = _call(server, "/v1/models", key)["provenance"]["data_as_of"]
    day = date.today() if as_of is None else datetime.fromisoformat(as_of).date()  # noqa: DTZ011 - the school's own day
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    team = (roster / "teams.csv").read_text(encoding="utf-8").splitlines()[1].split(",")[0]
    body = {"team_id": team, "date": day.isoformat()}
    OUT.print(f"\n[bold]POST /v1/recommendations {json.dumps(body)}[/bold]", highlight=False)
    begun = time.perf_counter()
    with show_progress(lambda: "the service plans"):
        plan = _call(server, "/v1/recommendations", key, body)
    return plan, time.perf_counter() - begun


def _call(server: Server, path: str, key: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Returns the service's answer to a request.

    Raises:
        DemoError: The service refused the request, or ended.
    """
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", data, headers)
    try:
        # no time limit: a busy machine is slow, and a process that ends closes the connection
        with urllib.request.urlopen(request) as response:  # noqa: S310 - loopback
            answer: dict[str, Any] = json.load(response)
            return answer
    except urllib.error.HTTPError as error:
        with error:
            raise DemoError(f"the service answered {error.code}: {json.load(error)['detail']}") from None
    except OSError as error:
        raise DemoError(f"the service does not answer: {error}") from None


def _print_plan(plan: dict[str, Any]) -> None:
    day = date.fromisoformat(plan["date"])
    OUT.print(f"\n[bold]Groups for {plan['team_id']}, {day:%A} {day}[/bold]\n", highlight=False)
    table = Table(show_lines=True)
    for name in ("block", "room", "adult", "skill", "students and why"):
        table.add_column(name, overflow="fold", no_wrap=name == "block")
    for session in plan["sessions"]:
        adults = "\n".join(f"{adult['staff_id']} ({adult['role'].replace('_', ' ')})" for adult in session["adults"])
        students, skill = f"{len(session['students'])} students online", "self-paced"
        if session["skill_id"] is not None:
            students = "\n".join(_describe_seat(seat) for seat in session["students"])
            skill = _describe_session(session)
        table.add_row(session["time"], session["room_id"] or "-", adults, skill, students)
    screen = OUT if OUT.is_terminal else Console(width=WIDTH)
    screen.print(table, markup=False, highlight=False)
    for title, notes in (("current unit", plan["focus_notes"]), ("needs that wait", plan["unmet"])):
        for note in notes[:SHOWN]:
            screen.print(f"{title}: {_name(note)}{note['sentence']}", markup=False, highlight=False)
        if len(notes) > SHOWN:
            screen.print(f"{title}: {len(notes) - SHOWN} more", markup=False, highlight=False)


def _describe_session(session: dict[str, Any]) -> str:
    kind, purpose = (str(session[name] or "").replace("_", " ") for name in ("session_type", "purpose"))
    lines = [session["skill"], f"{kind}, {purpose}" if purpose else kind]
    return "\n".join([*lines, *([session["teach"]["sentence"]] if session["teach"] else [])])


def _name(note: dict[str, Any]) -> str:
    """Returns whom a note is about, to precede it; nothing for a note on a skill."""
    return f"{note['student_id']}: " if "student_id" in note else ""


def _describe_seat(seat: dict[str, Any]) -> str:
    risk = seat["struggle_risk"]
    forecast = "no forecast yet" if risk is None else f"struggle risk {risk:.0%}"
    return f"{seat['student_id']}: {', '.join([*seat['facts'], forecast])}"


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
        + f"the team's board, while it runs: {_link_to_board(plan, key)}\n"
        + "API docs: http://127.0.0.1:8000/docs while it runs\n"
        f"MLflow: {Path(sys.executable).parent / 'mlflow'} ui --backend-store-uri {store}",
        markup=False,
        highlight=False,
    )


def _link_to_board(plan: dict[str, Any], key: str | None) -> str:
    """The address that signs in to the board; a service that is open to this machine shows the day at once."""
    if key is not None:
        return f"http://127.0.0.1:8000/board/sign-in#{key}"
    return f"http://127.0.0.1:8000/board/day?team_id={plan['team_id']}&date={plan['date']} (signs in by itself)"
