"""`python -m serving plan` and `evaluate`: a day and its plan from files, without the service."""

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.console import describe_exit_codes, read_file, write_text
from features.errors import InputError
from serving.cli.tables import describe_rules, move_cells, say, show_diagnosis, show_plan, show_rows

if TYPE_CHECKING:
    from serving.grouping import Problem, Session

EXAMPLES = """examples:
  python -m serving plan day.json --seconds 1 --json plan.json --svg day.svg
  python -m serving plan day.json --alternatives 3
  python -m serving evaluate day.json edited.json --original plan.json
  python -m serving evaluate day.json edited.json --repair --json repaired.json

Every file that --json writes holds sessions, and so can be given as PLAN again.
"""
EXITS = describe_exit_codes(
    own={
        1: "the plan given breaks a rule, and no repair was asked for or found (evaluate)",
        2: "a file or a value is wrong, or no plan of the day keeps every rule",
    }
)


def add_planning(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands; `run_planning` runs the one that was given."""
    plan = _add(commands, _plan, "plan", "plan a day that stands in a file of the open instance format")
    plan.add_argument("--seconds", type=float, help="have the plan by then; without it, a fixed number of rounds")
    plan.add_argument("--seed", type=int, default=0, help="random seed (%(default)s)")
    plan.add_argument("--alternatives", type=int, default=0, metavar="K", help="find so many other good plans too")
    plan.add_argument(
        "--most-lost", type=float, default=0.05, metavar="SHARE", help="score that they may lose (%(default)s)"
    )
    plan.add_argument("--least-apart", type=float, default=0.2, metavar="SHARE", help="of seats differ (%(default)s)")
    plan.add_argument("--svg", type=Path, metavar="FILE", help="draw the day there")
    evaluate = _add(commands, _evaluate, "evaluate", "say which rules an edited plan breaks and what it scores")
    evaluate.add_argument("plan", type=Path, metavar="PLAN", help="a file that plan --json wrote, edited or not")
    evaluate.add_argument("--original", type=Path, metavar="PLAN", help="the plan before it was edited, for the price")
    evaluate.add_argument("--repair", action="store_true", help="find the plan nearest to it that keeps every rule")


def run_planning(given: argparse.Namespace) -> int:
    """Runs one of the commands and returns its exit code.

    Raises:
        InputError: A file or a value is wrong, or no plan of the day keeps every rule.
    """
    from serving.grouping import InfeasibleError, ProblemError  # noqa: PLC0415 - as for the commands below

    run: Callable[[argparse.Namespace], int] = given.run
    try:
        return run(given)
    except InfeasibleError as error:
        raise InputError(f"no plan keeps every rule: {error.sentence}") from None
    except ProblemError as error:
        raise InputError(str(error)) from None


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    run: Callable[[argparse.Namespace], int],
    name: str,
    what: str,
) -> argparse.ArgumentParser:
    lines = [line for line in EXAMPLES.splitlines() if f"serving {name} " in line]
    parser = commands.add_parser(
        name,
        help=what,
        epilog="\n".join(("examples:", *lines, "", EXITS)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("path", type=Path, metavar="FILE", help="the day")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the answer there")
    parser.set_defaults(run=run)
    return parser


# Imports stand inside the commands: --help must not wait for compiled code.


def _plan(given: argparse.Namespace) -> int:
    from serving.cli.svg import draw_day  # noqa: PLC0415
    from serving.grouping import Budget, InfeasibleError, explain_conflict, find_alternatives, suggest_groups  # noqa: PLC0415

    problem, budget = _read_day(given.path), Budget(seconds=given.seconds, seed=given.seed)
    try:
        if given.alternatives:
            limits = {"most_lost": given.most_lost, "least_apart": given.least_apart}
            found = find_alternatives(problem, given.alternatives, budget, **limits)
            plan = found.best
            _write(given.json, asdict(plan) | {"alternatives": [asdict(other) for other in found.others]})
        else:
            plan = suggest_groups(problem, budget)
            _write(given.json, asdict(plan))
    except InfeasibleError as error:
        show_diagnosis(explain_conflict(problem, error.conflicts))
        raise
    if given.svg is not None:
        write_text(given.svg, draw_day(problem, plan))
    show_plan(plan)
    if given.alternatives:
        for at, other in enumerate(found.others, 1):
            loss, difference = f"{other.score_loss:.1%}", f"{other.difference:.0%}"
            say(f"\nalternative {at}: {loss} less than the best, {difference} of seats differ at least")
            show_plan(other.plan)
        say(f"\n{found.sentence}")
    return 0


def _evaluate(given: argparse.Namespace) -> int:
    from serving.plans.stored_plan import judge_edit  # noqa: PLC0415

    problem = _read_day(given.path)
    edited = tuple(session for session in _read_sessions(given.plan, problem) if session.students)
    original = None if given.original is None else _read_sessions(given.original, problem)
    judged, score, repair = judge_edit(problem, edited, original, repair=given.repair)
    sessions = edited if repair is None else repair.sessions
    answer = asdict(judged) | {"sessions": [asdict(session) for session in sessions]}
    _write(given.json, answer if repair is None else answer | {"repair": asdict(repair)})
    show_rows(("broken rule", "how"), [(violation.rule, violation.sentence) for violation in judged.violations])
    show_rows(
        ("term", "value", "points"), [(term.name, f"{term.value:.2f}", f"{term.points:+.2f}") for term in score.terms]
    )
    say(f"score {score.total:.3f}; {len(judged.violations) or 'no'} breaches of hard rules")
    if judged.score_impact is not None:
        say(f"the edit {judged.score_impact.sentence}")
        show_rows(
            ("student", "block", "from", "to", "the change alone"),
            [
                (
                    *move_cells(change.move),
                    f"{change.score_impact.sentence}{describe_rules(change.fixes, change.breaks)}",
                )
                for change in judged.changes
            ]
            or [(*move_cells(move), "") for move in judged.moves],
        )
    if repair is not None:
        say(f"repaired by moving {repair.moved} seats (at least {repair.at_least}); score {repair.score.total:.3f}")
        show_rows(("student", "block", "from", "to"), [move_cells(move) for move in repair.moves])
    elif given.repair and judged.violations:
        say("no repair was found")
    return int(bool(judged.violations) and repair is None)


def _read_day(path: Path) -> "Problem":
    from serving.formats import read_instance  # noqa: PLC0415

    return read_instance(read_file(path))


def _read_sessions(path: Path, problem: "Problem") -> "tuple[Session, ...]":
    from serving.formats import read_plan, require_plan_of  # noqa: PLC0415

    sessions = read_plan(read_file(path))
    require_plan_of(problem, sessions)
    return sessions


def _write(path: Path | None, answer: dict[str, Any]) -> None:
    from serving.formats import plan_file  # noqa: PLC0415

    if path is not None:
        write_text(path, plan_file(answer))
