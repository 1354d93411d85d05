"""Teams of a log that names no classes: students who practiced the same skills on the same days until then.

Classes of one teacher get the same problem sets, so that their students are the most alike. Only days before the
first one that is planned are read. Staff, rooms and blocks are those of the simulated school.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from experiments.simulation.people import TEAM_SIZE, write_log_roster
from features.errors import InputError
from features.roster import Team, read_roster_files, read_team, save_roster

BACK_DAYS = 28
"""Days before the first one by which students are alike."""

LEAST_DAYS = 4
"""Days on which a student practiced among those."""


def find_teams(events: pd.DataFrame, first: pd.Timestamp, count: int, seed: int) -> list[tuple[str, ...]]:
    """Returns the members of so many teams, each a student drawn at random and those most like that student.

    Alike is the cosine of what was practiced when, a day and a skill at a time; what few practiced counts more.

    Args:
        events: Rows of `Events`.
        first: The first day that is planned.
        count: How many teams.
        seed: Random seed.

    Raises:
        InputError: Too few students practiced enough for so many teams.
    """
    lately = events[(events["occurred_at"] < first) & (events["occurred_at"] >= first - pd.Timedelta(days=BACK_DAYS))]
    practiced = pd.DataFrame(
        {"student": lately["student_id"], "day": lately["occurred_at"].dt.floor("D"), "skill": lately["skills"]}
    ).drop_duplicates()
    days = practiced.groupby("student")["day"].nunique()
    ids = days.index[days >= LEAST_DAYS].sort_values()
    if len(ids) < count * TEAM_SIZE:
        raise InputError(
            f"{count} teams of {TEAM_SIZE} were asked for, and {len(ids)} students practiced on {LEAST_DAYS} days or "
            f"more of the {BACK_DAYS} before {first.date()}; ask for {len(ids) // TEAM_SIZE} teams at most"
        )
    practiced = practiced[practiced["student"].isin(ids)]
    row = ids.get_indexer(pd.Index(practiced["student"]))
    column = practiced.groupby(["day", "skill"]).ngroup().to_numpy()
    alike = sparse.csr_matrix((np.ones(len(row)), (row, column)), shape=(len(ids), column.max() + 1))
    alike = alike @ sparse.diags_array(np.log(len(ids) / np.bincount(column)))
    norms = np.sqrt(np.asarray(alike.multiply(alike).sum(axis=1)).ravel())
    alike = sparse.csr_matrix(sparse.diags_array(1.0 / np.maximum(norms, 1e-12)) @ alike)
    free = np.ones(len(ids), bool)
    teams: list[tuple[str, ...]] = []
    for student in np.random.default_rng(seed).permutation(len(ids)).tolist():
        if len(teams) == count:
            break
        if free[student]:
            likeness = np.where(free, (alike @ alike[[student]].T).toarray().ravel(), -1.0)
            members = np.argsort(-likeness, kind="stable")[:TEAM_SIZE]
            free[members] = False
            teams.append(tuple(sorted(ids[members])))
    return teams


def staff_teams(teams: list[tuple[str, ...]], blocks: int) -> list[Team]:
    """Returns the teams with adults, rooms and blocks, as a roster in the product's store has them.

    Args:
        teams: The members of each.
        blocks: Blocks of a day, the first ones of the simulated school.
    """
    with tempfile.TemporaryDirectory(prefix="regroup-") as place:
        folder, url = Path(place) / "roster", f"sqlite:///{place}/regroup.db"
        write_log_roster([student for members in teams for student in members], folder)
        save_roster(read_roster_files(folder), url)
        found = [read_team(url, f"team-{number + 1}") for number in range(len(teams))]
    return [
        replace(team, blocks=tuple(block for block in team.blocks if int(block.block_id.split("-")[-1]) <= blocks))
        for team in found
    ]
