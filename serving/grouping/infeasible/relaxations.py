"""Finds what to give up so that a day without a plan gets one: the least of each rule at issue, the cheapest first."""

from collections.abc import Sequence
from dataclasses import dataclass

from serving.grouping.infeasible.concessions import PRICES, Scale, Step, list_scales, list_steps
from serving.grouping.infeasible.elastic import buy_steps
from serving.grouping.infeasible.minimal_set import Oracle, Verdict, excerpt
from serving.grouping.infeasible.relaxed_problem import give_up
from serving.grouping.problem.policy import SessionType
from serving.grouping.problem.problem import Problem

STRANGERS = 3
"""Adults of other teams, at most, who are asked for in a block."""

HELPED = frozenset({"monitors", "adult_available", "permission", "supervision", "certified"})
"""Rules beside which another adult helps."""

MANY = 6
"""Pins beyond which the fewest to drop are looked for one by one, since equal ones make the exact program slow."""

STRANGER_PRICE = 2 * PRICES["adult_available"]


@dataclass(frozen=True, slots=True)
class Relaxation:
    """Steps after which a day has a plan; that it has one is proven, by a plan that the checker accepts.

    Attributes:
        steps: what is given up.
        price: of all of it, in dropped pins.
        sentence: the steps as an instruction, without students.
        problem: the day without those rules.
    """

    steps: tuple[Step, ...]
    price: float
    sentence: str
    problem: Problem

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules given up, each once."""
        return tuple(dict.fromkeys(step.rule for step in self.steps))


def find_relaxations(
    problem: Problem, parts: Sequence[frozenset[str]], at_issue: frozenset[str] | None, oracle: Oracle
) -> tuple[Relaxation, ...]:
    """Returns one relaxation for each rule that alone would do, or one of several rules; the cheapest first.

    Args:
        problem: a day without a plan.
        parts: blocks by id, in sets that have no plan even on their own.
        at_issue: rules of a minimal set in conflict, one of which any answer has to give up; None: all there are.
        oracle: answers whether days have plans.
    """
    search = _Search(problem, parts, oracle)
    singles = [s for s in list_steps(problem) if at_issue is None or s.rule in at_issue]
    found = [search.buy([step for step in singles if step.rule == rule]) for rule in PRICES]
    found += [search.scale(s) for s in list_scales(problem) if at_issue is None or s.rule in at_issue]
    if at_issue is None or at_issue & HELPED:
        found.append(search.buy(strangers(problem)))
    told = [each for each in found if each]
    if not told:
        told = [each for each in [search.mix()] if each]
    return tuple(sorted(told, key=lambda each: each.price))


def strangers(problem: Problem) -> list[Step]:
    """Returns the steps of bringing in adults who are not of the team."""
    offered = frozenset({bound.session_type for bound in problem.sizes} | {SessionType.ONLINE})
    taken = {adult.id for adult in problem.adults}
    names = [name for at in range(len(taken) + STRANGERS) if (name := f"another teacher {at + 1}") not in taken]
    return [
        Step(
            rule="adult_available",
            subject=(name, block.id, offered),
            price=STRANGER_PRICE,
            asks=f"nobody but the team is there in {block.label}",
            gives=f"bring in another teacher in {block.label}",
        )
        for block in problem.blocks
        for name in names[:STRANGERS]
    ]


class _Search:
    """Asks for relaxations of one kind after the other."""

    def __init__(self, problem: Problem, parts: Sequence[frozenset[str]], oracle: Oracle) -> None:
        self.problem, self.parts, self.oracle = problem, parts, oracle

    def buy(self, steps: Sequence[Step], given: Sequence[Step] = ()) -> Relaxation | None:
        """Buys steps part by part; what was bought for one is free in the next."""
        bought = list(given)
        if not steps and not given:
            return None
        for part in self.parts:
            rest = [step for step in steps if step not in bought]
            if self.oracle.left <= 0:
                return None
            here, mine = excerpt(give_up(self.problem, bought), part), _within(rest, part)
            if len(mine) > MANY and all(step.rule == "pinned" for step in mine):
                more = _drop_one_by_one(here, mine)
            else:
                more = buy_steps(here, mine, self.oracle.nodes)
                self.oracle.charge(answered=more is not None)
            if more is None:
                return None
            bought += more
        return self.prove(bought)

    def scale(self, scale: Scale) -> Relaxation | None:
        """Gives way by the least amount that is enough for every part."""
        least = 0
        for part in self.parts:
            lacking, enough = least - 1, scale.most
            if not self._is_feasible(part, [scale.whole]):
                return None
            while enough - lacking > 1:
                amount = (lacking + enough) // 2
                is_enough = self._is_feasible(part, [scale.at(amount)] if amount else [])
                lacking, enough = (lacking, amount) if is_enough else (amount, enough)
            least = enough
        return self.prove([scale.at(least)]) if least else None

    def mix(self) -> Relaxation | None:
        """Gives up rules of several kinds: single steps alone, or with everything that gives way by an amount."""
        scales = list_scales(self.problem)
        steps = [*list_steps(self.problem), *strangers(self.problem)]
        found = self.buy(steps) or self.buy(steps, [scale.whole for scale in scales])
        if found is None:
            return None
        kept = list(found.steps)
        for scale in scales:
            if scale.whole not in kept:
                continue
            others = [step for step in kept if step != scale.whole]
            if self.prove(others) is not None:
                kept = others
                continue
            lacking, enough = 0, scale.most
            while enough - lacking > 1:
                amount = (lacking + enough) // 2
                is_enough = self.prove([*others, scale.at(amount)]) is not None
                lacking, enough = (lacking, amount) if is_enough else (amount, enough)
            kept = [*others, scale.at(enough)]
        return self.prove(kept)

    def prove(self, steps: Sequence[Step]) -> Relaxation | None:
        """Returns the relaxation if a plan of the whole day keeps all other rules."""
        given = give_up(self.problem, steps)
        if self.oracle.judge(given) is not Verdict.FEASIBLE:
            return None
        return Relaxation(tuple(steps), round(sum(step.price for step in steps), 3), _tell(steps), given)

    def _is_feasible(self, part: frozenset[str], steps: Sequence[Step]) -> bool:
        return self.oracle.judge(excerpt(give_up(self.problem, steps), part)) is Verdict.FEASIBLE


def _drop_one_by_one(problem: Problem, pins: Sequence[Step]) -> tuple[Step, ...] | None:
    """Returns pins to drop of which each is needed: one after the other is kept where a sketched plan keeps it too."""
    quick = Oracle(questions=0)
    if quick.judge(give_up(problem, pins)) is not Verdict.FEASIBLE:
        return None
    dropped = list(pins)
    for pin in pins:
        others = [each for each in dropped if each is not pin]
        if quick.judge(give_up(problem, others)) is Verdict.FEASIBLE:
            dropped = others
    return tuple(dropped)


def _within(steps: Sequence[Step], part: frozenset[str]) -> list[Step]:
    """The steps that concern a part: pins and absences of other blocks do not."""
    kept = []
    for step in steps:
        elsewhere = step.rule == "pinned" and step.subject[0].block not in part
        if not elsewhere and not (step.rule == "adult_available" and step.subject[1] not in part):
            kept.append(step)
    return kept


def _tell(steps: Sequence[Step]) -> str:
    """The steps as one sentence; those in equal words are counted."""
    counts: dict[str, int] = {}
    for step in steps:
        counts[step.gives] = counts.get(step.gives, 0) + 1
    parts = [gives if times == 1 else f"{gives} ({times} times)" for gives, times in counts.items()]
    told = "; ".join(parts)
    return f"{told[:1].upper()}{told[1:]}."
