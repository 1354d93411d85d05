"""Tries models and profiles in a process of their own before they may serve.

They come from outside: a registry, a bundle that somebody copied here. Libraries that read them end the process where a
file is not as they expect, or search it for ever. So whatever is new is loaded and scored once in a child process; the
verdict is kept in the home, for all processes and for the next start.
"""

import hashlib
import importlib.metadata
import json
import logging
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from features.bundle import MANIFEST, file_hash, read_manifest
from features.errors import RegroupError
from features.home import Home
from serving.errors import RefusedError, SnapshotError
from serving.models.published.bundle import PROFILES, Artifacts
from serving.models.published.registry import FORECASTS, Champion

logger = logging.getLogger("regroup")

FORMAT = "1"
"""Changes when an earlier verdict no longer counts."""

CPU_S = 120
"""Seconds of processor time that a trial may take; it takes about five."""

WALL_S = 300.0
"""Seconds that it may take on a machine that has other work."""

PAUSE_S = 60.0
"""Seconds after which a trial that ended without a verdict is made again."""

MOST_VERDICTS = 100
"""Verdicts that are kept; the oldest go first."""

SCORED, EXPLAINED = 100_000, 200
"""Most profiles that a trial scores and explains, spread over all of them."""

PROGRAM = "from serving.models.published.trial import run_trial; run_trial()"

REFUSED = 4
"""Exit code of a trial that has read files that cannot serve; it prints why."""

NOT_PASSED_ON = ("REGROUP_", "MLFLOW_", "AWS_", "AZURE_", "GOOGLE_")
"""Beginnings of environment variables that may hold secrets, and that a trial does not need."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a trial: null for passed, else why not, without student data."""

    refused: str | None


