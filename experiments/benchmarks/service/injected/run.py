"""Seeded runs of the service under faults, on SQLite and on PostgreSQL, and what each run lost."""

import random
import shutil
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from rich.table import Table

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.service.faults import Postgres, run_postgres
from experiments.benchmarks.service.injected.clients import (
    REFUSED,
    Observed,
    RunClient,
    Window,
    count_doubled,
    count_missing,
)
from experiments.benchmarks.service.injected.clock import MovedClock
from experiments.benchmarks.service.injected.kinds import ON_POSTGRES, ON_SQLITE, Place
from experiments.benchmarks.service.processes import describe_state, run_service, wait_until
from experiments.benchmarks.service.school import School, issue_key
from features.console import OUT
from features.database import Database
from features.erasure import Installation, erase_everywhere
from features.errors import BusyError
from features.home import Home
from features.roster import list_teams, read_roster_files, read_team, save_roster
from serving.audit.spool import SPOOL
from serving.store.erasure import STORES

RUNS, RUNS_ON_POSTGRES = 22, 8
THREADS = 3

AGAIN_S = 400.0
"""Within which two workers have to answer again; on a machine with other work, one takes minutes to start."""

MUST_BE_NONE = ("lost", "doubled", "unaudited", "reappeared", "wrong_401", "wrong")
"""Counts of a run that have to be 0; `wrong` counts statuses from 400 but 409 and 503 with Retry-After."""

Kinds = Mapping[str, Callable[[Place], Window | None]]


def run_faults(school: School, log: Path, *, quick: bool) -> dict[str, Any]:
    """Returns the counts of each run and of all, and in `wrong` a sentence about each that is not 0.

    Args:
        school: Trained; it is copied.
        log: Where the servers write.
        quick: Whether every fault is brought about once only, and on SQLite only.
    """
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, _service(school, Path(folder), None, log) as place:
        runs += _run_all(place, ON_SQLITE, 0, len(ON_SQLITE) if quick else RUNS)
    if not quick:
        with (
            tempfile.TemporaryDirectory() as folder,
            run_postgres() as postgres,
            _service(school, Path(folder), postgres, log) as place,
        ):
            runs += _run_all(place, ON_POSTGRES, RUNS, RUNS_ON_POSTGRES)
    total = {name: sum(run[name] for run in runs) for name in (*MUST_BE_NONE, "taken", "acknowledged")}
    sentences = [
        f"run {run['seed']}, {run['fault']}: {name} {run[name]} {run['missing']} {run['sentences']}"
        for run in runs
        for name in MUST_BE_NONE
        if run[name]
    ]
    figures = {**total, "runs": runs, "wrong": sentences}
    print_tables(_show(runs, total), *_show_wrong(sentences))
    return figures


@contextmanager
def _service(school: School, folder: Path, postgres: Postgres | None, log: Path) -> Iterator[Place]:
    """A service on a copy of the school, with a clock that can be moved."""
    home = folder / "home"
    shutil.copytree(
        school.home, home, ignore=shutil.ignore_patterns("regroup.db*", "database.json", "served", "*.lock")
    )
    (folder / "mlruns").mkdir()
    _copy(Path(school.store.removeprefix("sqlite:///")), folder / "mlruns" / "mlflow.db")
    copy = School(folder, "", school.team_ids)
    if postgres is None:
        _copy(school.home / "regroup.db", home / "regroup.db")
        url = copy.database_url
    else:
        url = postgres.url
        save_roster(read_roster_files(school.folder / "log" / "roster"), url)
    clock = MovedClock(folder)
    environment = copy.environment | {"REGROUP_DATABASE_URL": url, "REGROUP_POLL_SECONDS": "0.5"}
    served = School(folder, issue_key(environment), school.team_ids)
    students = [student for team in list_teams(url) for student in read_team(url, team.team_id).members[:3]]
    with run_service(environment | clock.environment, 2, log) as server:
        rng = random.Random(0)  # noqa: S311 - no secret
        yield Place(served, url, server, clock, postgres, rng, students, [], count_doubled(url))


def _run_all(place: Place, kinds: Kinds, first: int, count: int) -> list[dict[str, Any]]:
    runs = []
    for seed, (name, act) in enumerate(islice(cycle(kinds.items()), count), first):
        wait_until(lambda: len(place.server.workers()) > 1, AGAIN_S)
        run = _run(place, name, act, seed)
        counts = ", ".join(f"{each} {run[each]}" for each in (*MUST_BE_NONE, "taken", "acknowledged"))
        line = f"  {seed}: {name}, {run['seconds']:.0f} s: {counts} {run['missing'] or ''} {run['sentences'] or ''}"
        OUT.print(line, style="dim", markup=False, highlight=False)
        runs.append(run)
    return runs


def _run(place: Place, name: str, act: Callable[[Place], Window | None], seed: int) -> dict[str, Any]:
    place.rng = random.Random(seed)  # noqa: S311 - no secret hangs on it
    seen, stop = Observed(), threading.Event()
    clients = [RunClient(place.school, place.server.port, seen, 1000 * seed + at) for at in range(THREADS)]
    threads = [threading.Thread(target=client.run, args=(stop,)) for client in clients]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    place.rest(0.5, 3)
    try:
        window = act(place)
        if not wait_until(lambda: not describe_state(place.server.port, "/readyz"), AGAIN_S):
            seen.wrong.append("the service did not become ready again")
        place.rest(1, 2)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if gone := seen.count_gone(window):
        seen.wrong.append(f"{gone} plans are not found that no restore took")
    ended = time.monotonic()
    return {
        "seed": seed,
        "fault": name,
        "seconds": round(ended - begun, 1),
        "statuses": {str(status): count for status, count in sorted(seen.statuses.items())},
        "acknowledged": len(seen.kept),
        **count_missing(place.url, seen.kept, window),
        "doubled": count_doubled(place.url) - place.doubled_before,
        "reappeared": _count_traces(place),
        "wrong_401": seen.statuses[REFUSED],
        "wrong": len(seen.wrong),
        "sentences": [f"{sentence} ({times} times)" for sentence, times in Counter(seen.wrong).most_common(5)],
    }


def _count_traces(place: Place) -> int:
    """Counts what another erasure of the erased students finds; one that finds the database busy is repeated."""
    found = 0
    with Database(place.url) as database:
        at = Installation(Home(place.school.home), database)
        for student in place.erased:
            for again in (True, True, False):
                try:
                    found += sum(erase_everywhere((*STORES, SPOOL), at, student).values())
                    break
                except BusyError:
                    if not again:
                        raise
    return found


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def _show(runs: list[dict[str, Any]], total: Mapping[str, int]) -> Table:
    """Returns the table of all faults."""
    columns = (*MUST_BE_NONE, "taken", "acknowledged")
    table = make_table(f"{len(runs)} runs under faults", ["fault"], ["runs", *columns])
    for name in dict.fromkeys(run["fault"] for run in runs):
        mine = [run for run in runs if run["fault"] == name]
        table.add_row(name, str(len(mine)), *(f"{sum(run[each] for run in mine):,}" for each in columns))
    table.add_row("all", str(len(runs)), *(f"{total[each]:,}" for each in columns))
    return table


def _show_wrong(sentences: list[str]) -> Iterator[Table]:
    if sentences:
        table = make_table(f"wrong: {len(sentences)}", ["what"], [])
        for sentence in sentences[:20]:
            table.add_row(sentence)
        yield table
