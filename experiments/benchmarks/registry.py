"""Every benchmark command: its options, its example, what its exit codes mean, and the function that runs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

LOGS = ("gervet-assistments09", "gervet-algebra05", "pykt-assist2015", "assistments-2012")
"""Names of the public logs; `forecasts/datasets.py` describes them, and imports too much to be read for `--help`."""

Option = tuple[str, Mapping[str, Any]]
"""A flag and the keyword arguments of `add_argument`."""


@dataclass(frozen=True)
class Benchmark:
    """A sub-command of `python -m experiments benchmark`.

    Attributes:
        summary: What it measures; one line.
        run: Module under `experiments.benchmarks` and its function, imported only when the command runs.
        example: Options of an invocation that runs.
        options: Each is an argument of `run`, or a field of `Order` for the forecasts on public logs.
        failure: What exit code 1 means; null where the command never ends with it.
        codes: Exit codes that it may end with besides 0, 1 and 2.
    """

    summary: str
    run: str
    example: str
    options: tuple[Option, ...] = ()
    failure: str | None = None
    codes: tuple[int, ...] = ()

    def measure(self, options: Mapping[str, Any]) -> int:
        """Runs the benchmark and returns its exit code."""
        module, _, function = self.run.partition(":")
        run = getattr(import_module(f"experiments.benchmarks.{module}"), function)
        if "data_set" not in options:
            return int(run(**options))
        from experiments.benchmarks.forecasts.report import Order  # noqa: PLC0415 - imports matplotlib

        return int(run(Order(**options)))


JSON: Option = ("--json", {"dest": "json_path", "type": Path, "metavar": "FILE", "help": "write the figures there too"})
DATA: Option = (
    "--data",
    {"type": Path, "metavar": "FOLDER", "help": "holds the logs; without it REGROUP_DATA, else ../shared/data"},
)
CONFIG: Option = (
    "--config",
    {"type": Path, "metavar": "FILE", "help": "TOML whose values replace the training defaults"},
)
FORECAST: tuple[Option, ...] = (
    ("--dataset", {"dest": "data_set", "required": True, "choices": LOGS, "help": "the public log"}),
    DATA,
    CONFIG,
    JSON,
)
CHARTS: Option = ("--charts", {"type": Path, "metavar": "FOLDER", "help": "write the charts there"})
NO_TRACKING: Option = (
    "--no-tracking",
    {"dest": "tracking", "action": "store_false", "help": "log nothing to MLflow"},
)
LOG_FILE: tuple[Option, ...] = (
    ("--log", {"dest": "path", "type": Path, "metavar": "PATH", "help": "a log file; without it, the event store in "
                                                                        "REGROUP_HOME, else a simulated log"}),
    ("--format", {"dest": "form", "metavar": "NAME", "help": "format of the file; without it, read from its header"}),
    ("--mapping", {"type": Path, "metavar": "FILE", "help": "TOML file that says what each column is"}),
)  # fmt: skip


def count(flag: str, default: int, words: str) -> Option:
    """Returns an option for a whole number."""
    return flag, {"type": int, "default": default, "help": f"{words} (default: %(default)s)"}


BENCHMARKS: dict[str, Benchmark] = {
    "history": Benchmark(
        "speed of the feature kernel, against a copy of its output and against pandas",
        "kernel.history:benchmark_history",
        "--json figures.json",
        (
            *LOG_FILE,
            ("--home", {"type": Path, "metavar": "FOLDER", "help": "read the event store of this home"}),
            count("--repeats", 7, "timings behind each median"),
            JSON,
        ),
        failure="the kernel and pandas disagree",
        codes=(3, 4, 75),
    ),
    "next-response": Benchmark(
        "forecasts of the next answer, against published models on public logs",
        "forecasts.next_response:benchmark_next_response",
        "--dataset gervet-assistments09 --charts charts",
        (*FORECAST, CHARTS, NO_TRACKING),
        failure="a column knows an answer that it should not",
    ),
    "struggle": Benchmark(
        "forecasts of who will not master a skill, against plain rules on public logs",
        "forecasts.struggle:benchmark_struggle",
        "--dataset gervet-assistments09 --charts charts",
        (*FORECAST, CHARTS, NO_TRACKING),
    ),
    "ablation": Benchmark(
        "what each family of columns adds to the next-response forecast, judged on training students",
        "forecasts.ablation:benchmark_ablation",
        "--dataset gervet-assistments09",
        FORECAST,
    ),
    "learning-curve": Benchmark(
        "forecasts after the first students of a log, and before any with another log's model",
        "forecasts.learning_curve:benchmark_learning_curve",
        "--dataset gervet-assistments09 --other pykt-assist2015",
        (*FORECAST, CHARTS, ("--other", {"choices": LOGS, "help": "a log to learn from before there is any history"})),
    ),
    "schools": Benchmark(
        "forecasts for a school that is new, and for each school and audit group",
        "forecasts.schools:benchmark_schools",
        "--json figures.json",
        (DATA, CONFIG, JSON),
        codes=(75,),
    ),
    "grouping": Benchmark(
        "plans of synthetic days, against the best known, a bound, and baseline policies",
        "planner.grouping:benchmark_grouping",
        "--instances 5",
        (
            count("--instances", 20, "days of each size"),
            (
                "--reference",
                {"type": float, "metavar": "SECONDS", "help": "update the stored figures by runs that long, and stop"},
            ),
            count("--jobs", 1, "processes of the long runs"),
            ("--known", {"type": Path, "metavar": "FILE", "help": "the stored figures; without it, our own"}),
            JSON,
        ),
        failure="a plan broke a rule or exceeded its bound",
    ),
    "conflicts": Benchmark(
        "synthetic days with an injected conflict: is it named, how soon, and do the relaxations hold",
        "planner.injected_conflicts:benchmark_conflicts",
        "--instances 5 --json figures.json",
        (count("--instances", 20, "days of each kind of conflict"), JSON),
        failure="a relaxation that was offered has no plan",
    ),
    "stress-test": Benchmark(
        "thousands of synthetic days of any kind: does any plan break a rule, is any refusal wrong",
        "planner.stress_test:benchmark_stress_test",
        "--instances 100 --json figures.json",
        (count("--instances", 2000, "days to draw"), JSON),
        failure="a plan, a proven refusal or an error was wrong",
    ),
    "term-ablation": Benchmark(
        "school days in a row, each planned with those before it, with each term off, at its default and high",
        "planner.term_ablation:benchmark_term_ablation",
        "--days 10 --students 24",
        (count("--days", 20, "school days in a row"), count("--students", 60, "size of the team"), JSON),
    ),
    "service": Benchmark(
        "the service under load: throughput, latency, memory, scoring beside MLflow's server, and a fault campaign",
        "service.benchmark:benchmark_service",
        "--quick --only scoring --keep school",
        (
            (
                "--only",
                {
                    "dest": "parts",
                    "choices": ("mix", "plans", "scoring", "campaign"),
                    "action": "append",
                    "help": "this part; may be given again (default: all parts)",
                },
            ),
            ("--quick", {"action": "store_true", "help": "a short run, for a first look"}),
            ("--keep", {"type": Path, "metavar": "FOLDER", "help": "keep the school there, or use the one kept"}),
            JSON,
        ),
        failure="the fault campaign lost or mixed something, or a server did not start",
    ),
}
