"""What the planning commands print: sentences and tables, for people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from features.console import OUT
from serving.grouping import Move, Plan, Violation

if TYPE_CHECKING:
    from serving.grouping import Diagnosis  # --help must not wait for compiled code


def show_plan(plan: Plan) -> None:
    """Prints one sentence for each session, and the score."""
    for reason in plan.session_reasons:
        say(reason.sentence)
    say(f"score {plan.score.total:.3f}, bound {plan.bound:.3f}")


def show_diagnosis(diagnosis: "Diagnosis") -> None:
    """Prints which rules conflict and what to give up, line by line."""
    parts = [("conflict", [conflict.sentence for conflict in diagnosis.conflicts])]
    smallest = "cannot hold together" if diagnosis.minimal else "cannot hold together (perhaps not all needed for that)"
    parts.append((smallest, [step.requirement for step in diagnosis.minimal_set]))
    parts.append(
        ("would be enough", [f"{choice.sentence} (price {choice.penalty:.1f})" for choice in diagnosis.relaxations])
    )
    parts.append(("note", list(diagnosis.notes)))
    for name, sentences in parts:
        for sentence in sentences:
            say(f"{name}: {sentence}")


def show_rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table, or nothing where there are no rows."""
    if not rows:
        return
    table = Table(*head)
    for row in rows:
        table.add_row(*row)
    OUT.print(table, markup=False, highlight=False, soft_wrap=False)


def move_cells(move: Move) -> tuple[str, str, str, str]:
    """Returns student, block, and the seats before and after."""
    before, after = (
        "nowhere" if seat is None else " ".join(part for part in (seat.session_type, seat.skill, seat.adult) if part)
        for seat in (move.before, move.after)
    )
    return move.student, move.block, before, after


def describe_rules(fixes: Sequence[Violation], breaks: Sequence[Violation]) -> str:
    """Returns which hard rules one change of an edit breaks or keeps, to follow its price; empty for none."""
    text = "".join(f"; breaks {rule}" for rule in sorted({violation.rule for violation in fixes}))
    return text + "".join(
        f"; undone alone it breaks {rule}" for rule in sorted({violation.rule for violation in breaks})
    )


def say(sentence: str) -> None:
    """Prints a line as it is."""
    OUT.print(sentence, markup=False, highlight=False)
