"""`python -m serving plan`, `evaluate`, `place` and `why-not`: a day and its plan from files, without the service."""

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.console import describe_exit_codes, read_file, write_text
from features.errors import InputError
from serving.cli.tables import move_cells, say, show_diagnosis, show_plan, show_rows, tell_rules

if TYPE_CHECKING:
    from serving.grouping.problem.plan import Session
    from serving.grouping.problem.problem import Problem

EXAMPLES = """examples:
  python -m serving plan day.json --seconds 1 --json plan.json --svg day.svg
  python -m serving plan day.json --alternatives 3
  python -m serving evaluate day.json edited.json --original plan.json
  python -m serving evaluate day.json edited.json --repair --json repaired.json
  python -m serving place day.json plan.json Ada --block m1
  python -m serving why-not day.json plan.json Ada m1 --modality tutoring --adult lead

Every file that --json writes holds sessions, and so can be given as PLAN again.
"""
EXITS = describe_exit_codes(
    own={
        1: "the plan given breaks a rule (evaluate), or there is no such place (place, why-not)",
        2: "a file or a value is wrong, or no plan of the day keeps every rule",
    }
)


def add_planning(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands; `run_planning` runs the one that was given."""
    plan = _add(commands, _plan, "plan", "plan a day that stands in a file of the open instance format", plan=False)
    plan.add_argument("--seconds", type=float, help="have the plan by then; without it, a fixed number of rounds")
    plan.add_argument("--seed", type=int, default=0, help="of the lots drawn (%(default)s)")
    plan.add_argument("--alternatives", type=int, default=0, metavar="K", help="find so many other good plans too")
    plan.add_argument("--most-lost", type=float, default=0.05, metavar="SHARE", help="they may lack (%(default)s)")
    plan.add_argument("--least-apart", type=float, default=0.2, metavar="SHARE", help="of seats differ (%(default)s)")
    plan.add_argument("--svg", type=Path, metavar="FILE", help="draw the day there")
    evaluate = _add(commands, _evaluate, "evaluate", "say which rules an edited plan breaks and what it scores")
    evaluate.add_argument("--original", type=Path, metavar="PLAN", help="the plan before it was edited, for the price")
    evaluate.add_argument("--repair", action="store_true", help="find the plan nearest to it that keeps every rule")
    place = _add(commands, _place, "place", "rank all places of one student while nobody else moves")
    place.add_argument("student", metavar="STUDENT")
    place.add_argument("--block", action="append", help="may be given several times; all blocks without it")
    why_not = _add(commands, _why_not, "why-not", "say what it costs to seat a student somewhere, or what forbids it")
    why_not.add_argument("student", metavar="STUDENT")
    why_not.add_argument("block", metavar="BLOCK")
    why_not.add_argument("--modality", choices=("small_group", "tutoring", "collaborative", "online"))
    why_not.add_argument("--skill", help="id of a skill; any without it")
    why_not.add_argument("--adult", help="id of the adult who leads; any without it")


def run_planning(given: argparse.Namespace) -> int:
    """Runs one of the commands and returns its exit code.

    Raises:
        InputError: A file or a value is wrong, or no plan of the day keeps every rule.
    """
    from serving.grouping.errors import InfeasibleError, ProblemError  # noqa: PLC0415 - as for the commands below

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
    *,
    plan: bool = True,
) -> argparse.ArgumentParser:
    lines = [line for line in EXAMPLES.splitlines() if f"serving {name} " in line]
    parser = commands.add_parser(
        name,
        help=what,
        epilog="\n".join(("examples:", *lines, "", EXITS)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("path", type=Path, metavar="FILE", help="the day")
    if plan:
        parser.add_argument("plan", type=Path, metavar="PLAN", help="a file that plan --json wrote, edited or not")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the answer there")
    parser.set_defaults(run=run)
    return parser


# Imports stand inside the commands: --help must not wait for compiled code.


def _plan(given: argparse.Namespace) -> int:
    from serving.cli.svg import draw_day  # noqa: PLC0415
    from serving.grouping.changes.alternatives import find_alternatives  # noqa: PLC0415
    from serving.grouping.errors import InfeasibleError  # noqa: PLC0415
    from serving.grouping.infeasible.diagnosis import explain_conflict  # noqa: PLC0415
    from serving.grouping.search.anneal import Budget  # noqa: PLC0415
    from serving.grouping.solve import suggest_groups  # noqa: PLC0415

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
            say(f"\nalternative {at}: {other.lost:.1%} less than the best, {other.apart:.0%} of seats differ at least")
            show_plan(other.plan)
        say(f"\n{found.sentence}")
    return 0


def _evaluate(given: argparse.Namespace) -> int:
    from serving.grouping.changes.evaluation import evaluate_edit  # noqa: PLC0415
    from serving.grouping.changes.repair import repair_plan  # noqa: PLC0415

    problem, sessions = _read_day(given.path), _read_sessions(given.plan)
    original = None if given.original is None else _read_sessions(given.original)
    if original is not None:
        _require_plan(problem, original)
    judged = evaluate_edit(problem, sessions, original)
    told = asdict(judged) | {"sessions": [asdict(session) for session in sessions]}
    repair = repair_plan(problem, sessions) if given.repair else None
    if repair is not None:
        told |= {"repair": asdict(repair), "sessions": [asdict(session) for session in repair.sessions]}
    _write(given.json, told)
    show_rows(("broken rule", "how"), [(each.rule, each.sentence) for each in judged.violations])
    if judged.score is not None:
        show_rows(
            ("term", "value", "points"),
            [(term.name, f"{term.value:.2f}", f"{term.points:+.2f}") for term in judged.score.terms],
        )
        say(f"score {judged.score.total:.3f}; {len(judged.violations) or 'no'} breaches of hard rules")
    if judged.price is not None:
        say(f"the edit {judged.price.sentence}")
        show_rows(
            ("student", "block", "from", "to", "the change alone"),
            [
                (*move_cells(change.move), f"{change.price.sentence}{tell_rules(change.mends, change.breaks)}")
                for change in judged.changes
            ]
            or [(*move_cells(move), "") for move in judged.moves],
        )
    if repair is not None:
        say(f"repaired by moving {repair.moved} seats (at least {repair.at_least}); score {repair.score.total:.3f}")
        show_rows(("student", "block", "from", "to"), [move_cells(move) for move in repair.moves])
    return int(bool(judged.violations) and repair is None)


def _place(given: argparse.Namespace) -> int:
    from serving.grouping.changes.placements import rank_places  # noqa: PLC0415

    problem, sessions = _read_day(given.path), _read_sessions(given.plan)
    _require_plan(problem, sessions)
    ranked = rank_places(problem, sessions, given.student, given.block)
    _write(given.json, asdict(ranked))
    best = ranked.best or ()
    show_rows(
        ("block", "place", "points", "what it does", "best"),
        [
            (place.block, place.session.id, f"{place.price.points:+.2f}", place.sentence, "*" if place in best else "")
            for places in ranked.blocks
            for place in places
        ],
    )
    if ranked.price is None:
        say("no places that go together are left while nobody else moves; `why-not` asks what moving others costs")
        return 1
    say(f"the best places together: {', '.join(place.session.id for place in best)}; that {ranked.price.sentence}")
    return 0


def _why_not(given: argparse.Namespace) -> int:
    from serving.grouping.changes.bottlenecks import find_bounds  # noqa: PLC0415
    from serving.grouping.changes.why_not import ask_why_not  # noqa: PLC0415
    from serving.grouping.errors import require_known  # noqa: PLC0415
    from serving.grouping.problem.places import Pin  # noqa: PLC0415
    from serving.grouping.problem.policy import Modality  # noqa: PLC0415

    problem, sessions = _read_day(given.path), _read_sessions(given.plan)
    _require_plan(problem, sessions)
    named = {"student": given.student, "block": given.block, "skill": given.skill, "adult": given.adult}
    for kind, value in named.items():
        if value is not None:
            require_known(kind, value, {part.id for part in getattr(problem, f"{kind}s")}, f"{kind}s")
    modality = None if given.modality is None else Modality(given.modality)
    answer = ask_why_not(problem, sessions, Pin(given.student, given.block, modality, given.skill, given.adult))
    bounds = [bound for bound in find_bounds(problem, sessions) if bound.block == given.block]
    told = asdict(answer) | {"bounds": [asdict(bound) for bound in bounds]}
    _write(given.json, told | {"sessions": told["sessions"] or [asdict(session) for session in sessions]})
    say(answer.sentence)
    show_rows(("student", "block", "from", "to"), [move_cells(move) for move in answer.moves])
    show_rows(("used up in the plan", ""), [(bound.resource, bound.sentence) for bound in bounds])
    return int(answer.sessions is None)


def _read_day(path: Path) -> "Problem":
    from serving.formats import read_instance  # noqa: PLC0415

    return read_instance(read_file(path))


def _read_sessions(path: Path) -> "tuple[Session, ...]":
    from serving.formats import read_plan  # noqa: PLC0415

    return read_plan(read_file(path))


def _require_plan(problem: "Problem", sessions: "tuple[Session, ...]") -> None:
    from serving.formats import require_plan_of  # noqa: PLC0415

    require_plan_of(problem, sessions)


def _write(path: Path | None, told: dict[str, Any]) -> None:
    from serving.formats import plan_file  # noqa: PLC0415

    if path is not None:
        write_text(path, plan_file(told))
