"""Builds a plan that keeps every hard rule where the compiled search cannot start from an empty one.

Where drawing it session by session leaves a block that does not stand, exact programs take over.
"""

from serving.grouping.search.loosening import loosen_block
from serving.grouping.search.rescue import rescue_block, rescue_day
from serving.grouping.search.sketch import carry_block, seat_pins, seat_pins_beside
from serving.grouping.state.arrays import Index
from serving.grouping.state.draft import Draft


def draft_plan(index: Index, start: Draft | None = None) -> Draft:
    """Returns a plan in the making in which every block stands, with few sessions more than that takes.

    Args:
        index: the problem.
        start: sessions to keep, but for those of blocks that stand against a pinned place; None: none.

    Raises:
        InfeasibleError: there is none, or none was found; its conflicts say which.
    """
    draft = None if start is None else seat_pins_beside(start)
    if draft is None:
        draft = seat_pins(index)
    if draft is None:
        return rescue_day(index, "pinned")
    for block in range(len(index.problem.blocks)):
        if start is not None:
            draft = loosen_block(draft, block)
        obstacle = carry_block(draft, block)
        if obstacle is not None:
            rescued = rescue_block(draft, block)
            if rescued is None:
                return rescue_day(index, obstacle)
            draft = rescued
    return draft
