"""`python -m experiments benchmark doors`: how fast logs are read and checked on one core, and in how much memory.

Beside it stands what it takes to read the same file with nothing done to it: a table by `pandas.read_csv`, JSON lines
by `json.loads`. Times are of the processor, the least of some repetitions, each pair measured in turn.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.memory import peak_mb
from features.console import write_json
from features.events.checks import check_rows
from features.logs import open_log

REPEATS = 3
"""Times that each file is read each way."""

GOALS = {"CSV": (200_000, 3.0), "JSON": (30_000, 2.0)}
"""Rows per second at least, and how many times the plain reading at most."""

FLAT = 1.25
"""Memory is flat if four times the rows take at most this many times as much."""

MAPPING = """\
[columns]
student = "student"
time = "time"
correct = "correct"
item = "item"
skills = "skill"
duration_s = "seconds"
attempt = "attempt"
"""


@dataclass(frozen=True)
class Reading:
    """One file, read in two ways.

    Attributes:
        kind: `CSV` or `JSON`.
        rows: Its rows.
        seconds: To read and check it.
        plain_seconds: To read it alone.
        memory_mb: The most memory that reading and checking took in a process of its own.
        memory_of_a_quarter_mb: Likewise of a file of a quarter of the rows.
    """

    kind: str
    rows: int
    seconds: float
    plain_seconds: float
    memory_mb: float
    memory_of_a_quarter_mb: float

    @property
    def rows_per_s(self) -> float:
        """Rows read and checked in a second."""
        return self.rows / self.seconds

    @property
    def ratio(self) -> float:
        """How many times the plain reading it takes."""
        return self.seconds / self.plain_seconds

    @property
    def is_flat(self) -> bool:
        """Whether memory does not grow with the file."""
        return self.memory_mb <= FLAT * self.memory_of_a_quarter_mb


def benchmark_doors(rows: int, *, json_path: Path | None = None) -> int:
    """Prints the figures and returns the exit code: 1 if memory grows with the file.

    Args:
        rows: Rows of the table; there are a fifth as many JSON lines.
        json_path: Where to write the figures; null = nowhere.
    """
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    with tempfile.TemporaryDirectory(prefix="regroup-") as folder:
        readings = [
            measure(Path(folder), "CSV", rows, write_table, pd.read_csv),
            measure(Path(folder), "JSON", rows // 5, write_statements, _load_lines),
        ]
    table = make_table(
        "logs read and checked, one core", ["file"], ["rows", "rows/s", "goal", "ratio", "goal", "MB", "MB of ¼"]
    )
    for each in readings:
        least, most = GOALS[each.kind]
        figures = (f"{each.rows:,}", f"{each.rows_per_s:,.0f}", f"≥ {least:,}", f"{each.ratio:.1f}", f"≤ {most:g}")
        table.add_row(each.kind, *figures, f"{each.memory_mb:,.0f}", f"{each.memory_of_a_quarter_mb:,.0f}")
    print_tables(table)
    write_json(
        json_path,
        {each.kind: asdict(each) | {"rows_per_s": each.rows_per_s, "ratio": each.ratio} for each in readings},
    )
    return 0 if all(each.is_flat for each in readings) else 1


def measure(
    folder: Path, kind: str, rows: int, write: Callable[[Path, int], None], plain: Callable[[Path], object]
) -> Reading:
    """Writes a file and reads it in both ways, in turn."""
    path, quarter = folder / f"log.{kind.lower()}", folder / f"quarter.{kind.lower()}"
    write(path, rows)
    write(quarter, rows // 4)
    mapping = folder / "log.toml"
    mapping.write_text(MAPPING)
    said = mapping if kind == "CSV" else None
    ours, theirs = [], []
    for _ in range(REPEATS):
        ours.append(_time(lambda: read_and_check(path, said)))
        theirs.append(_time(lambda: plain(path)))
    with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        most, less = pool.starmap(_measure_memory, [(path, said), (quarter, said)], chunksize=1)
    return Reading(kind, rows, min(ours), min(theirs), most, less)


def read_and_check(path: Path, mapping: Path | None) -> int:
    """Reads a log and checks every row; returns how many events are valid."""
    log, now = open_log(path, mapping=mapping), datetime.now(UTC)
    return sum(len(check_rows(raw, log.source, now).events) for raw in log.chunks())


def write_table(path: Path, rows: int) -> None:
    """Writes a table of answers, a row for each."""
    with path.open("w", encoding="utf-8") as file:
        file.write("student,time,item,correct,skill,seconds,attempt\n")
        for answer in _draw(rows):
            file.write(",".join(map(str, answer)) + "\n")


def write_statements(path: Path, rows: int) -> None:
    """Writes xAPI statements about answers, one on each line."""
    with path.open("w", encoding="utf-8") as file:
        for number, (student, moment, item, correct, skill, seconds, attempt) in enumerate(_draw(rows)):
            objective = {"id": f"https://lms.example/{skill}", "definition": {"type": "http://x.example/objective"}}
            statement = {
                "id": str(UUID(int=number)),
                "actor": {"objectType": "Agent", "account": {"homePage": "https://lms.example", "name": student}},
                "verb": {"id": "http://adlnet.gov/expapi/verbs/answered", "display": {"en": "answered"}},
                "object": {
                    "objectType": "Activity",
                    "id": f"https://lms.example/{item}",
                    "definition": {
                        "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
                        "description": {"en": "What is three quarters of twelve?"},
                        "extensions": {"http://id.tincanapi.com/extension/attempt-id": attempt},
                    },
                },
                "result": {"score": {"scaled": correct}, "success": correct == 1, "duration": f"PT{seconds}S"},
                "context": {
                    "contextActivities": {"grouping": [objective], "parent": [{"id": "https://lms.example/7"}]}
                },
                "timestamp": moment,
                "version": "1.0.3",
            }
            file.write(json.dumps(statement) + "\n")


def _draw(rows: int) -> Iterator[tuple[str, str, str, int, str, float, int]]:
    chance, begin = np.random.default_rng(1), datetime(2026, 1, 5, 8, tzinfo=UTC).timestamp()
    for number in range(rows):
        moment = datetime.fromtimestamp(begin + number, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        student, item, correct, tenths, attempt = chance.integers(0, [5000, 3000, 2, 900, 3]).tolist()
        skill = f"skill-{item % 200}"
        yield f"s{student:05}", moment, f"item-{item}", correct, skill, tenths / 10, attempt + 1


def _load_lines(path: Path) -> None:
    with path.open(encoding="utf-8") as file:
        for line in file:
            json.loads(line)


def _time(read: Callable[[], object]) -> float:
    begin = time.process_time()
    read()
    return time.process_time() - begin


def _measure_memory(path: Path, mapping: Path | None) -> float:
    """The most memory that a process took which reads and checks a file and does nothing else."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    read_and_check(path, mapping)
    return peak_mb()
