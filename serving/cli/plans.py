"""`python -m serving plan` and `evaluate`: plans a day from a file, and judges a plan of it, without the service."""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from features.console import ERR, OUT, read_file, write_json, write_text
from serving.cli import Commands, add_command, planning_errors

if TYPE_CHECKING:
    from serving.cli.svg import Labels
    from serving.grouping import Diagnosis, Move, Plan, Problem, Session, Violation

PLAN = """plan day.json --seconds 1 --json plan.json --svg day.svg
plan day.json --alternatives 3"""
EVALUATE = """evaluate day.json plan.json
evaluate day.json edited.json --original plan.json
evaluate day.json edited.json --repair --json repaired.json"""
DAY = "the day; serving/day.example.json is one to start from"
INFEASIBLE = {2: "a file or a value is wrong, or no plan of the day keeps every rule"}


def add_plan(commands: Commands) -> None:
    """Adds the command that plans a day, and its options."""
    summary = "plan a day that is described in a file of the format regroup-day"
    plan = add_command(commands, "plan", plan_day, summary, PLAN, INFEASIBLE)
    plan.add_argument("path", type=Path, metavar="FILE", help=DAY)
    plan.add_argument("--seconds", type=float, help="have the plan by then; without it, a fixed number of rounds")
    plan.add_argument("--seed", type=int, default=0, help="random seed (%(default)s)")
    plan.add_argument("--alternatives", type=int, default=0, metavar="K", help="find K other good plans too")
    plan.add_argument(
        "--max-score-loss",
        type=float,
        default=0.05,
        metavar="SHARE",
        help="share of the best plan's gain over a day online that an alternative may lose, 0-1 (%(default)s)",
    )
    plan.add_argument(
        "--min-difference",
        type=float,
        default=0.2,
        metavar="SHARE",
        help="share of all seats in which any two of the plans differ at least, 0-1 (%(default)s)",
    )
    plan.add_argument("--json", type=Path, metavar="FILE", help="write the plan there, for PLAN of evaluate")
    plan.add_argument(
        "--svg", type=Path, metavar="FILE", help="draw the day there, with names from the vault if there is one"
    )


def add_evaluate(commands: Commands) -> None:
    """Adds the command that judges a plan, and its options."""
    exits = {1: "the plan breaks a rule, and no repair was asked for or found", **INFEASIBLE}
    summary = "print which rules an edited plan breaks and what it scores"
    evaluate = add_command(commands, "evaluate", evaluate_plan, summary, EVALUATE, exits)
    evaluate.add_argument("path", type=Path, metavar="FILE", help=DAY)
    evaluate.add_argument("plan", type=Path, metavar="PLAN", help="a file that --json wrote, edited or not")
    evaluate.add_argument(
        "--original", type=Path, metavar="PLAN", help="the plan before it was edited, for the score impact of the edit"
    )
    evaluate.add_argument("--repair", action="store_true", help="find the plan nearest to it that keeps every rule")
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="write the plan, repaired or not, there")


@planning_errors()
def plan_day(options: argparse.Namespace) -> int:
    """Plans the day, writes its files and prints it.

    Raises:
        InputError: A file or a value is wrong, or no plan of the day keeps every rule.
    """
    from serving.cli.svg import draw_day
    from serving.grouping import Budget, InfeasibleError, explain_conflict, find_alternatives, suggest_groups

    problem, budget = _read_day(options.path), Budget(seconds=options.seconds, seed=options.seed)
    until = budget.until(time.perf_counter())
    try:
        if options.alternatives:
            limits = {"max_score_loss": options.max_score_loss, "min_difference": options.min_difference}
            found = find_alternatives(problem, options.alternatives, budget, **limits)
            plan = found.best
            write_json(options.json, asdict(plan) | {"alternatives": [asdict(other) for other in found.others]})
        else:
            plan = suggest_groups(problem, budget)
            write_json(options.json, asdict(plan))
    except InfeasibleError as error:
        _print_diagnosis(explain_conflict(problem, error.conflicts, until=until))
        raise
    labels = _find_labels(problem)
    if options.svg is not None:
        write_text(options.svg, draw_day(problem, plan, labels))
    _print_plan(plan, labels)
    if options.alternatives:
        for number, other in enumerate(found.others, 1):
            loss, difference = f"{other.score_loss:.1%}", f"{other.difference:.0%}"
            _print(f"\nalternative {number}: scores {loss} less, {difference} of seats differ at least")
            _print_plan(other.plan, labels)
        _print(f"\n{found.sentence}")
    return 0


