"""Runs nights that are ended in the middle, each in a process that is forked after the imports, and looks what is left.

    python -m tests.training.killing kill FOLDER SEED COUNT
    python -m tests.training.killing fill FOLDER
    python -m tests.training.killing race FOLDER

The folder holds `pristine`, with `home/inbox` and maybe `mlruns`, and `quick.toml`. Half of the moments are of the
processor's clock, at which the system ends the process whatever it is doing; half are calls that open, make, rename or
remove a file, before which it gets SIGKILL. Both are drawn over a whole night, so that a busy machine changes nothing.
"""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import features.home
import training.nightly  # noqa: F401 - once, not after every fork
from features.bundle import read_manifest
from features.console import run_command
from features.events.log.store import data_version, has_events, read_events
from features.home import Home
from features.publications import newest_publication, read_publication
from training.__main__ import main
from training.records.tracking import FORECASTS, Tracking

FILE_CALLS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"}
LEAST_ROOM = 2**17
WENT_THROUGH = (0, 10, 12)
"""Exit codes of nights that ended: promoted or nothing to do, kept, and with the alarm of a check."""


def fork(task: Callable[[], int | None]) -> int:
    """Runs a task in a process of its own; its exit code, or below 0 the signal that ended it."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = task() or 0
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:  # noqa: BLE001 - else nobody learns why
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def night(place: Path, arm: Callable[[], None] = lambda: None) -> int:
    """One night; ends this process with the exit code of the command."""
    arm()
    run_command(lambda: main(["nightly", "--config", str(place.parent / "quick.toml")]))
    raise AssertionError("the command did not end the process")


def begin_anew(place: Path) -> None:
    """Puts the school before its first night into a place, which commands then work in."""
    for path in place.iterdir() if place.exists() else ():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(place.parent / "pristine", place, dirs_exist_ok=True)
    os.environ["REGROUP_HOME"] = str(place / "home")
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{place / 'mlruns' / 'mlflow.db'}"


def look(place: Path) -> None:
    """Raises where something is left that is half there, or where the champion does not load."""
    home = Home(place / "home")
    for folder in home.published.glob("*/[!.]*"):
        read_manifest(folder)
    if has_events(home):
        read_events(home, version=data_version(home).events)
    for record in home.decisions.glob("[!.]*.json"):
        json.loads(record.read_text())
    if not (place / "mlruns" / "mlflow.db").exists():
        return
    tracking = Tracking()
    champion = tracking.champion()
    if champion is not None:
        for forecast in FORECASTS:
            tracking.fetch_model(champion, forecast)
        profiles = newest_publication(home, champion)
        assert profiles is not None
        read_publication(profiles)


def read_results(place: Path) -> dict[str, object]:
    """What a night has made: versions, all models, the champion's profiles, and nothing that is left over."""
    with closing(sqlite3.connect(place / "mlruns" / "mlflow.db")) as store:
        versions = store.execute("SELECT name, version FROM model_versions ORDER BY name, version").fetchall()
        (runs,) = store.execute("SELECT count(*) FROM runs").fetchone()
        ((champion,),) = store.execute(
            "SELECT DISTINCT run_id FROM model_versions NATURAL JOIN registered_model_aliases WHERE alias = 'champion'"
        ).fetchall()
    home = Home(place / "home")
    models = {}
    for name in ("model.lgb", "line.json", "calibration.json", "statistics.json.gz"):  # others name the run or the time
        models[name] = sorted(
            path.read_bytes().hex() for path in place.glob(f"mlruns/artifacts/*/*/artifacts/*/{name}")
        )
    profiles = newest_publication(home, champion)
    assert profiles is not None
    left = [str(path) for path in home.root.rglob("*") if path.name[0] == "." or path.name == "unfinished"]
    manifest = json.loads((profiles / "manifest.json").read_text())
    return {
        "versions": versions,
        "runs": runs,
        "models": models,
        "profiles": (profiles.name, manifest["files"]),
        "left": left,
        "inbox": sorted(path.name for path in home.inbox.rglob("*")),
    }


