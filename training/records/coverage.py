"""For how many of the students the plan of the next day has a forecast to go by."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from features.errors import MissingError
from features.publications import read_buckets
from features.roster import read_students
from training.config import Evidence


@dataclass(frozen=True)
class Coverage:
    """How far profiles reach.

    Attributes:
        students: Students in the teams of the roster on the day; without a roster, all who have a profile.
        seen: Those of them who have answered anything.
        forecast: Those of them with a forecast on at least one skill: enough evidence for one.
        by_roster: Whether there is a roster.
    """

    students: int
    seen: int
    forecast: int
    by_roster: bool

    @property
    def share(self) -> float:
        """Share of the students with a forecast, 0-1; 0 where there are no students."""
        return self.forecast / self.students if self.students else 0.0


def measure_coverage(url: str, published: Path, evidence: Evidence, day: date) -> Coverage:
    """Counts for how many students the published profiles give a forecast.

    Args:
        url: The roster's database.
        published: Folder of the profiles that the service reads.
        evidence: How much must be known before the service forecasts.
        day: Counts the students who are in a team then.
    """
    seen, forecast = set[str](), set[str]()
    for part in read_buckets(published, items=False):
        profiles = part.skill_profiles()
        enough = (profiles["skill_opportunities"] >= evidence.min_opportunities) & (
            profiles["student_responses"] >= evidence.min_responses
        )
        seen.update(profiles["student_id"])
        forecast.update(profiles.loc[enough, "student_id"])
    try:
        roster: Collection[str] = read_students(url, day)
    except MissingError:
        return Coverage(len(seen), len(seen), len(forecast), by_roster=False)
    return Coverage(len(roster), len(seen.intersection(roster)), len(forecast.intersection(roster)), by_roster=True)
