"""Simulates a school: the log, what items need, the roster, and the truth that the log hides."""

from dataclasses import asdict, dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from experiments.simulation.config import SchoolConfig
from experiments.simulation.curriculum import NONE, Curriculum, make_curriculum
from experiments.simulation.engagement import Days, Habits, Ints, count_responses
from experiments.simulation.kernel import PLAN, Log, Truth, simulate_responses
from experiments.simulation.knowledge import Bank, Floats, Minds
from experiments.simulation.people import make_roster, team_sizes

OWNERS_PER_TEAM = 1_000
"""Stream numbers kept for one team, so that a larger team changes no other."""

TAUGHT = 0.9
"""Share of the skills that the units reach by the end, so that something comes next."""

STAGGER = 0.5
"""Share of the taught skills over which teams are spread: some are grades ahead, so that a skill comes back."""

TRAITS = ("ability", "learning_rate", "attendance", "pace", "gaming_share", "speed")
"""Columns of `Truth.traits`."""

WEEKEND = 5
"""Saturday, counted from Monday = 0."""


@dataclass(frozen=True)
class School:
    """A simulated school.

    Attributes:
        config: What it was made from.
        events: One row per response, by student and time: student_id, item_id, occurred_at (UTC), correct (0 or 1),
            skills (ids separated by semicolons), hints, duration_s (seconds), attempt (always 1: a first attempt).
        item_skills: One row per item and skill it needs.
        roster: Tables by the name of their roster file.
        truth: Tables by name: `mastery` (student x skill, 0-1 at the start and at the end: the chance to know an
            item of average difficulty), `students`, `items` and `skills` (difficulties in logits), `parameters`.
        minds: What each student knows at the end, so that further days can follow.
    """

    config: SchoolConfig
    events: pd.DataFrame
    item_skills: pd.DataFrame
    roster: dict[str, pd.DataFrame]
    truth: dict[str, pd.DataFrame]
    minds: Minds


def simulate_school(config: SchoolConfig) -> School:
    """Returns the school of a config, the same bit for bit on one machine.

    Example:
        >>> simulate_school(SchoolConfig(teams=1, weeks=1)).events.columns[0]
        'student_id'
    """
    curriculum = make_curriculum(config)
    days = _calendar(config)
    sizes = team_sizes(config)
    team = np.repeat(np.arange(config.teams), sizes)
    place = np.concatenate([np.arange(size) for size in sizes])
    student_ids = [f"s{t + 1:02d}-{p + 1:03d}" for t, p in zip(team, place, strict=True)]

    owners = team * OWNERS_PER_TEAM + place
    habits = make_habits(config)
    counts = count_responses(config.seed, owners, PLAN, days, habits)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    log = Log.empty(int(offsets[-1]))
    shape = (len(owners), config.skills)
    truth = Truth(np.zeros(shape), np.zeros(shape), np.zeros(shape, np.int64), np.zeros((len(owners), len(TRAITS))))
    minds = Minds.empty(len(owners), config.skills, len(curriculum.item_second))
    bank = make_bank(curriculum)
    ahead = teams_ahead(config)
    simulate_responses(
        config.seed, owners, days, habits, config.behavior, bank, ahead[team], offsets, log, truth, minds
    )

    return School(
        config=config,
        events=event_table(log, np.repeat(np.arange(len(owners)), counts), student_ids, curriculum),
        item_skills=_item_skills(curriculum),
        roster=make_roster(config, curriculum, student_ids, team, days.middle[-1] + ahead),
        truth=_truth_tables(config, curriculum, student_ids, team, truth),
        minds=minds,
    )


def compile_simulator() -> None:
    """Compiles the simulator, or reads it from numba's cache."""
    simulate_school(SchoolConfig(teams=1, students_per_team=4, weeks=1))


def _calendar(config: SchoolConfig) -> Days:
    every = [config.end - timedelta(days=back) for back in range(7 * config.weeks, 0, -1)]
    return Days(
        number=np.array(every, dtype="datetime64[D]").astype(np.int64),
        weekend=np.array([part.weekday() >= WEEKEND for part in every], dtype=np.int8),
        middle=unit_middle(config, np.arange(len(every))),
    )