@planning_errors()
def evaluate_plan(options: argparse.Namespace) -> int:
    """Judges the plan, repairs it where asked, and returns 1 where it is left with a broken rule.

    Raises:
        InputError: A file or a value is wrong.
    """
    from serving.plans.stored_plan import judge_edit

    problem = _read_day(options.path)
    edited = tuple(session for session in _read_sessions(options.plan, problem) if session.students)
    original = None if options.original is None else _read_sessions(options.original, problem)
    judged, score, repair = judge_edit(problem, edited, original, repair=options.repair)
    sessions = edited if repair is None else repair.sessions
    answer = asdict(judged) | {"sessions": [asdict(session) for session in sessions]}
    write_json(options.json, answer if repair is None else answer | {"repair": asdict(repair)})
    _print_table(("broken rule", "how"), [(violation.rule, violation.sentence) for violation in judged.violations])
    _print_table(
        ("term", "value", "points"), [(term.name, f"{term.value:.2f}", f"{term.points:+.2f}") for term in score.terms]
    )
    _print(f"score {score.total:.3f}; {len(judged.violations) or 'no'} breaches of hard rules")
    if judged.score_impact is not None:
        _print(f"the edit {judged.score_impact.sentence}")
        _print_table(
            ("student", "block", "from", "to", "score impact of the change alone"),
            [
                (
                    *_to_cells(change.move),
                    f"{change.score_impact.sentence}{_describe_rules(change.fixes, change.breaks)}",
                )
                for change in judged.changes
            ],
        )
        if not judged.changes:  # of a single change the impact was said above
            _print_table(("student", "block", "from", "to"), [_to_cells(move) for move in judged.moves])
    if repair is not None:
        _print(f"repaired by moving {repair.moved} seats (at least {repair.at_least}); score {repair.score.total:.3f}")
        _print_table(("student", "block", "from", "to"), [_to_cells(move) for move in repair.moves])
    elif options.repair and judged.violations:
        _print("no repair was found")
    return int(bool(judged.violations) and repair is None)


def _read_day(path: Path) -> "Problem":
    from serving.formats import read_instance

    return read_instance(read_file(path))


def _read_sessions(path: Path, problem: "Problem") -> "tuple[Session, ...]":
    from serving.formats import read_plan
    from serving.grouping import require_sessions

    sessions = read_plan(read_file(path))
    require_sessions(problem, sessions)
    return sessions


def _find_labels(problem: "Problem") -> "Labels":
    """The names of the day's people, where there is a vault that whoever runs the command may read.

    The id stands beside a name that several have.
    """
    from features.errors import RegroupError
    from features.roster.people.columns import ADULT, STUDENT
    from features.roster.people.vault import find_vault
    from serving.cli.svg import Labels

    vault = find_vault()
    if vault is None:
        return Labels()
    people = {STUDENT: [student.id for student in problem.students], ADULT: [adult.id for adult in problem.adults]}
    try:
        found = {kind: vault.read(kind, ids) for kind, ids in people.items()}
    except RegroupError as error:
        ERR.print(f"warning: no names are shown: {error}", markup=False, highlight=False)
        return Labels()
    times = Counter(name for names in found.values() for name in names.values())
    students, adults = (
        {identity: f"{name} ({identity})" if times[name] > 1 else name for identity, name in found[kind].items()}
        for kind in people
    )
    return Labels(students, adults)


def _print_plan(plan: "Plan", labels: "Labels") -> None:
    """Prints one sentence for each session, below it who is there where names are known, and the score."""
    for reason, session in zip(plan.session_reasons, plan.sessions, strict=True):
        _print(reason.sentence)
        if labels.adults or labels.students:
            _print(f"  {labels.name_adults(session)}: {labels.name_students(session)}")
    _print(f"score {plan.score.total:.3f}, bound {plan.bound:.3f}")


def _print_diagnosis(diagnosis: "Diagnosis") -> None:
    """Prints which rules conflict and what to give up, line by line."""
    smallest = "cannot hold together" if diagnosis.minimal else "cannot hold together (perhaps not all needed for that)"
    for title, sentences in (
        ("conflict", [conflict.sentence for conflict in diagnosis.conflicts]),
        (smallest, [constraint.requirement for constraint in diagnosis.minimal_set]),
        ("would be enough", [f"{choice.sentence} (penalty {choice.penalty:.1f})" for choice in diagnosis.relaxations]),
        ("note", diagnosis.notes),
    ):
        for sentence in sentences:
            _print(f"{title}: {sentence}")


def _print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table, or nothing where there are no rows."""
    if rows:
        table = Table(*titles)
        for row in rows:
            table.add_row(*row)
        OUT.print(table, markup=False, highlight=False, soft_wrap=False)


def _to_cells(move: "Move") -> tuple[str, str, str, str]:
    """Returns student, block, and the seats before and after."""
    before, after = (
        "nowhere" if seat is None else " ".join(part for part in (seat.session_type, seat.skill, seat.adult) if part)
        for seat in (move.before, move.after)
    )
    return move.student, move.block, before, after


def _describe_rules(fixes: Sequence["Violation"], breaks: Sequence["Violation"]) -> str:
    """Returns which hard rules a change breaks and keeps, to follow its score impact; empty for none."""
    broken = sorted({violation.rule for violation in fixes})
    kept = sorted({violation.rule for violation in breaks})
    return "".join([f"; breaks {rule}" for rule in broken] + [f"; undone alone it breaks {rule}" for rule in kept])


def _print(line: str) -> None:
    OUT.print(line, markup=False, highlight=False)