class Trials:
    """The verdicts of one installation.

    Args:
        home: Where they are kept.
        program: The Python program that tries; another one for tests.
        wall_s: Seconds that it may take.
    """

    def __init__(self, home: Home, program: str = PROGRAM, wall_s: float = WALL_S) -> None:
        self._folder = home.trials
        self._lock = home.lock("trials")
        self._program = program
        self._wall_s = wall_s
        self._pauses: dict[str, tuple[float, str]] = {}

    def require_passed(self, artifacts: Artifacts) -> None:
        """Returns if the artifacts passed a trial, which is made now where there was none.

        Raises:
            SnapshotError: A file was altered, or the trial ended without a verdict.
            RefusedError: The artifacts did not pass, now or earlier.
        """
        digest = _digest_of(artifacts)
        name = f"run {artifacts.champion.run_id} with profiles {artifacts.publication}"
        verdict = self._read(digest)
        if verdict is None:
            until, why = self._pauses.get(digest, (0.0, ""))
            if time.monotonic() < until:
                raise SnapshotError(why)
            verdict = self._judge(digest, name, artifacts)
        if verdict.refused is not None:
            raise RefusedError(
                f"{name} is refused: {verdict.refused}; after a repair that leaves its files as they are, "
                f"delete {digest}.json in the home's folder {self._folder.name}"
            )

    def _judge(self, digest: str, name: str, artifacts: Artifacts) -> Verdict:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(self._lock, timeout=self._wall_s):  # another process may be trying the same
                verdict = self._read(digest)
                if verdict is None:
                    verdict = self._try(artifacts)
                    self._keep(digest, verdict)
                return verdict
        except (OSError, Timeout, TimeoutError, SnapshotError) as error:
            kind = str(error) if isinstance(error, SnapshotError) else type(error).__name__
            why = f"{name} could not be tried ({kind}); it is tried again after {PAUSE_S:.0f} s"
            self._pauses = {digest: (time.monotonic() + PAUSE_S, why)}
            raise SnapshotError(why) from error

    def _try(self, artifacts: Artifacts) -> Verdict:
        """Runs the trial.

        Raises:
            SnapshotError: It ended without a verdict.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter and program
                [sys.executable, "-c", self._program],
                input=json.dumps(_to_json(artifacts)),
                env=kept,
                capture_output=True,
                text=True,
                timeout=self._wall_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SnapshotError(f"it took longer than {self._wall_s:.0f} s") from None
        if done.returncode == 0:
            return Verdict(None)
        if done.returncode == REFUSED:
            return Verdict(done.stdout.strip() or "it cannot be loaded")
        if done.returncode > 0:
            raise SnapshotError(f"exit code {done.returncode}")
        signal_name = _signal_name(-done.returncode)
        if signal_name in {"SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"}:  # by somebody else, or for want of memory
            raise SnapshotError(f"it was ended by {signal_name}")
        if signal_name == "SIGXCPU":
            return Verdict(f"a process that scored it did not come to an end within {CPU_S} s of processor time")
        return Verdict(f"it ended a process that loaded it with {signal_name}")

    def _read(self, digest: str) -> Verdict | None:
        try:
            kept = json.loads((self._folder / f"{digest}.json").read_text(encoding="utf-8"))
            return Verdict(kept["refused"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _keep(self, digest: str, verdict: Verdict) -> None:
        draft = self._folder / f".{digest}-{secrets.token_hex(4)}"
        draft.write_text(json.dumps({"refused": verdict.refused}) + "\n", encoding="utf-8")
        draft.replace(self._folder / f"{digest}.json")
        with suppress(OSError):  # another process may remove the same
            kept = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
            for path in kept[:-MOST_VERDICTS]:
                path.unlink()


def run_trial() -> None:
    """Loads and scores the artifacts that standard input names, and ends the process with the verdict."""
    limit_processor_time(CPU_S)
    from serving.models.snapshot import load_snapshot  # noqa: PLC0415 - the limit holds for the imports too

    try:
        snapshot = load_snapshot(_from_json(json.load(sys.stdin)))
        every = snapshot.rows[:: len(snapshot.rows) // SCORED + 1]
        some = snapshot.rows[:: len(snapshot.rows) // EXPLAINED + 1]
        for model in (snapshot.struggle, snapshot.mastery):
            model.predict(every)
            model.weigh_families(some)
        snapshot.struggle.explain(some)
    except OSError as error:
        sys.exit(f"{type(error).__name__}")
    except SnapshotError as error:
        _refuse(str(error))
    except Exception as error:  # noqa: BLE001 - whatever a library raises is the file's fault; its text may hold data
        _refuse(f"loading it failed with {type(error).__name__}")


def limit_processor_time(seconds: int) -> None:
    """Ends this process after so much processor time, and leaves no copy of its memory on disk."""
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not on every system

        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 10))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _refuse(why: str) -> None:
    sys.stdout.write(why)
    sys.stdout.flush()
    os._exit(REFUSED)  # no library that has read the files has the last word


def _digest_of(artifacts: Artifacts) -> str:
    """A hash of everything that the verdict depends on, after the hash of every file was checked.

    Raises:
        SnapshotError: A file was altered.
    """
    folders = {**artifacts.models, PROFILES: artifacts.profiles}
    try:
        for folder in folders.values():
            read_manifest(folder)
        hashes = [f"{name} {file_hash(folder / MANIFEST)}" for name, folder in sorted(folders.items())]
    except (RegroupError, OSError) as error:
        vanished = f"a file vanished while it was read: {type(error).__name__}"
        raise SnapshotError(str(error) if isinstance(error, RegroupError) else vanished) from error
    parts = [FORMAT, importlib.metadata.version("lightgbm"), artifacts.champion.run_id, *hashes]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _to_json(artifacts: Artifacts) -> dict[str, Any]:
    return {
        "run_id": artifacts.champion.run_id,
        "versions": dict(artifacts.champion.versions),
        "publication": artifacts.publication,
        "models": {name: str(folder.resolve()) for name, folder in artifacts.models.items()},
        "profiles": str(artifacts.profiles.resolve()),
        "source": artifacts.source,
    }


def _from_json(content: Mapping[str, Any]) -> Artifacts:
    return Artifacts(
        champion=Champion(content["run_id"], content["versions"]),
        publication=content["publication"],
        models={name: Path(content["models"][name]) for name in FORECASTS},
        profiles=Path(content["profiles"]),
        source=content["source"],
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