def end_at_time(seconds: float) -> None:
    """Has the system end this process when it has used so much of the processor's time."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)


def end_at_call(number: int) -> None:
    """Ends this process before its nth call that changes or opens a file."""
    calls = 0

    def count(event: str, _: object) -> None:
        nonlocal calls
        if event in FILE_CALLS:
            calls += 1
            if calls == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def measure(place: Path) -> tuple[float, int]:
    """The processor's seconds and the calls of a whole night, which is run."""
    read, write = os.pipe()

    def counted() -> int:
        calls, began = [0], time.process_time()
        sys.addaudithook(lambda event, _: calls.__setitem__(0, calls[0] + (event in FILE_CALLS)))
        try:
            return night(place)
        finally:
            os.write(write, json.dumps([time.process_time() - began, calls[0]]).encode())

    code = fork(counted)
    assert code in WENT_THROUGH, code
    seconds, calls = json.loads(os.read(read, 1000))
    return seconds, calls


def kill(place: Path, seed: int, count: int) -> None:
    """Kills nights of one school after another, each until it has ended, and compares all of them."""
    drawn = random.Random(seed)
    begin_anew(place)
    seconds, calls = measure(place)
    expected = read_results(place)
    assert expected["left"] == []
    killed = ended = 0
    begin_anew(place)
    while killed < count:
        at = drawn.random()
        arm = partial(end_at_time, at * seconds) if killed % 2 else partial(end_at_call, 1 + int(at * calls))
        code = fork(partial(night, place, arm))
        if code < 0:
            killed += 1
            assert fork(lambda: look(place)) == 0, (killed, at)
            continue
        ended += finish(code, place, expected)
        begin_anew(place)
    ended += finish(fork(lambda: night(place)), place, expected)
    print(f"{killed} killed, {ended} ended alike; a night takes {seconds:.1f} s of the processor and {calls} calls")


def finish(code: int, place: Path, expected: dict[str, object]) -> int:
    """Checks that a night that went through has made what is expected."""
    assert code in WENT_THROUGH, code
    found = read_results(place)
    assert found == expected, {name for name in expected if found[name] != expected[name]}
    return 1


def fill(place: Path) -> None:
    """A file system of its own that is too small, and larger for every night until one goes through."""
    begin_anew(place)
    expected = measure(place) and read_results(place)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], check=True)
    codes = []
    try:
        begin_anew(place)
        used = sum(path.stat().st_blocks * 512 for path in place.rglob("*"))
        room = LEAST_ROOM
        while not codes or codes[-1] == 75:
            size = f"remount,size={used + room}"
            subprocess.run(["mount", "-o", size, str(place)], check=True)
            codes.append(fork(lambda: night(place)))
            assert codes[-1] in (75, *WENT_THROUGH), codes
            assert fork(lambda: look(place)) == 0, codes
            room = room * 3 // 2
        finish(codes[-1], place, expected)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
    assert codes.count(75) > 1
    print(f"the disk was full {codes.count(75)} times")


def race(place: Path) -> None:
    """Two first nights ever, at the same moment."""
    begin_anew(place)
    features.home.WAIT_S = 0.1
    start = time.time() + 1
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            time.sleep(max(0, start - time.time()))
            os._exit(fork(lambda: night(place)))
        children.append(child)
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    assert codes[1] == 75, codes
    assert codes[0] in WENT_THROUGH, codes
    assert fork(lambda: look(place)) == 0
    results = read_results(place)
    assert results["runs"] == 2, results
    print("one ran, one left")


if __name__ == "__main__":
    task, folder, *numbers = sys.argv[1:]
    place = Path(folder) / "place"
    place.mkdir(exist_ok=True)
    {"kill": kill, "fill": fill, "race": race}[task](place, *map(int, numbers))
