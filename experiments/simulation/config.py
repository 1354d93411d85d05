"""What a simulated school is like: its size and calendar, and how its students behave."""

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from features.errors import InputError


class Behavior(NamedTuple):
    """How students learn, answer and work; chosen so that a log resembles a real one (`resemblance`).

    Logits are on the scale of ability less difficulty. A named tuple, since numba reads it as it is.
    """

    ability_sd: float = 1.05
    """Between students, all skills together, in logits."""
    strand_sd: float = 0.35
    """Between strands of one student, in logits."""
    skill_sd: float = 0.8
    """Between skills of one strand of one student, in logits."""
    skill_difficulty: float = -1.4
    """Mean over skills, in logits; lower is easier."""
    skill_difficulty_sd: float = 1.4
    """Between skills, in logits."""
    item_difficulty_sd: float = 0.8
    """Between items of one skill, in logits."""
    guess: float = 0.08
    """Chance of a correct response without knowing."""
    slip: float = 0.05
    """Chance of a wrong response in spite of knowing."""
    novelty: float = 0.35
    """What the very first response on a skill is harder, in logits."""
    growth: float = 1.3
    """Most that practice can add to a skill, in logits."""
    learning_rate: float = 0.19
    """Median share of the growth still open that one response adds."""
    learning_rate_sd: float = 0.5
    """Between students, of the rate's logarithm."""
    unready: float = 0.35
    """Share of the learning rate that is left to a student who knows nothing of the prerequisites."""
    not_ready: float = 0.25
    """Chance to know an item of the weakest prerequisite up to which an adult's session on a skill teaches nothing."""
    ready: float = 0.75
    """The same from which it teaches all it can."""
    taught_to: float = 1.75
    """Logits above a skill's difficulty at which there is little left to teach: 85 % of its items are known."""
    near: float = 1.0
    """Logits below that from which a session teaches less and less."""
    known_well: float = 0.1
    """Share of a session's effect that is left for a student who knows the skill so well."""
    forgotten: float = 0.5
    """Share of the growth that is lost in the long run without practice."""
    forgetting_days: float = 14.0
    """Days in which 63 % of that is lost."""
    gaming_share: float = 0.08
    """Students who guess rapidly at times."""
    gaming_most: float = 0.3
    """Largest share of a student's responses that are rapid guesses."""
    builder_share: float = 0.3
    """Stints that last until three in a row or ten attempts; others are a few items of a problem set."""
    stint_mean: float = 2.0
    """Mean responses of such a few."""
    repeat_share: float = 0.065
    """Responses that take up an item of the last stint on the skill, if there is one left."""
    unit_share: float = 0.75
    """Stints on the team's current unit; others review what came before."""
    unit_width: float = 1.6
    """Spread of the unit around its middle, in skills of the teaching order."""
    speed_sd: float = 0.3
    """Between students, of the logarithm of the seconds a response takes."""
    hint_share: float = 0.35
    """Wrong responses that come from asking for hints."""


@dataclass(frozen=True)
class SchoolConfig:
    """The size, calendar and habits of a simulated school; the same config gives the same school, bit for bit.

    Attributes:
        seed: Random seed.
        end: The day after the last day of the log; times are UTC.
        weeks: School weeks before `end`.
        teams: Teams of educators.
        students_per_team: On average; teams have up to two more or fewer.
        skills: Skills of the school, at most 999.
        strands: Chains of skills that build on each other.
        items_per_skill: On average; at least 2.
        two_skill_share: Items that need a second skill, 0-1.
        attendance: Share of school days on which a middling student works, 0-1.
        attendance_sd: Between students, in logits; large values give a heavy tail.
        session_median: Responses of a middling student's session.
        session_sd: Between sessions, of the logarithm.
        pace_sd: Between students, of the logarithm of the session's length.
        homework_share: Working days with a second, later session, 0-1.
        weekend_share: Attendance on a weekend day, as a share of a school day's.
        behavior: How students learn and answer.

    Raises:
        InputError: A number is out of its range.
    """

    seed: int = 1
    end: date = date(2026, 3, 14)
    weeks: int = 12
    teams: int = 4
    students_per_team: int = 62
    skills: int = 28
    strands: int = 4
    items_per_skill: int = 120
    two_skill_share: float = 0.1
    attendance: float = 0.75
    attendance_sd: float = 0.8
    session_median: float = 13.0
    session_sd: float = 0.5
    pace_sd: float = 0.5
    homework_share: float = 0.12
    weekend_share: float = 0.05
    behavior: Behavior = field(default_factory=Behavior)

    def __post_init__(self) -> None:
        """Refuses what cannot be simulated."""
        for name in ("weeks", "teams", "strands"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} of the school is {getattr(self, name)}; write 1 or more")
        if self.students_per_team < 4:  # noqa: PLR2004 - two fewer still leave two for a rule
            raise InputError(f"students_per_team of the school is {self.students_per_team}; write 4 or more")
        if not self.strands <= self.skills <= 999:  # noqa: PLR2004 - ids have three digits
            raise InputError(f"skills of the school is {self.skills}; write {self.strands} (the strands) to 999")
        if self.items_per_skill < 2:  # noqa: PLR2004 - one alone could not differ
            raise InputError(f"items_per_skill of the school is {self.items_per_skill}; write 2 or more")
        for name in ("two_skill_share", "homework_share", "weekend_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} of the school is {getattr(self, name)}; write a number from 0 to 1")
        if not 0 < self.attendance < 1:
            raise InputError(f"attendance of the school is {self.attendance}; write a number between 0 and 1")


def like_assistments(seed: int = 1) -> SchoolConfig:
    """Returns the same behavior with the volume of the ASSISTments 2012 log: a year, few sessions, short ones.

    Only volume and curriculum differ from the default, so that what is compared with the real log is how
    students learn and answer.
    """
    return SchoolConfig(
        seed=seed,
        weeks=40,
        teams=50,
        skills=60,
        strands=6,
        attendance=0.014,
        attendance_sd=1.35,
        session_median=6.0,
        session_sd=0.75,
        pace_sd=0.35,
        weekend_share=0.4,
    )
