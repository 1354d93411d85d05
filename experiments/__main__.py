"""The command `python -m experiments`: simulates schools, measures regroup, and shows all of it in one go."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path

from experiments.benchmarks.datasets import DATA_SETS
from experiments.benchmarks.planner.options import add_planner_benchmarks
from experiments.benchmarks.service.options import add_service_benchmark
from features.console import describe_exit_codes, run_command
from features.errors import MissingError, TooManyRejectedError

EXIT_CODES = describe_exit_codes(
    TooManyRejectedError.exit_code,
    MissingError.exit_code,
    own={1: "benchmark: done, but versions that must agree do not, or a column knows an answer that it should not"},
)


def main(argv: Sequence[str]) -> int:
    """Runs a sub-command; its exit code.

    Raises:
        RegroupError: With the exit code that `--help` lists.
    """
    parser = build_parser()
    options = parser.parse_args(argv)
    if options.command == "simulate":
        if (options.folder is None) == (options.compare is None):
            parser.error("simulate needs either a FOLDER to write or --compare PATH")
        return _simulate(options)
    if options.command == "benchmark":
        benchmarks = {"history": _benchmark_history, "schools": _benchmark_schools}
        run: Callable[[argparse.Namespace], int] = getattr(options, "run", None) or benchmarks.get(
            options.name, _benchmark_forecast
        )
        return run(options)
    from experiments.demo import run_demo  # noqa: PLC0415 - imports training and serving

    return run_demo(options.log, options.format, options.mapping)


def build_parser() -> argparse.ArgumentParser:
    """The options of all sub-commands."""
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_simulate(commands)
    _add_benchmark(commands)
    demo = _add_command(
        commands,
        "demo",
        "ingest, train, serve and plan a team's tomorrow",
        "python -m experiments demo --log answers.csv --format mapped --mapping answers.toml",
    )
    _add_log_options(demo, "a simulated school")
    return parser


def _add_simulate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    simulate = _add_command(
        commands,
        "simulate",
        "write a simulated school, or set one beside a real log",
        "python -m experiments simulate school --teams 4 --weeks 12",
        "python -m experiments simulate --compare answers.parquet",
    )
    simulate.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="where the school is written")
    simulate.add_argument("--compare", type=Path, metavar="PATH", help="a real log to set simulated ones beside")
    simulate.add_argument("--seed", type=int, default=1, help="of everything random (default: %(default)s)")
    simulate.add_argument("--teams", type=int, default=4, help="teams of about 62 students (default: %(default)s)")
    simulate.add_argument("--weeks", type=int, default=12, help="school weeks of the log (default: %(default)s)")
    simulate.add_argument("--end", type=date.fromisoformat, metavar="DATE", help="the day after the last of the log")
    simulate.add_argument("--form", default="parquet", help="of the log, parquet or csv (default: %(default)s)")
    simulate.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")


def _add_benchmark(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    benchmark = commands.add_parser("benchmark", help="measure regroup against plain alternatives")
    names = benchmark.add_subparsers(dest="name", required=True)
    history = _add_command(
        names,
        "history",
        "speed of the profile kernel, against a copy of its output and against pandas",
        "python -m experiments benchmark history --json figures.json",
        "python -m experiments benchmark history --log answers.parquet --mapping answers.toml",
    )
    _add_log_options(history, "the event store in REGROUP_HOME, else a simulated log")
    history.add_argument("--home", type=Path, metavar="FOLDER", help="read the event store of this home")
    history.add_argument("--repeats", type=int, default=7, help="timings behind each median (default: %(default)s)")
    history.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    for name, help_text in (
        ("next-response", "forecasts of the next answer, against published models on public logs"),
        ("struggle", "forecasts of who will not master a skill, against plain rules on public logs"),
    ):
        example = f"python -m experiments benchmark {name} --dataset gervet-assistments09 --charts charts"
        forecast = _add_command(names, name, help_text, example)
        _add_forecast_options(forecast)
        forecast.add_argument("--charts", type=Path, metavar="FOLDER", help="write the pictures there")
        forecast.add_argument("--no-tracking", action="store_true", help="log nothing to MLflow")
    ablation = _add_command(
        names,
        "ablation",
        "what each family of columns adds, judged on training students",
        "python -m experiments benchmark ablation --dataset gervet-assistments09",
    )
    _add_forecast_options(ablation)
    add_planner_benchmarks(partial(_add_command, names))
    add_service_benchmark(partial(_add_command, names))
    cost = _add_command(
        names,
        "cost",
        "time and memory per million answers, beside published models",
        "python -m experiments benchmark cost --dataset assistments-2012",
    )
    _add_forecast_options(cost)
    survival = _add_command(
        names,
        "survival",
        "the struggle forecast as a survival model beside the direct one, judged on training students",
        "python -m experiments benchmark survival --dataset gervet-assistments09",
    )
    _add_forecast_options(survival)
    curve = _add_command(
        names,
        "learning-curve",
        "forecasts after the first students of a log, and before any with another log's model",
        "python -m experiments benchmark learning-curve --dataset gervet-assistments09 --other pykt-assist2015",
    )
    _add_forecast_options(curve)
    curve.add_argument("--charts", type=Path, metavar="FOLDER", help="write the picture there")
    curve.add_argument("--other", choices=tuple(DATA_SETS), help="a log to learn from before there is any history")
    schools = _add_command(
        names,
        "schools",
        "forecasts for a school that is new, and for each school and audit group",
        "python -m experiments benchmark schools --json figures.json",
    )
    _add_shared_options(schools)


def _add_forecast_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset", required=True, choices=tuple(DATA_SETS), help="the public log")
    _add_shared_options(parser)


def _add_shared_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="holds the logs; without it REGROUP_DATA, else ../shared/data"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML laid over the defaults of training")


def _add_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help_text: str, *examples: str
) -> argparse.ArgumentParser:
    lines = "".join(f"  {each}\n" for each in examples)
    return commands.add_parser(
        name,
        help=help_text,
        description=f"{help_text[0].upper()}{help_text[1:]}.",
        epilog=f"examples:\n{lines}\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_log_options(parser: argparse.ArgumentParser, otherwise: str) -> None:
    parser.add_argument("--log", type=Path, metavar="PATH", help=f"a log file; without it, {otherwise}")
    parser.add_argument("--format", metavar="NAME", help="what the file is; without it, told from its header")
    parser.add_argument("--mapping", type=Path, metavar="FILE", help="TOML file that says what each column is")


def _simulate(options: argparse.Namespace) -> int:
    from experiments.simulation import compare_command, simulate_command  # noqa: PLC0415 - compiles for seconds

    if options.compare is not None:
        return compare_command(options.compare, seed=options.seed, json_path=options.json)
    return simulate_command(
        options.folder,
        seed=options.seed,
        teams=options.teams,
        weeks=options.weeks,
        end=options.end,
        form=options.form,
        json_path=options.json,
    )


def _benchmark_history(options: argparse.Namespace) -> int:
    from experiments.benchmarks.history import benchmark_history  # noqa: PLC0415 - compiles for seconds

    return benchmark_history(
        path=options.log,
        form=options.format,
        mapping=options.mapping,
        home=options.home,
        repeats=options.repeats,
        json_path=options.json,
    )


def _benchmark_schools(options: argparse.Namespace) -> int:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # for the reason below
    from experiments.benchmarks.schools import benchmark_schools  # noqa: PLC0415 - compiles for seconds

    return benchmark_schools(options.data, options.json, options.config)


def _benchmark_forecast(options: argparse.Namespace) -> int:
    # on a machine with other work, LightGBM's threads that wait by spinning make training many times slower
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from experiments.benchmarks.ablation import benchmark_ablation  # noqa: PLC0415 - compiles for seconds
    from experiments.benchmarks.cost import benchmark_cost  # noqa: PLC0415 - compiles for seconds
    from experiments.benchmarks.learning_curve import benchmark_learning_curve  # noqa: PLC0415 - compiles for seconds
    from experiments.benchmarks.next_response import benchmark_next_response  # noqa: PLC0415 - compiles for seconds
    from experiments.benchmarks.report import Order  # noqa: PLC0415
    from experiments.benchmarks.struggle import benchmark_struggle  # noqa: PLC0415
    from experiments.benchmarks.survival import benchmark_survival  # noqa: PLC0415

    order = Order(
        data_set=options.dataset,
        data=options.data,
        json_path=options.json,
        charts=getattr(options, "charts", None),
        config=options.config,
        tracking=not getattr(options, "no_tracking", True),
    )
    if options.name == "learning-curve":
        return benchmark_learning_curve(order, options.other)
    benchmarks = {
        "next-response": benchmark_next_response,
        "struggle": benchmark_struggle,
        "ablation": benchmark_ablation,
        "cost": benchmark_cost,
        "survival": benchmark_survival,
    }
    return benchmarks[options.name](order)


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:]))
