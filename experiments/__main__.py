"""The command `python -m experiments`: runs and compares experiments, simulates schools, measures regroup."""

import argparse
import gc
import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from experiments.benchmarks.registry import BENCHMARKS
from features.console import ERR, EXIT_CODES, check_place, describe_exit_codes, run_command

LOGGER = logging.getLogger("regroup")

COMPARED = "a real log to compare simulated ones with: Parquet with user_id, item_id, skill_id, timestamp (s), correct"


def main(argv: Sequence[str]) -> int:
    """Runs a sub-command and returns its exit code.

    Raises:
        RegroupError: With the exit code that `--help` lists.
    """
    parser = build_parser()
    options = parser.parse_args(argv)
    command = options.command
    arguments = {name: value for name, value in vars(options).items() if name not in {"command", "name"}}
    if command == "simulate" and (options.folder is None) == (options.compare is None):
        parser.error("simulate needs either a FOLDER to write or --compare PATH")
    if command in {"compare", "leaderboard"}:
        gc.disable()  # short commands that make many objects and hardly any garbage: half of their time was looking
    if command == "benchmark":
        # on a machine with other work, LightGBM's threads that wait by spinning make training many times slower
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for name, folder in (
        *((name, False) for name in ("json_path", "page", "markdown", "winner", "best")),
        ("charts", True),
    ):
        check_place(arguments.get(name), folder=folder)  # a benchmark may take hours until it writes there
    runs: dict[str, Callable[..., int]] = {"simulate": _simulate, "compile": _compile, "demo": _demo}
    runs |= {"run": _run, "search": _search, "compare": _compare, "leaderboard": _leaderboard}
    if command == "audit":
        return _audit(options.name, **arguments)
    if command == "benchmark":
        ERR.print(f"benchmark {options.name}: loading what it needs", style="dim", highlight=False)
        return BENCHMARKS[options.name].load()(**arguments)
    return runs[command](**arguments)


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of all sub-commands."""
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    simulate = _add_command(
        commands,
        "simulate",
        "write a simulated school, or compare simulated schools with a real log",
        ["school --teams 4 --weeks 12", "--compare real.parquet"],
        describe_exit_codes(),
    )
    simulate.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="where the school is written")
    simulate.add_argument("--compare", type=Path, metavar="PATH", help=COMPARED)
    simulate.add_argument("--seed", type=int, default=1, help="random seed (default: %(default)s)")
    simulate.add_argument("--teams", type=int, default=4, help="teams of about 62 students (default: %(default)s)")
    simulate.add_argument("--weeks", type=int, default=12, help="school weeks of the log (default: %(default)s)")
    simulate.add_argument("--end", type=date.fromisoformat, metavar="DATE", help="the day after the last of the log")
    simulate.add_argument("--form", default="parquet", help="of the log, parquet or csv (default: %(default)s)")
    simulate.add_argument("--json", dest="json_path", type=Path, metavar="FILE", help="write the figures there too")
    _add_workbench(commands)
    benchmark = commands.add_parser("benchmark", help="measure regroup against plain alternatives")
    names = benchmark.add_subparsers(dest="name", required=True)
    for name, measured in BENCHMARKS.items():
        own = None if measured.failure is None else {1: measured.failure}
        codes = describe_exit_codes(*measured.codes, own=own)
        command = _add_command(names, name, measured.summary, [measured.example], codes)
        for flag, arguments in measured.options:
            command.add_argument(flag, **arguments)
    meaning = "compile ahead what the nightly job, the service and the simulator run"
    _add_command(commands, "compile", meaning, [""], describe_exit_codes())
    demo = _add_command(
        commands,
        "demo",
        "ingest, train, serve and plan a team's tomorrow",
        ["--log answers.csv --format mapped --mapping answers.toml"],
        describe_exit_codes(*EXIT_CODES),
    )
    demo.add_argument("--log", type=Path, metavar="PATH", help="a log file; without it, a simulated school")
    demo.add_argument("--format", dest="form", metavar="NAME", help="its format; without it, read from its header")
    demo.add_argument("--mapping", type=Path, metavar="FILE", help="TOML file that says what each column is")
    demo.add_argument("--fresh", action="store_true", help="start over; without it, an earlier demo's work is reused")
    demo.add_argument("--show-key", action="store_true", help="print an API key for the service, which stays valid")
    return parser


def _add_workbench(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands that run and compare experiments."""
    metric: dict[str, Any] = {"choices": ("log_loss", "auc"), "default": "log_loss"}
    run = _add_command(
        commands,
        "run",
        "run experiments: every fold and seed, over the cores, on from where an earlier run stopped",
        ["streak-3.toml streak-4.toml", "streak-3.toml --set name=fast --set training.boosting.rounds=50"],
        describe_exit_codes(4, own={3: "a fold has too little to learn from or to be scored"}),
    )
    compare = _add_command(
        commands,
        "compare",
        "say which of some runs is better, equal or worse, or why it would not be fair to say",
        ["streak-3 streak-4 --markdown comparison.md", "streak-3 streak-4 --winner night.toml"],
        describe_exit_codes(4, own={2: "the runs cannot be compared fairly, or an option is wrong"}),
    )
    compare.add_argument("names", nargs="+", metavar="RUN", help="its name, or the beginning of its id in MLflow")
    compare.add_argument("--metric", help="what verdicts are given on (default: %(default)s)", **metric)
    compare.add_argument("--margin", type=float, help="gains within it count as none (default: 0.005)")
    compare.add_argument("--page", type=Path, metavar="FILE", help="write the HTML page there (default: in the home)")
    compare.add_argument("--markdown", type=Path, metavar="FILE", help="write a table for a pull request there")
    compare.add_argument("--json", dest="json_path", type=Path, metavar="FILE", help="write the figures there too")
    compare.add_argument(
        "--winner", type=Path, metavar="FILE", help="write the choices of the best run there, for nightly --config"
    )
    search = _add_command(
        commands,
        "search",
        "search an experiment's space for the choices that forecast best, for the night to take",
        ["search.toml --best night.toml", "search.toml --set search.trials=60 --holdout"],
        describe_exit_codes(4, own={3: "a fold has too little to learn from or to be scored"}),
    )
    search.add_argument("--best", type=Path, metavar="FILE", help="write the best choices there, for nightly --config")
    search.add_argument("--holdout", action="store_true", help="score the best on the reserved students, once")
    search.add_argument("--json", dest="json_path", type=Path, metavar="FILE", help="write the trials there")
    for command, what in ((run, "an experiment"), (search, "an experiment with [search]")):
        command.add_argument("files", nargs="+", type=Path, metavar="FILE", help=f"TOML file of {what}")
        command.add_argument(
            "--set",
            dest="settings",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="lay a value over all files",
        )
        command.add_argument("--workers", type=int, help="cores to use (default: all)")
    for command in (run, compare, search):
        command.add_argument("--no-tracking", dest="tracking", action="store_false", help="log nothing to MLflow")
    _add_audit(commands)
    ranked = _add_command(
        commands, "leaderboard", "list the runs, the best first among comparable ones", ["--metric auc"],
        describe_exit_codes(),
    )  # fmt: skip
    ranked.add_argument("--metric", help="what runs are ranked by (default: %(default)s)", **metric)
    ranked.add_argument("--most", type=int, default=20, help="runs of each kind that are shown (default: %(default)s)")
    ranked.add_argument("--json", dest="json_path", type=Path, metavar="FILE", help="write all of them there")


