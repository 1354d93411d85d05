"""`python -m experiments benchmark stress-test`: is any plan of thousands of synthetic days wrong?

Days are of any kind and size (`instances/edge_cases.py`). Every plan is verified by the independent checker and
compared with its own bound. Every refusal is compared with a plain program of all hard rules (`verify/whole_day.py`),
which finds a plan where one exists with one adult to a session. With `--seconds` each day has a clock, and the figures
say how late answers came: a plan with its bound and reasons, or a refusal with its explanation.
"""

import gc
import time
import traceback
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from experiments.benchmarks.figures import make_table
from experiments.benchmarks.planner.instances.edge_cases import draw_crowded_day, draw_instance
from experiments.benchmarks.planner.verify.optimum import read_day
from experiments.benchmarks.planner.verify.whole_day import WholeDay
from features.console import OUT, track, write_json
from features.errors import InputError
from serving.grouping.errors import BrokenPlanError, InfeasibleError
from serving.grouping.infeasible.diagnosis import explain_conflict
from serving.grouping.problem.plan import Plan
from serving.grouping.problem.problem import Problem
from serving.grouping.rules.check import RULES, find_violations
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups, warm_up

FIRST_SEED = 1_000_000
"""Beyond what the property tests draw."""

BUDGET = Budget(rounds=60)
"""Budget of each day: counted in rounds, so that equal seeds give equal answers."""

LATE_S = 0.5
"""Seconds by which an answer may come after its time."""

CROWDED = 3
"""With a clock, every so many days are crowded ones, of which many are hard to refuse and hard to plan."""

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
        late: Seconds by which the answer came after its time, below 0 before; null without a clock.
        busy: CPU seconds of the answer with a clock, which a busy machine takes longer for.
    """

    seed: int
    students: int
    outcome: str
    detail: str = ""
    undecided: bool = False
    late: float | None = None
    busy: float = 0.0


def benchmark_stress_test(instances: int, seconds: float | None = None, json_path: Path | None = None) -> int:
    """Prints the counts over so many days; the exit code is 1 if an answer was wrong, or came late.

    Args:
        instances: How many days.
        seconds: Time to answer each in; null: none, and equal seeds give equal answers.
        json_path: Where to write the figures.

    Raises:
        InputError: Fewer than one day, or no time at all.
    """
    if instances < 1:
        raise InputError(f"--instances {instances} must be above 0")
    if seconds is not None and seconds <= 0:
        raise InputError(f"--seconds {seconds:g} must be above 0")
    warm_up()
    seeds = range(FIRST_SEED, FIRST_SEED + instances)
    budget = BUDGET if seconds is None else Budget(seconds=seconds)
    verdicts = [
        verify_day(seed, draw_crowded_day(seed) if seconds and seed % CROWDED == 0 else draw_instance(seed), budget)
        for seed in track(seeds, "synthetic days", total=instances)
    ]
    counts = {outcome: sum(verdict.outcome == outcome for verdict in verdicts) for outcome in OUTCOMES}
    table = make_table(f"{instances} days of any kind", ["outcome"], ["days", "most students"])
    for outcome, meaning in OUTCOMES.items():
        most = max((verdict.students for verdict in verdicts if verdict.outcome == outcome), default=0)
        table.add_row(meaning, str(counts[outcome]), str(most) if counts[outcome] else "-")
    OUT.print(table)
    late = sorted((verdict.late, verdict.seed) for verdict in verdicts if verdict.late is not None)
    late_s = None
    if late:
        late_s = {
            "median": late[len(late) // 2][0],
            "most": late[-1][0],
            "most_cpu_s": max(verdict.busy for verdict in verdicts),
        }
        OUT.print(
            f"answers came {late_s['most']:+.2f} s after {seconds:g} s at most (seed {late[-1][1]}), "
            f"{late_s['median']:+.2f} s at the median; none took more than {late_s['most_cpu_s']:.2f} s of CPU"
        )
    shown = [verdict for verdict in verdicts if verdict.outcome in WRONG | {"missed"} or _is_late(verdict)]
    for verdict in shown:
        came = "" if verdict.late is None else f", {verdict.late:+.2f} s"
        sentence = f"seed {verdict.seed}: {OUTCOMES[verdict.outcome]}{came}: {verdict.detail}"
        OUT.print(sentence, markup=False, highlight=False)
    refusals = Counter(verdict.detail for verdict in verdicts if verdict.outcome in {"refused", "unproven"})
    figures = {
        "instances": instances,
        "first_seed": FIRST_SEED,
        "outcomes": counts,
        "seconds": seconds,
        "late_s": late_s,
        "late": sum(map(_is_late, verdicts)),
        "undecided": sum(verdict.undecided for verdict in verdicts),
        "refused_by": dict(refusals.most_common()),
        "not_planned_or_refused": [asdict(verdict) for verdict in shown],
    }
    write_json(json_path, figures)
    return 1 if any(verdict.outcome in WRONG or _is_late(verdict) for verdict in verdicts) else 0


def _is_late(verdict: Verdict) -> bool:
    return verdict.late is not None and verdict.late > LATE_S


def verify_day(seed: int, problem: Problem, budget: Budget = BUDGET) -> Verdict:
    """Plans a day and verifies the result."""
    gc.collect()  # else a day pays for what those before it left
    size, began, late = len(problem.students), time.perf_counter(), None
    cpu = time.process_time()
    try:
        plan = suggest_groups(problem, budget)
        if budget.seconds is not None:
            late = time.perf_counter() - began - budget.seconds
    except InfeasibleError as error:
        if budget.seconds is not None:
            explain_conflict(problem, error.conflicts, until=budget.until(began))
            late = time.perf_counter() - began - budget.seconds
        busy = time.process_time() - cpu
        return replace(_verify_refusal(problem, error, seed), late=late, busy=busy)
    except BrokenPlanError as error:
        return Verdict(seed, size, "broken", ", ".join(error.rules))
    except Exception as error:  # noqa: BLE001 - whatever escapes is what we count
        place = traceback.extract_tb(error.__traceback__)[-1]
        return Verdict(seed, size, "failed", f"{type(error).__name__}: {error} ({Path(place.filename).name})")
    busy = time.process_time() - cpu
    return Verdict(seed, size, *verify_plan(problem, plan), late=late, busy=busy)


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