def unit_middle(config: SchoolConfig, day: Ints) -> Floats:
    """Where a unit's middle is on days counted from the first of the log, in skills of the teaching order.

    Units go on in the same step after the log.
    """
    middle: Floats = (day + 0.5) / (7 * config.weeks) * config.skills * TAUGHT * (1 - STAGGER)
    return middle


def teams_ahead(config: SchoolConfig) -> Floats:
    """How far each team is ahead, in skills: the golden ratio spreads any number of teams and moves none of them."""
    place: Floats = np.modf(np.arange(config.teams, dtype=np.float64) * 0.618034)[0]
    return place * (config.skills * TAUGHT * STAGGER)


def make_habits(config: SchoolConfig) -> Habits:
    """Returns how much students work."""
    return Habits(
        attendance_logit=float(np.log(config.attendance / (1 - config.attendance))),
        attendance_sd=config.attendance_sd,
        session_median=config.session_median,
        session_sd=config.session_sd,
        pace_sd=config.pace_sd,
        homework_share=config.homework_share,
        weekend_share=config.weekend_share,
    )


def make_bank(curriculum: Curriculum) -> Bank:
    """Returns what is taught, as the kernel reads it."""
    taught = {name: getattr(curriculum, name) for name in Bank._fields if name != "weakness"}
    return Bank(**taught, weakness=np.zeros(len(curriculum.strand)))


def event_table(log: Log, student: Ints, student_ids: list[str], curriculum: Curriculum) -> pd.DataFrame:
    """Returns a log as rows of `School.events`, given the student of each entry."""

    def named(names: list[str], codes: Ints) -> "pd.api.extensions.ExtensionArray":
        return pd.array(names, dtype="str").take(codes)

    return pd.DataFrame(
        {
            "student_id": named(student_ids, student),
            "item_id": named(curriculum.item_ids, log.item),
            "occurred_at": pd.DatetimeIndex(log.time_s.view("datetime64[s]"), tz="UTC"),
            "correct": log.correct,
            "skills": named(curriculum.item_skill_cells, log.item),
            "hints": log.hints,
            "duration_s": log.duration_s.round(1),
            "attempt": np.ones(len(student), np.int8),
        },
        copy=False,
    )


def _item_skills(curriculum: Curriculum) -> pd.DataFrame:
    items = pd.DataFrame({"item_id": curriculum.item_ids, "skill_id": curriculum.item_skill_cells}, dtype="str")
    return (
        items.assign(skill_id=items["skill_id"].str.split(";")).explode("skill_id").astype("str").reset_index(drop=True)
    )


def _truth_tables(
    config: SchoolConfig, curriculum: Curriculum, student_ids: list[str], team: Ints, truth: Truth
) -> dict[str, pd.DataFrame]:
    def share(logits: Floats) -> Floats:
        return 1 / (1 + np.exp(-logits))

    skills = curriculum.skill_ids
    mastery = pd.DataFrame(
        {
            "student_id": np.repeat(student_ids, len(skills)),
            "skill_id": np.tile(skills, len(student_ids)),
            "start_mastery": share(truth.start.ravel()),
            "end_mastery": share(truth.end.ravel()),
            "responses": truth.responses.ravel(),
        }
    )
    students = pd.DataFrame(truth.traits, columns=pd.Index(TRAITS))
    students.insert(0, "student_id", student_ids)
    students.insert(1, "team_id", [f"t{code + 1:02d}" for code in team])
    second = [None if code == NONE else skills[code] for code in curriculum.item_second]
    items = pd.DataFrame(
        {
            "item_id": curriculum.item_ids,
            "skill_id": [skills[code] for code in curriculum.item_skill],
            "second_skill_id": pd.array(second, dtype="str"),
            "difficulty": curriculum.item_difficulty,
        }
    )
    settings = {**asdict(config), **config.behavior._asdict()}
    del settings["behavior"]
    return {
        "mastery": mastery,
        "students": students,
        "items": items,
        "skills": pd.DataFrame({"skill_id": skills, "difficulty": curriculum.skill_difficulty}),
        "parameters": pd.DataFrame({"name": list(settings), "value": [str(setting) for setting in settings.values()]}),
    }