def _add_audit(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    audit = commands.add_parser("audit", help="how forecasts and plans serve each group of students")
    kinds = audit.add_subparsers(dest="name", required=True)
    forecasts = _add_command(
        kinds, "forecasts", "audit the forecasts of runs: fairlearn's metrics by group, over resampled students",
        ["streak-3", "streak-3 --groups groups.csv"], describe_exit_codes(4),
    )  # fmt: skip
    forecasts.add_argument("runs", nargs="+", metavar="RUN", help="its name, or the beginning of its id in MLflow")
    plans = _add_command(
        kinds, "plans", "audit stored plans: who sits with whom, who has an adult and which, and who waits",
        ["--since 2026-03-01", "--team t01 --groups groups.csv"], describe_exit_codes(4),
    )  # fmt: skip
    plans.add_argument("--team", metavar="ID", help="plans of one team (default: all)")
    plans.add_argument("--since", type=date.fromisoformat, metavar="DATE", help="the first day (default: all)")
    plans.add_argument("--until", type=date.fromisoformat, metavar="DATE", help="the last day (default: all)")
    for kind in (forecasts, plans):
        kind.add_argument(
            "--groups", type=Path, metavar="FILE",
            help="CSV file of student_id, column, value with opaque labels; for the audit alone, it is not stored "
            "(default: the roster's demographics.csv)",
        )  # fmt: skip
        kind.add_argument("--json", dest="json_path", type=Path, metavar="FILE", help="write the figures there")


def _add_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    summary: str,
    examples: Sequence[str],
    codes: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    shown = "".join(f"  {command.prog} {options}".rstrip() + "\n" for options in examples)
    command.epilog = f"examples:\n{shown}\n{codes}"
    return command


def _run(*, files: Sequence[Path], **options: Any) -> int:  # noqa: ANN401 - as the parser has them
    LOGGER.info("run %s", ", ".join(map(str, files)))  # what follows is imported for seconds
    from experiments.workbench.command import run_command as run_files  # noqa: PLC0415

    return run_files(files, **options)


def _compare(*, names: Sequence[str], **options: Any) -> int:  # noqa: ANN401 - as the parser has them
    LOGGER.info("compare %s", ", ".join(names))
    from experiments.workbench.comparison.command import compare_command  # noqa: PLC0415

    return compare_command(names, **options)


def _search(*, files: Sequence[Path], **options: Any) -> int:  # noqa: ANN401 - as the parser has them
    LOGGER.info("search %s", ", ".join(map(str, files)))
    from experiments.workbench.command import search_command  # noqa: PLC0415

    return search_command(files, **options)


def _audit(what: str, **options: Any) -> int:  # noqa: ANN401 - as the parser has them
    LOGGER.info("audit %s", what)
    from experiments.workbench.audit import command  # noqa: PLC0415

    return command.audit_plans_command(**options) if what == "plans" else command.audit_forecasts_command(**options)


def _leaderboard(**options: Any) -> int:  # noqa: ANN401 - as the parser has them
    LOGGER.info("read the runs")
    from experiments.workbench.leaderboard import leaderboard_command  # noqa: PLC0415

    return leaderboard_command(**options)


def _simulate(*, folder: Path | None, compare: Path | None, **options: Any) -> int:  # noqa: ANN401 - as the parser has them
    from experiments.simulation import compare_command, simulate_command  # noqa: PLC0415 - compiles for seconds

    if compare is not None:
        return compare_command(compare, seed=options["seed"], json_path=options["json_path"])
    assert folder is not None, "one of the two was given"
    return simulate_command(folder, **options)


def _compile() -> int:
    from features.kernel_cache import compile_kernels  # noqa: PLC0415 - --help must not wait for numba
    from serving.cli.compile import KERNELS  # noqa: PLC0415

    simulator, labels = "experiments.simulation.school:compile_simulator", "training.data.labels:compile_labels"
    compile_kernels({**KERNELS, "the simulator": simulator, "labels": labels})
    return 0


def _demo(**options: Any) -> int:  # noqa: ANN401 - as the parser has them
    from experiments.demo import run_demo  # noqa: PLC0415 - imports training and serving

    return run_demo(**options)


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:]))
