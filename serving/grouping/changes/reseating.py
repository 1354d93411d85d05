"""The nearest seats within the led sessions of an edited plan, exactly: who moves so that the sessions may stay."""

from collections.abc import Sequence
from dataclasses import replace

from serving.grouping.assignment import assign_students
from serving.grouping.changes.starting import given_groups, start_draft
from serving.grouping.draft import Draft
from serving.grouping.index import Index
from serving.grouping.plan import Session
from serving.grouping.policy import Modality


def reseat_students(index: Index, edited: Sequence[Session]) -> Draft | None:
    """Returns the edited plan's led sessions with seats that keep every rule.

    Sessions that their lead may not or cannot hold go; the others stay in block, kind, skill and lead. Rooms and
    monitors are found anew.

    Args:
        index: a problem with the edited seats as `previous`, and a price for each that differs.
        edited: sessions whose ids are known.

    Returns:
        None where the sessions cannot all be held, or are too many for the exact program.
    """
    led = [session for session in edited if session.led]
    kept: dict[tuple[int, int], Session] = {}
    for session, (slot, _) in zip(led, given_groups(index, edited), strict=True):
        able = index.adult_in[slot.adult, slot.block] and index.qualified[slot.adult, slot.skill] > 0
        if able and index.sizes[slot.adult][slot.modality]:
            kept.setdefault((slot.block, slot.adult), replace(session, room=None))
    seated = assign_students(index, (*kept.values(), *_stations(index, set(kept))))
    if seated is None:
        return None
    draft = start_draft(index, given_groups(index, seated[0]))
    blocks = range(len(index.problem.blocks))
    return draft if all(draft.obstacle(block) is None for block in blocks) else None


def _stations(index: Index, leading: set[tuple[int, int]]) -> list[Session]:
    """One station for each block, watched by everybody who may and does not lead."""
    stations = []
    for at, block in enumerate(index.problem.blocks):
        watching = tuple(
            adult.id
            for who, adult in enumerate(index.problem.adults)
            if index.adult_in[who, at] and index.may_monitor[who] and (at, who) not in leading
        )
        if watching and index.present[:, at].any():
            stations.append(Session(f"{block.id}-online", block.id, Modality.ONLINE, None, watching, None, ()))
    return stations
