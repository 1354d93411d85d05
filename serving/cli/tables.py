"""What the planning commands print: sentences and tables, for people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from features.console import OUT
from serving.grouping.changes.difference import Move
from serving.grouping.problem.plan import Plan
from serving.grouping.rules.check import Violation

if TYPE_CHECKING:
    from serving.grouping.infeasible.diagnosis import Diagnosis  # --help must not wait for compiled code


def show_plan(plan: Plan) -> None:
    """One sentence for each session, and the score."""
    for reason in plan.session_reasons:
        say(reason.sentence)
    say(f"score {plan.score.total:.3f}, bound {plan.bound:.3f}")


def show_diagnosis(told: "Diagnosis") -> None:
    """What conflicts, and what to give up, line by line."""
    parts = [("conflict", [each.sentence for each in told.conflicts])]
    smallest = "cannot hold together" if told.minimal else "cannot hold together (perhaps not all needed for that)"
    parts.append((smallest, [each.asks for each in told.minimal_set]))
    parts.append(("would be enough", [f"{each.sentence} (price {each.price:.1f})" for each in told.relaxations]))
    parts.append(("note", list(told.notes)))
    for name, sentences in parts:
        for sentence in sentences:
            say(f"{name}: {sentence}")


def show_rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for people; nothing where there are no rows."""
    if not rows:
        return
    table = Table(*head)
    for row in rows:
        table.add_row(*row)
    OUT.print(table, markup=False, highlight=False, soft_wrap=False)


def move_cells(move: Move) -> tuple[str, str, str, str]:
    """Student, block, and the seats before and after."""
    before, after = (
        "nowhere" if seat is None else " ".join(part for part in (seat.modality, seat.skill, seat.adult) if part)
        for seat in (move.before, move.after)
    )
    return move.student, move.block, before, after


def tell_rules(mends: Sequence[Violation], breaks: Sequence[Violation]) -> str:
    """What one change of an edit has to do with hard rules, to follow its price; empty for nothing."""
    told = "".join(f"; breaks {rule}" for rule in sorted({each.rule for each in mends}))
    return told + "".join(f"; undone alone it breaks {rule}" for rule in sorted({each.rule for each in breaks}))


def say(sentence: str) -> None:
    """A line as it is."""
    OUT.print(sentence, markup=False, highlight=False)
