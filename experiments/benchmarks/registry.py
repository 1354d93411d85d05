"""Every benchmark command: its options, an example, what its exit codes mean, and the function that runs it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

LOGS = ("gervet-assistments09", "gervet-algebra05", "pykt-assist2015", "assistments-2012")
"""Names of the public logs; `forecasts/data/datasets.py` describes them, and imports too much for `--help`."""

PARTS = ("scoring", "mix", "plans", "campaign")
"""Parts of the service benchmark that run without being named."""

NAMED_PARTS = ("attack", "faults", "board")
"""Parts that run only when they are named."""

SCHOOLS = ("demo", "far_behind", "far_ahead", "thin_evidence", "open_room")
"""Kinds of simulated school; `planner/days/schools.py` describes them."""

DAILY_SCHOOLS = SCHOOLS[:4]
"""Those that regroup every day."""

Option = tuple[str, Mapping[str, Any]]
"""A flag and the keyword arguments of `add_argument`."""


@dataclass(frozen=True)
class Benchmark:
    """A sub-command of `python -m experiments benchmark`.

    Attributes:
        summary: What it measures; one line.
        run: Module under `experiments.benchmarks` and its function, imported only when the command runs.
        example: Options of an invocation that runs.
        options: Each is an argument of `run`.
        failure: What exit code 1 means; null where the command never ends with it.
        codes: Exit codes that it may end with besides 0, 1, 2 and 75.
    """

    summary: str
    run: str
    example: str
    options: tuple[Option, ...] = ()
    failure: str | None = None
    codes: tuple[int, ...] = ()

    def load(self) -> Callable[..., int]:
        """Imports the function that runs the benchmark."""
        module, _, function = self.run.partition(":")
        run: Callable[..., int] = getattr(import_module(f"experiments.benchmarks.{module}"), function)
        return run


def _path(flag: str, metavar: str, meaning: str, dest: str | None = None) -> Option:
    return flag, {"type": Path, "metavar": metavar, "help": meaning} | ({} if dest is None else {"dest": dest})


def _count(flag: str, default: int, meaning: str) -> Option:
    return flag, {"type": int, "default": default, "help": f"{meaning} (default: %(default)s)"}


def _kinds(kinds: Sequence[str], default: str) -> Option:
    meaning = f"this kind of school; may be repeated (default: {default})"
    return "--kind", {"dest": "kinds", "choices": kinds, "action": "append", "help": meaning}


JSON = _path("--json", "FILE", "write the figures there too", "json_path")
DATA = _path("--data", "FOLDER", "holds the logs; without it REGROUP_DATA, else ../shared/data")
CONFIG = _path("--config", "FILE", "TOML whose values replace the training defaults")
CHARTS = _path("--charts", "FOLDER", "write the charts there")
DATA_SET: Option = ("--dataset", {"dest": "data_set", "required": True, "choices": LOGS, "help": "the public log"})
FORECAST = (DATA_SET, DATA, CONFIG, JSON)
MODELS = _path("--models", "FOLDER", "keep the trained models there, or use those kept")
WORKERS: Option = (
    "--workers",
    {"type": int, "help": "processes at work at once (default: as many as there are cores)"},
)
NO_TRACKING: Option = ("--no-tracking", {"dest": "tracking", "action": "store_false", "help": "log nothing to MLflow"})


BENCHMARKS: dict[str, Benchmark] = {
    "history": Benchmark(
        "speed of the feature kernel, against a copy of its output and against pandas",
        "kernel.history:benchmark_history",
        "--json figures.json",
        (
            _path("--log", "PATH", "a file; without it, the event store in REGROUP_HOME, else a simulated log", "path"),
            _path("--mapping", "FILE", "TOML file that says what each column is"),
            JSON,
        ),
        failure="the kernel and pandas disagree",
        codes=(3,),
    ),
    "nightly": Benchmark(
        "what a night costs by the size of the log: time, memory, disk, and a day more of it",
        "nightly.benchmark:benchmark_nightly",
        "--json figures.json",
        (
            ("--events", {"type": int, "action": "append", "help": "events of a district; may be repeated"}),
            ("--large", {"action": "store_true", "help": "a district of 100 million events too; takes hours"}),
            _count("--weeks", 36, "school weeks of a log; one of fewer weeks has more students"),
            DATA,
            CONFIG,
            _path("--keep", "FOLDER", "keep what is measured there, and go on from it if stopped"),
            JSON,
        ),
        failure="a night took more than 4 GB",
    ),
    "doors": Benchmark(
        "how fast logs are read and checked, against pandas.read_csv and json.loads, and in how much memory",
        "doors:benchmark_doors",
        "--rows 200000 --json figures.json",
        (_count("--rows", 1_000_000, "rows of the table; there are a fifth as many JSON lines"), JSON),
        failure="memory grows with the file",
    ),
    "next-response": Benchmark(
        "forecasts of the next answer, against published models on public logs",
        "forecasts.next_response:benchmark_next_response",
        "--dataset gervet-assistments09 --charts charts",
        (
            *FORECAST,
            CHARTS,
            NO_TRACKING,
            _path("--peer-predictions", "FILE", "what deep-peer wrote of this log, to score it beside the other peers"),
        ),
        failure="a column knows an answer that it should not",
    ),
    "deep-peer": Benchmark(
        "a deep network trained on a public log, in an environment of its own, for next-response to score",
        "forecasts.deep_peer:benchmark_deep_peer",
        "--dataset gervet-assistments09 --python .venv-deep/bin/python --predictions deep.npz",
        (
            DATA_SET,
            DATA,
            (
                "--python",
                {"type": Path, "metavar": "PATH", "required": True, "help": "of an environment that has PyTorch"},
            ),
            (
                "--predictions",
                {"type": Path, "metavar": "FILE", "required": True, "help": "the .npz file to write"},
            ),
        ),
    ),
    "pykt-protocol": Benchmark(
        "forecasts of the next answer on pykt-assist2015 as pyKT measures: five models, histories cut at 200",
        "forecasts.pykt_protocol:benchmark_pykt_protocol",
        "--json figures.json",
        (DATA, CONFIG, JSON),
    ),
    "struggle": Benchmark(
        "forecasts of who will not master a skill, against plain rules on public logs",
        "forecasts.struggle:benchmark_struggle",
        "--dataset gervet-assistments09 --charts charts",
        (*FORECAST, CHARTS, NO_TRACKING),
    ),
    "short-practice": Benchmark(
        "the struggle forecast of a product with short sets, judged by what longer practice shows",
        "forecasts.short_practice:benchmark_short_practice",
        "--json figures.json",
        (DATA, CONFIG, JSON, _count("--students", 25000, "students drawn from the log, at most")),
    ),
    "agreement": Benchmark(
        "struggle forecasts beside the facts that people see, cell by cell, on the public logs",
        "forecasts.agreement:benchmark_agreement",
        "--dataset gervet-assistments09",
        (
            ("--dataset", {"dest": "data_set", "choices": LOGS, "help": "one public log (default: all)"}),
            DATA,
            CONFIG,
            JSON,
        ),
    ),
    "gate": Benchmark(
        "how often the gate promotes what is no better, misses what is, and lets through what it must refuse",
        "forecasts.gate:benchmark_gate",
        "--json figures.json",
        (_count("--repeats", 200, "times that each challenger stands before the gate"), JSON),
        failure="one of these shares is outside its bound",
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
    "prior": Benchmark(
        "the prior model of new schools: its numbers, and each public log forecast by those of the other three",
        "forecasts.prior:benchmark_prior",
        "--json figures.json",
        (DATA, _path("--write", "FILE", "write the numbers there, as training/prior.toml has them"), JSON),
    ),
    "new-school": Benchmark(
        "a school of 64 students from its first day on, night by night: which model serves, and how well",
        "forecasts.new_school:benchmark_new_school",
        "--weeks 4 --json figures.json",
        (
            _count("--weeks", 12, "school weeks"),
            _count("--seed", 1, "random seed of the school"),
            JSON,
        ),
        failure="no model of the school's own serves at the end",
    ),
    "growth": Benchmark(
        "how much larger an installation gets every night, beside the day's own events",
        "nightly.growth:benchmark_growth",
        "--nights 5 --kept-days 2 --json figures.json",
        (
            _count("--nights", 30, "nights that are measured, after as many days as things are kept"),
            _count("--kept-days", 14, "days for which runs, their pages and files of the inbox are kept"),
            _count("--students", 80, "students of the school"),
            _count("--seed", 1, "random seed of the school"),
            JSON,
        ),
        failure="a night adds more than 1.2 times the day's own events",
    ),
    "school-year": Benchmark(
        "the checks of a night over a real school year: false alarms, planted faults named, and promotions regretted",
        "school_year.benchmark:benchmark_school_year",
        "--students 500 --every 56 --json figures.json",
        (
            DATA,
            _count("--students", 2000, "students that models are trained on; the checks read all"),
            _count("--every", 28, "days from one training to the next"),
            _path("--keep", "FOLDER", "keep the measured year there, or judge the one kept"),
            JSON,
        ),
        failure="a goal was missed",
    ),
    "schools": Benchmark(
        "forecasts for a school that is new, and for each school and audit group",
        "forecasts.schools:benchmark_schools",
        "--json figures.json",
        (DATA, CONFIG, JSON),
    ),
    "verdicts": Benchmark(
        "verdicts of `compare` on runs that are equally good, and on one that is better by the margin",
        "verdicts:benchmark_verdicts",
        "--json figures.json",
        (_count("--comparisons", 200, "of each of both kinds"), _count("--students", 250, "of each planted log"), JSON),
        failure="equal runs are called better too often, or better ones too rarely",
    ),
    "many-runs": Benchmark(
        "seconds that `leaderboard` and `compare` take where many runs are kept",
        "many_runs:benchmark_many_runs",
        "--runs 1000",
        (_count("--runs", 1000, "that are kept and logged"), JSON),
        failure="a command took longer than five seconds",
    ),
    "grouping": Benchmark(
        "plans of the instance set, against the best known and a bound, and days planned again after an absence",
        "planner.grouping:benchmark_grouping",
        "--instances 5",
        (
            _count("--instances", 10, "days of each family"),
            (
                "--reference",
                {"type": float, "metavar": "SECONDS", "help": "improve the stored figures by so long runs, and stop"},
            ),
            JSON,
        ),
        failure="a plan broke a rule or exceeded its bound",
    ),
    "conflicts": Benchmark(
        "synthetic days with an injected conflict: is it named, how soon, and do the relaxations hold",
        "planner.injected_conflicts:benchmark_conflicts",
        "--instances 5 --json figures.json",
        (_count("--instances", 20, "days of each kind of conflict"), JSON),
        failure="a relaxation that was offered has no plan",
    ),
    "stress-test": Benchmark(
        "thousands of synthetic days of any kind: does any plan break a rule, is any refusal wrong",
        "planner.stress_test:benchmark_stress_test",
        "--instances 100 --json figures.json",
        (
            _count("--instances", 2000, "days to draw"),
            (
                "--seconds",
                {
                    "type": float,
                    "metavar": "S",
                    "help": "plan or refuse each day, explanation included, within so many seconds; every third day is "
                    "crowded, and the table says by how much the answer came late",
                },
            ),
            JSON,
        ),
        failure="a plan, a proven refusal or an error was wrong, or an answer came late",
    ),
    "policies": Benchmark(
        "three weeks of simulated schools by our plans and by other policies: need met, and what students know then",
        "planner.policies.benchmark:benchmark_policies",
        "--schools 2 --days 5 --kind demo --json figures.json",
        (
            _count("--schools", 8, "simulated schools of each kind"),
            _count("--days", 15, "school days in a row"),
            ("--large", {"action": "store_true", "help": "four times as many schools"}),
            _kinds(DAILY_SCHOOLS, "all four"),
            MODELS,
            WORKERS,
            JSON,
        ),
        failure="our plans are not ahead of each policy in need met and in what the lowest quartile knows",
    ),
    "outcomes": Benchmark(
        "skills mastered a week in simulated schools, by our plans and by plain policies, seed by seed",
        "planner.policies.outcomes:benchmark_outcomes",
        "--seeds 2 --days 5 --json figures.json",
        (
            _count("--seeds", 30, "simulated schools of each kind"),
            _count("--days", 10, "school days in a row"),
            _kinds(DAILY_SCHOOLS, "demo"),
            MODELS,
            WORKERS,
            JSON,
        ),
        failure="our plans are not ahead of each plain policy in skills mastered a week and in the lowest quartile",
    ),
    "insight": Benchmark(
        "simulated schools in which a skill becomes weak: is it found, is anything else, and is an adult named",
        "practice.insight:benchmark_insight",
        "--seeds 4 --json figures.json",
        (_count("--seeds", 50, "simulated schools"), WORKERS, JSON),
        failure="a goal was missed",
    ),
    "playlist": Benchmark(
        "the playlist on mornings of a real log: is what came next among its offers, and does progress come true",
        "practice.playlist:benchmark_playlist",
        "--dataset assistments-2012 --students 1000 --mornings 1000 --json figures.json",
        (
            *FORECAST,
            _count("--students", 4000, "students the models learn from, and a third as many who are asked about"),
            _count("--mornings", 9000, "mornings that are looked at"),
            ("--choose", {"action": "store_true", "help": "look at training students, by whom weights are chosen"}),
        ),
        failure="a goal was missed",
    ),
    "replay": Benchmark(
        "past days of a real log: whom each policy would have proposed for a group before they struggled",
        "replay.benchmark:benchmark_replay",
        "--dataset assistments-2012 --teams 2 --days 5 --json figures.json",
        (
            *FORECAST,
            _count("--teams", 12, "teams of 60 students"),
            _count("--days", 15, "school days in a row"),
            _count("--blocks", 4, "blocks of a day, of the four of the simulated school"),
            _count("--students", 3000, "students whom the models learn from, at most"),
            ("--large", {"action": "store_true", "help": "twice as many teams"}),
            ("--earlier", {"action": "store_true", "help": "the days by which the rules' settings were chosen"}),
            WORKERS,
            _path("--keep", "FOLDER", "keep what is planned there, and go on from it if stopped"),
        ),
        failure="ours would not surely have served more of the later strugglers than the best other policy",
    ),
    "sense": Benchmark(
        "simulated schools planned day after day: who is in trouble, and who of them gets an adult",
        "planner.sense:benchmark_sense",
        "--seeds 1 --days 5 --kind demo --json figures.json",
        (
            _count("--seeds", 5, "schools of each kind"),
            _count("--days", 15, "school days in a row"),
            _kinds(SCHOOLS, "all"),
            MODELS,
            JSON,
        ),
        failure="a plan broke a rule",
    ),
    "practice": Benchmark(
        "simulated schools with goals, wishes, observers and stages: does each move its figure, and what does need pay",
        "practice.practices:benchmark_practice",
        "--seeds 1 --days 2 --json figures.json",
        (
            _count("--seeds", 3, "schools"),
            _count("--days", 20, "school days in a row"),
            MODELS,
            JSON,
        ),
        failure="a dial moved its figure the wrong way, a plan broke a rule, or need met fell by more than 5 %",
    ),
    "series": Benchmark(
        "simulated schools through random absences: is a tutoring series kept, and how steady is a weekly grouping",
        "planner.series:benchmark_series",
        "--seeds 1 --weeks 1 --json figures.json",
        (
            _count("--seeds", 3, "schools"),
            _count("--weeks", 6, "weeks of five days in a row"),
            MODELS,
            JSON,
        ),
        failure="a series or a weekly grouping was kept less than it should be, or a plan broke a rule",
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
                    "choices": PARTS + NAMED_PARTS,
                    "action": "append",
                    "help": f"this part; may be repeated (default: {', '.join(PARTS)})",
                },
            ),
            ("--quick", {"action": "store_true", "help": "a short run, for a first look"}),
            _path("--keep", "FOLDER", "keep the school there, or use the one kept"),
            JSON,
        ),
        failure="the fault campaign lost or mixed something, an attack did more than it may, the board did not answer "
        "with a page, or a server did not start",
    ),
}
