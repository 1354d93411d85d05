"""`python -m experiments benchmark stress-test`: is any answer to thousands of synthetic days wrong, or late?

Days are of any kind and size (`instances/edge_cases.py`), each asked for within the same seconds, which the answer,
plan or refusal, may exceed by half a second. Every plan is verified by the independent checker and compared with its
own bound. Every refusal is compared with a plain program of all hard rules (`verify/whole_day.py`),
which finds a plan where one exists with one adult to a session.
"""

import gc
import time
import traceback
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from experiments.benchmarks.figures import make_table
from experiments.benchmarks.planner.instances.edge_cases import draw_any
from experiments.benchmarks.planner.verify.optimum import read_day
from experiments.benchmarks.planner.verify.whole_day import WholeDay
from features.console import OUT, track, write_json
from features.errors import InputError
from serving.grouping.errors import BrokenPlanError, InfeasibleError
from serving.grouping.problem.plan import Plan
from serving.grouping.problem.problem import Problem
from serving.grouping.rules.check import RULES, find_violations
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups, warm_up

FIRST_SEED = 1_000_000
"""Beyond what the property tests draw."""

LATE_S = 0.5
"""Seconds by which an answer may come later than asked for."""

PROOF_S = 5.0
"""Wall-clock time for looking for a plan of a day that was refused."""

OUTCOMES = {
    "plan": "plans that keep every rule, at most their bound",
    "refused": "refused, proven",
    "unproven": "refused, not proven",
    "broken": "plans that break a rule",
    "above_bound": "plans worth more than their bound",
    "refused_wrongly": "refused, proven, though there is a plan",
    "missed": "refused, not proven, though there is a plan",
    "failed": "errors of the planner",
}
WRONG = frozenset({"broken", "above_bound", "refused_wrongly", "failed"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of the day of a seed: one of `OUTCOMES`.

    Attributes:
        detail: The rules of a refusal or those broken, or the error and where it was raised; empty for a plan.
        undecided: Whether the program did not settle in time if a refused day has a plan.
        over_s: Seconds by which the answer came later than asked for; below 0: sooner.
    """

    seed: int
    students: int
    outcome: str
    detail: str = ""
    undecided: bool = False
    over_s: float = 0.0


def benchmark_stress_test(instances: int, seconds: float, json_path: Path | None = None) -> int:
    """Prints the counts over so many days; the exit code is 1 if an answer was wrong or late.

    Args:
        instances: How many days.
        seconds: Seconds within which each is to be answered.
        json_path: Where the figures are written too.

    Raises:
        InputError: Fewer than one day, or no time.
    """
    if instances < 1 or seconds <= 0:
        raise InputError(f"--instances {instances} and --seconds {seconds:g} must be above 0")
    warm_up()
    seeds = range(FIRST_SEED, FIRST_SEED + instances)
    days = track(seeds, "synthetic days", total=instances)
    verdicts = [verify_day(seed, draw_any(seed), seconds) for seed in days]
    counts = {outcome: sum(verdict.outcome == outcome for verdict in verdicts) for outcome in OUTCOMES}
    table = make_table(f"{instances} days of any kind", ["outcome"], ["days", "most students"])
    for outcome, meaning in OUTCOMES.items():
        most = max((verdict.students for verdict in verdicts if verdict.outcome == outcome), default=0)
        table.add_row(meaning, str(counts[outcome]), str(most) if counts[outcome] else "-")
    OUT.print(table)
    late = [verdict for verdict in verdicts if verdict.over_s > LATE_S]
    shown = [verdict for verdict in verdicts if verdict.outcome in WRONG | {"missed"} or verdict in late]
    for verdict in shown:
        meaning = f"{OUTCOMES[verdict.outcome]}, {verdict.over_s:+.2f} s: {verdict.detail}"
        OUT.print(f"seed {verdict.seed}: {meaning}", markup=False, highlight=False)
    over = [verdict.over_s for verdict in verdicts]
    spread = f"{np.quantile(over, 0.99):+.2f} s at p99, {max(over):+.2f} s at most"
    OUT.print(f"answered after the {seconds:g} s asked for: {spread}", markup=False, highlight=False)
    refusals = Counter(verdict.detail for verdict in verdicts if verdict.outcome in {"refused", "unproven"})
    figures = {
        "instances": instances,
        "first_seed": FIRST_SEED,
        "seconds": seconds,
        "over_p50_s": float(np.median(over)),
        "over_p99_s": float(np.quantile(over, 0.99)),
        "over_p100_s": max(over),
        "late": len(late),
        "outcomes": counts,
        "undecided": sum(verdict.undecided for verdict in verdicts),
        "refused_by": dict(refusals.most_common()),
        "not_planned_or_refused": [asdict(verdict) for verdict in shown],
    }
    write_json(json_path, figures)
    return 1 if late or any(verdict.outcome in WRONG for verdict in verdicts) else 0


def verify_day(seed: int, problem: Problem, seconds: float) -> Verdict:
    """Plans a day within so many seconds and verifies the result."""
    gc.collect()  # else a day pays for what those before it left
    began = time.perf_counter()
    try:
        answer: Plan | Exception = suggest_groups(problem, Budget(seconds=seconds))
    except Exception as error:  # noqa: BLE001 - whatever escapes is what we count
        answer = error
    over = time.perf_counter() - began - seconds
    return replace(_verify(problem, answer, seed), over_s=over)


def _verify(problem: Problem, answer: Plan | Exception, seed: int) -> Verdict:
    size = len(problem.students)
    if isinstance(answer, Plan):
        return Verdict(seed, size, *verify_plan(problem, answer))
    if isinstance(answer, InfeasibleError):
        return _verify_refusal(problem, answer, seed)
    if isinstance(answer, BrokenPlanError):
        return Verdict(seed, size, "broken", ", ".join(answer.rules))
    place = traceback.extract_tb(answer.__traceback__)[-1]
    return Verdict(seed, size, "failed", f"{type(answer).__name__}: {answer} ({Path(place.filename).name})")


def verify_plan(problem: Problem, plan: Plan) -> tuple[str, str]:
    """Returns one of `OUTCOMES` for a plan, and what is wrong with it."""
    broken = sorted({violation.rule for violation in find_violations(problem, plan.sessions)})
    if broken:
        return "broken", ", ".join(broken)
    if plan.score.total > plan.bound:
        return "above_bound", f"{plan.score.total} > {plan.bound}"
    return "plan", ""


def _verify_refusal(problem: Problem, error: InfeasibleError, seed: int) -> Verdict:
    size, rules = len(problem.students), sorted({rule for conflict in error.conflicts for rule in conflict.rules})
    unknown = set(rules) - {rule.__name__ for rule in RULES}
    if unknown:
        return Verdict(seed, size, "failed", f"a refusal names no rule of the checker: {', '.join(sorted(unknown))}")
    # with coaching more adults may join a session, none has to: a plan without it is one with it
    day = WholeDay(replace(problem, coaching=()))
    answer = day.program.solve(PROOF_S)
    if answer.columns is None:
        outcome = "refused" if error.proven else "unproven"
        return Verdict(seed, size, outcome, ", ".join(rules), undecided=not answer.proven)
    sessions = read_day(day, answer.columns.round().astype(int).tolist())
    assert not find_violations(problem, sessions), seed
    return Verdict(seed, size, "refused_wrongly" if error.proven else "missed", ", ".join(rules))
