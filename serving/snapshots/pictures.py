"""What is known of some students, read from their states: a snapshot of them alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from features.history import NO_TIME
from features.overlay import Overlay
from features.profiles import read_skill_rows, read_student_rows
from serving.snapshots.reckoned import Reckoned
from serving.snapshots.snapshot import Snapshot
from serving.snapshots.student_facts import StudentFacts


def draw_picture(
    snapshot: Snapshot, overlay: Overlay, students: Sequence[str], moment: datetime | None, through: int | None
) -> Snapshot:
    """The snapshot with the profiles of the students alone, as their states stand at a moment.

    Args:
        snapshot: Whose models it keeps.
        overlay: With the states.
        students: Ids; those without a state have no profile.
        moment: UTC; None for a log without a clock.
        through: Number of the last live event that the states hold.
    """
    statistics = overlay.statistics
    state = overlay.state_of(sorted(set(students)))
    rows = read_skill_rows(state, statistics, moment)
    names = statistics.catalog.nodes.to_numpy(dtype=object)[rows.node]
    order = np.lexsort((names.astype(str), rows.student))
    found, start = np.unique(rows.student[order], return_index=True)
    practised = rows.last_practised[order]
    known = ~np.isnan(practised)
    facts = read_student_rows(state, statistics, moment)
    return replace(
        snapshot,
        live_through=through,
        data_as_of=moment,
        students=state.students.to_numpy(dtype=str)[found],
        start=np.append(start, len(order)).astype(np.int64),
        skills=names[order],
        last_practised=np.where(known, np.where(known, practised, 0).astype(np.int64), NO_TIME),
        rows=rows.columns[order],
        student_facts=StudentFacts.from_rows(facts.index, facts),
        reckoned=Reckoned(),
    )
