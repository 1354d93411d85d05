"""Builds a plan that keeps every hard rule where the compiled search cannot start from an empty one.

Where drawing it session by session leaves a block that does not stand, exact programs take over.
"""

from serving.grouping.draft import Draft
from serving.grouping.index import Index
from serving.grouping.rescue import rescue_block, rescue_day
from serving.grouping.sketch import carry_block, seat_pins


def draft_plan(index: Index) -> Draft:
    """Returns a plan in the making in which every block stands, with few sessions more than that takes.

    Raises:
        InfeasibleError: there is none, or none was found; its conflicts say which.
    """
    draft = seat_pins(index)
    if draft is None:
        return rescue_day(index, "pinned")
    for block in range(len(index.problem.blocks)):
        obstacle = carry_block(draft, block)
        if obstacle is not None:
            rescued = rescue_block(draft, block)
            if rescued is None:
                return rescue_day(index, obstacle)
            draft = rescued
    return draft
