"""The decision on a day as it was changed: the same that the API keeps."""

from collections.abc import Callable

from features.database import Database
from serving.access.caller import Caller
from serving.audit.entries import AuditEntry
from serving.plans.edits.edited_day import EditedDay, changed_meanwhile, to_bodies
from serving.plans.stored_plan import decide_plan
from serving.schemas.decisions import DecisionRequest
from serving.schemas.edits import Edit
from serving.store.recommendations import keep_edit


def decide_edit(
    database: Database,
    caller: Caller,
    edited: EditedDay,
    version: int,
    *,
    accept: bool,
    text: str | None,
    note: Callable[[str], AuditEntry],
) -> None:
    """Accepts the day as it is now, with its changes, or rejects the suggestion; the decision of `decide_plan`.

    Args:
        database: The service's database.
        caller: Who decides.
        edited: The day.
        version: The version that the page showed which was decided on.
        accept: Whether the day is accepted.
        text: A note in the team's own words.
        note: Gives, for the team of the plan, the audit entry that is stored with the decision.

    Raises:
        ConflictError: Somebody changed the plan since, or decided on it.
    """
    plan_id = edited.day.answer.id
    with database.changing() as connection:  # from here on nobody's step on an older page is taken
        if edited.decision is not None or not keep_edit(connection, plan_id, version, Edit(steps=list(edited.steps))):
            raise changed_meanwhile()
    body = DecisionRequest(decision="accepted" if accept else "rejected", note=text)
    if accept and edited.is_changed:
        body = DecisionRequest(decision="edited", sessions=to_bodies(edited), note=text)
    decide_plan(database, caller, plan_id, body, note)
