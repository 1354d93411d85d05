"""Part `campaign`: requests without a pause while models move, break and miss, the database restarts, a worker dies."""

import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.service.clients import Client, Findings, check_kept
from experiments.benchmarks.service.faults import Faults, run_postgres
from experiments.benchmarks.service.load import Connection
from experiments.benchmarks.service.processes import run_service
from experiments.benchmarks.service.school import School, issue_key, two_runs
from features.console import OUT
from features.roster import read_roster_files, save_roster
from training.records.tracking import Tracking

THREADS = 4


def run_campaign(school: School, requests: int, log: Path) -> dict[str, Any]:
    """Returns how often each status was answered, what each fault did, and all that was wrong.

    Args:
        school: Trained; its models and profiles are changed, and put back.
        requests: At least so many are made, and more while faults are under way.
        log: Where the servers write.
    """
    runs = two_runs(school)
    tracking = Tracking(school.store)
    tracking.promote(runs[0])
    with tempfile.TemporaryDirectory() as place, run_postgres() as postgres:
        home = Path(place) / "home"
        home.mkdir()
        (home / "published").symlink_to(school.home / "published")
        save_roster(read_roster_files(school.folder / "log" / "roster"), postgres.url)
        environment = school.environment | {
            "REGROUP_HOME": str(home),
            "REGROUP_DATABASE_URL": postgres.url,
            "REGROUP_POLL_SECONDS": "0.5",
        }
        served = School(school.folder, issue_key(environment), school.team_ids)
        with run_service(environment, 2, log) as server:
            faults = Faults(served, tracking, runs, server, postgres)
            figures = _run(served, faults, requests)
    print_tables(*_show(figures))
    tracking.promote(runs[0])
    shutil.rmtree(school.folder / "aside", ignore_errors=True)
    return figures


def _run(school: School, faults: Faults, requests: int) -> dict[str, Any]:
    findings, stop, steps = Findings(), threading.Event(), faults.steps()
    clients = [Client(school, faults.server.port, findings, number) for number in range(THREADS)]
    threads = [threading.Thread(target=client.run, args=(stop,)) for client in clients]
    clients[0].load()  # the first event moves every forecast to the midnight after it; from then on none moves
    for thread in threads:
        thread.start()
    begun, came_through = time.perf_counter(), {}
    for at, (name, act) in enumerate(steps):
        while findings.count() < requests * (at + 1) / (len(steps) + 1):
            time.sleep(0.05)
        findings.phase = name
        came_through[name] = act()
        OUT.print(f"  {name}: {'came through' if came_through[name] else 'did not'}", style="dim", highlight=False)
    while findings.count() < requests:
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begun
    connection = Connection(faults.server.port)
    lost = check_kept(connection, school, clients)
    connection.close()
    broken = Counter(phase for phase, status in findings.statuses.elements() if status == 0)
    wrong = [f"{name}: the service did not come through" for name, well in came_through.items() if not well]
    wrong += findings.wrong + lost
    wrong += [f"{count} connections broke in phase {phase}" for phase, count in broken.items() if "killed" not in phase]
    by_status: Counter[int] = Counter()
    for (_, status), count in findings.statuses.items():
        by_status[status] += count
    return {
        "requests": by_status.total(),
        "seconds": seconds,
        "statuses": {str(status): count for status, count in sorted(by_status.items()) if status},
        "broken_connections": dict(broken),
        "unavailable_by_phase": {phase: count for (phase, status), count in findings.statuses.items() if status == 503},  # noqa: PLR2004 - HTTP
        "runs_seen": dict(findings.runs),
        "acknowledged": {
            "batches": sum(len(client.batches) for client in clients),
            "plans": sum(len(client.plans) for client in clients),
            "decisions": sum(len(client.decisions) for client in clients),
        },
        "came_through": came_through,
        "wrong": wrong,
    }


def _show(figures: Mapping[str, Any]) -> list[Table]:
    """Returns the tables of what was answered and kept, and of what was wrong."""
    title = f"{figures['requests']:,} requests across faults, {figures['seconds']:.0f} s"
    table = make_table(title, ["what", "figure"], [])
    for status, count in figures["statuses"].items():
        table.add_row(f"answered {status}", f"{count:,}")
    for phase, count in figures["broken_connections"].items():
        table.add_row(f"connections broken, {phase}", str(count))
    for phase, count in figures["unavailable_by_phase"].items():
        table.add_row(f"503 with Retry-After, {phase}", str(count))
    for what, count in figures["acknowledged"].items():
        table.add_row(f"{what} acknowledged and looked for", str(count))
    for fault, well in figures["came_through"].items():
        table.add_row(fault, "came through" if well else "did not come through")
    wrong = make_table(f"wrong: {len(figures['wrong'])}", ["what"], [])
    for sentence in figures["wrong"][:20]:
        wrong.add_row(sentence)
    return [table, wrong]
