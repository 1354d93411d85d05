"""`python -m experiments benchmark replay`: what each policy would have proposed on past days, and what happened then.

Teams of a real log are planned day by day: what would have been proposed is the history of the next day, while the
students go on as they did, taught by whoever taught them. So no figure says what a seat would have changed; they say
whom a policy finds, how early, and whom it seats in vain. Later strugglers are students who, from some attempt on a
skill on, did not reach the mastery rule within the horizon of the labels; one counts as served who would have sat in an
adult-led group on that skill before the last of these attempts.

All that can be chosen was chosen on `EARLIER` days and other teams (`--earlier`), and is reported on later ones.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.table import Table

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.forecasts.data.datasets import STARTS, read_data_set
from experiments.benchmarks.long_work import keep_once, run_each
from experiments.benchmarks.planner.days.run import StatedDay
from experiments.benchmarks.replay.measure import (
    Reached,
    Seat,
    describe_seats,
    find_reached,
    in_small_groups,
    measure_served,
    weigh_draws,
)
from experiments.benchmarks.replay.mornings import Morning, know_mornings, list_school_days
from experiments.benchmarks.replay.policies import OURS, Choices, list_choices, list_policies
from experiments.benchmarks.replay.strugglers import find_strugglers, to_microseconds
from experiments.benchmarks.replay.teams import find_teams, staff_teams
from features.console import OUT, write_json
from features.errors import InputError
from features.roster import PastSession, SkillMap, Team
from serving.grouping import InfeasibleError, Session
from serving.plans.need.needs import list_candidates
from serving.plans.problem import DayRequest, state_day
from serving.plans.rules.policy import load_policy
from serving.settings import Settings
from training.config import load_config
from training.nightly.facts import hash_code

EARLIER, REPORTED = pd.Timestamp("2012-11-05", tz="UTC"), pd.Timestamp("2013-02-04", tz="UTC")
"""First days to choose by, and first days to report."""

SEED = 20
"""Of the teams that are reported; those to choose by have another."""

LARGE = 2
"""Times as many teams with `--large`."""

CODE = ("serving", "experiments")
"""Whose code has a say in what is kept, besides `features` and `training`."""


def benchmark_replay(
    data_set: str,
    *,
    teams: int,
    days: int,
    blocks: int,
    students: int,
    large: bool = False,
    earlier: bool = False,
    workers: int | None = None,
    keep: Path | None = None,
    data: Path | None = None,
    config: Path | None = None,
    json_path: Path | None = None,
) -> int:
    """Prints and writes all figures; the exit code is 1 unless ours serves surely more than the best other policy.

    Args:
        data_set: Name of the log.
        teams: How many teams are planned.
        days: School days.
        blocks: Blocks of a day in which adults lead groups.
        students: How many the models learn from, at most.
        large: Whether to take twice as many teams.
        earlier: Whether to replay the days to choose by, with all that can be chosen, instead of those to report.
        workers: Processes that plan teams at once; 1 = this one; null = as many as there are cores.
        keep: Where what is known of the mornings and the seats of each team are kept, for a run of the same options
            and code to go on from; null = nowhere.
        data: Holds the logs; null = `REGROUP_DATA`.
        config: TOML whose values replace the training defaults.
        json_path: Where the figures are written too.

    Raises:
        InputError: The log has no clock, too few students practiced for so many teams, nobody came to struggle, or a
            number is too small or too large.
    """
    if min(teams, days, blocks, students, 1 if workers is None else workers) < 1:
        raise InputError("--teams, --days, --blocks, --students and --workers must be at least 1")
    if data_set not in STARTS:
        raise InputError(f"{data_set} has no clock, so that it has no days; replay {', '.join(STARTS)}")
    OUT.print(f"reading {data_set}", style="dim")
    log = read_data_set(data_set, data)
    events = log.events.assign(occurred_at=log.events["occurred_at"] + (STARTS[data_set] - pd.Timestamp(0, tz="UTC")))
    settings = load_config(config)
    first, seed = (EARLIER, SEED + 1) if earlier else (REPORTED, SEED)
    school_days = list_school_days(events, first, days)
    if len(school_days) < days:
        raise InputError(
            f"--days {days} is more than the {len(school_days)} school days of {data_set} from {first:%Y-%m-%d} on"
        )
    members = find_teams(events, first, teams * (LARGE if large else 1), seed)
    staffed = staff_teams(members, blocks)
    if len(staffed[0].blocks) < blocks:
        raise InputError(f"--blocks {blocks} is more than the {len(staffed[0].blocks)} blocks of the simulated school")
    theirs = events[events["student_id"].isin({student for team in members for student in team})]
    theirs = theirs.reset_index(drop=True)
    moments = _list_moments(staffed[0], school_days)
    end = _moment_of(school_days[-1] + pd.Timedelta(days=1), time())
    strugglers, practice = find_strugglers(theirs, log.item_skills, settings.mastery_rule, moments[0], end)
    if not strugglers:
        raise InputError(
            "nobody came to struggle on these days, so that no policy could find them; take more teams or days"
        )
    OUT.print("training on the days before", style="dim")
    chosen = settings.model_dump_json(), repr(load_policy()), hash_code(CODE)
    asked = data_set, len(events), str(first), len(staffed), days, blocks, students, *chosen
    name = hashlib.sha256(repr(asked).encode()).hexdigest()[:16]
    mornings = keep_once(
        keep,
        f"{name}-mornings",
        lambda: know_mornings(events, log.item_skills, staffed, school_days, students, settings),
    )
    choices = list_choices() if earlier else {"": Choices()}
    work = [
        (keep, f"{name}-{team.team_id}", team, known, choices) for team, known in zip(staffed, mornings, strict=True)
    ]
    seats: dict[str, list[Seat]] = {}
    for planned in run_each(_plan_kept, work, workers, "teams"):
        for policy, found in planned.items():
            seats.setdefault(policy, []).extend(found)
    limits = [struggler.limit for struggler in strugglers]
    of_day = np.searchsorted(to_microseconds(pd.Series(school_days)), limits, "right") - 1
    weights = weigh_draws(strugglers, of_day, seed)
    reached = {policy: find_reached(found, strugglers, practice) for policy, found in seats.items()}
    served, ratio = measure_served(reached, weights)
    in_small, small_ratio = measure_served(
        {policy: find_reached(in_small_groups(found), strugglers, practice) for policy, found in seats.items()}, weights
    )
    rows = [
        {
            "policy": policy,
            **served[policy],
            "lead_time": _mean_lead(reached[policy]),
            **describe_seats(found, practice, sum(map(len, members)), len(school_days)),
            "small_group_served": in_small[policy]["strugglers_served"],
        }
        for policy, found in seats.items()
    ]
    knowable = [any(s.begun < moment < s.limit for moment in moments) for s in strugglers]
    figures = {
        "days": [str(day.date()) for day in school_days],
        "teams": len(staffed),
        "students": sum(map(len, members)),
        "blocks": blocks,
        "strugglers": len(strugglers),
        "strugglers_seen_in_time": float(np.mean(knowable)),
        "policies": rows,
        **ratio,
        "small_group_ratio": small_ratio["ratio"],
    }
    _show(figures)
    write_json(json_path, figures)
    return 0 if figures["ratio"]["low"] > 1 else 1


def _plan_kept(
    keep: Path | None, name: str, team: Team, mornings: Sequence[Morning], choices: dict[str, Choices]
) -> dict[str, list[Seat]]:
    return keep_once(keep, name, lambda: plan_team(team, mornings, choices))


def plan_team(team: Team, mornings: Sequence[Morning], choices: dict[str, Choices]) -> dict[str, list[Seat]]:
    """Returns the seats that each policy would have proposed for a team, day after day.

    Args:
        team: The team.
        mornings: What is known on each day.
        choices: What the rules are tried with, by a name that follows theirs; ours is planned once.
    """
    seats: dict[str, list[Seat]] = {}
    for label, chosen in choices.items():
        for name, plan in list_policies(chosen).items():
            policy = name if name == OURS else f"{name} {label}".strip()
            if policy in seats:
                continue
            seats[policy], past = [], team
            for number, morning in enumerate(mornings):
                stated = state_morning(past, morning, number)
                try:
                    sessions = [session for session in plan(stated, morning) if session.led]
                except InfeasibleError:
                    sessions = []
                seats[policy] += _read_seats(team, morning, number, sessions)
                past = _remember(past, morning, sessions)
    return seats


def state_morning(team: Team, morning: Morning, number: int) -> StatedDay:
    """Returns a past day as the service would have stated it.

    Args:
        team: With what would have been proposed until then as its history.
        morning: What is known.
        number: School days since the first, from 0.
    """
    policy, skills = load_policy(), SkillMap({}, {})
    day, moment = morning.moment.date(), morning.moment.to_pydatetime()
    most = Settings.model_fields["max_candidates"].default
    candidates = list_candidates(team, skills, morning.forecasts, policy.need, most, moment)
    problem = state_day(team, skills, DayRequest(day), candidates, policy).problem
    return StatedDay(number, day, team, morning.forecasts, candidates, problem, ())


def _read_seats(team: Team, morning: Morning, number: int, sessions: Sequence[Session]) -> list[Seat]:
    start = {block.block_id: block.start for block in team.blocks}
    return [
        Seat(
            team.team_id,
            number,
            _moment_of(morning.moment, start[session.block]),
            session.id,
            session.session_type,
            session.adults[0],
            student,
            session.skill or "",
        )
        for session in sessions
        for student in session.students
    ]


def _remember(team: Team, morning: Morning, sessions: Sequence[Session]) -> Team:
    held = tuple(
        PastSession(
            morning.moment.date(), team.team_id, session.block, session.adults[0], session.skill, session.students
        )
        for session in sessions
    )
    return replace(team, past_sessions=(*team.past_sessions, *held))


def _list_moments(team: Team, days: Sequence[pd.Timestamp]) -> list[int]:
    """Returns when the blocks of all days begin, in microseconds since 1970."""
    starts = sorted({block.start for block in team.blocks})
    return [_moment_of(day, start) for day in days for start in starts]


def _moment_of(day: pd.Timestamp, start: time) -> int:
    return int((day + pd.Timedelta(hours=start.hour, minutes=start.minute)).timestamp() * 1_000_000)


def _mean_lead(reached: Reached) -> float:
    return float(np.nanmean(reached.lead)) if reached.served.any() else 0.0


def _show(figures: dict[str, Any]) -> None:
    print_tables(_show_served(figures), _show_seats(figures))
    lines = [
        f"ours over {ratio['over']}{what}: {ratio['value']:.3f} ({ratio['low']:.3f} to {ratio['high']:.3f})"
        for ratio, what in (
            (figures["ratio"], ", the best plain policy"),
            (figures["ratio_with_memory"], ", the best with a memory of whom it seated"),
        )
    ]
    OUT.print(
        f"later strugglers: {figures['strugglers']}, of whom {figures['strugglers_seen_in_time']:.0%} had begun to "
        f"struggle before a block that came in time; {figures['teams']} teams, {len(figures['days'])} school days\n"
        + "\n".join(lines)
        + "\nThis is what would have been proposed. It shows whom a policy finds and when, not what a seat would have "
        "changed.",
        markup=False,
        highlight=False,
    )


def _show_served(figures: dict[str, Any]) -> Table:
    table = make_table(
        "later strugglers who would have sat in a group on the skill before the limit",
        ["policy"],
        ["served (95 % over students and days)", "in small groups", "attempts before the limit", "ours over it"],
    )
    for row in figures["policies"]:
        ratio = figures["ratios"].get(row["policy"])
        table.add_row(
            row["policy"],
            f"{row['strugglers_served']:.3f} ({row['low']:.3f} to {row['high']:.3f})",
            f"{row['small_group_served']:.3f}",
            f"{row['lead_time']:.1f}",
            "" if ratio is None else f"{ratio['value']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})",
        )
    return table


def _show_seats(figures: dict[str, Any]) -> Table:
    names = (
        "purity", "coverage", "churn", "repeat_groupmates", "continuity", "seats_a_day", "groups_a_day", "group_size",
    )  # fmt: skip
    table = make_table("what would have been proposed", ["policy"], names)
    for row in figures["policies"]:
        table.add_row(row["policy"], *("-" if row[name] is None else f"{row[name]:.2f}" for name in names))
    return table
