"""What a source feeds: which columns of profiles have values from its answers, which stay null, and what that allows.

Told of every file at the end of its ingest, and before it with `--preview`, so that nobody waits for a figure that the
source cannot give.
"""

from collections import Counter
from collections.abc import Mapping

import pandas as pd

CLOCK = ("days_since_last_response", "recent_responses_7d", "days_since_skill", "session_responses")
MINUTES = ("active_minutes_7d",)
HINTS = ("student_hints_ewm_10", "skill_hints_ewm_20")

NULL_WITHOUT: Mapping[str, tuple[str, ...]] = {
    "time": (*CLOCK, *MINUTES),
    "duration": MINUTES,
    "hints": HINTS,
}
"""Columns of profiles that are null for a student of whom no answer says this."""

FIELDS = {"time": "occurred_at", "skills": "skills", "attempt": "attempt", "hints": "hints", "duration": "duration_s"}
"""What an answer may say, by the name that people know."""

USUAL = 0.995
"""A share from which a field counts as always there."""


class Coverage:
    """Counts what the answers of a source say.

    Example:
        >>> coverage = Coverage()
        >>> coverage.shares()
        {}
    """

    def __init__(self) -> None:
        self._rows: Counter[str] = Counter()
        self._activities = 0

    def add(self, events: pd.DataFrame) -> None:
        """Counts valid rows with `features.events.checks.COLUMNS`."""
        answers = events[events["kind"].eq("response")]
        self._activities += len(events) - len(answers)
        self._rows.update({name: int(answers[column].notna().sum()) for name, column in FIELDS.items()})
        self._rows.update({"answers": len(answers), "partial": int(answers["score"].between(0, 1, "neither").sum())})

    def shares(self) -> dict[str, float]:
        """The share of answers that say each thing, 0-1; empty without an answer."""
        answers = self._rows["answers"]
        return {name: self._rows[name] / answers for name in (*FIELDS, "partial")} if answers else {}

    def describe(self) -> tuple[str, ...]:
        """What the source feeds, leaves null and allows, in sentences."""
        shares = self.shares()
        if not shares:
            return ("feeds engagement only: there is no answer in it",) if self._activities else ()
        said = [name if share >= USUAL else f"{name} ({share:.0%})" for name, share in shares.items() if share]
        null = sorted({column for name, columns in NULL_WITHOUT.items() if not shares[name] for column in columns})
        sentences = [
            f"feeds profiles of {self._rows['answers']:,} answers with {', '.join(said) or 'no more than a score'}"
            + (f", and {self._activities:,} activities" if self._activities else ""),
            f"stays null: {', '.join(null)}" if null else "no column of profiles stays null for want of a field",
            _describe_forecasts(shares),
        ]
        return tuple(sentences)


def _describe_forecasts(shares: Mapping[str, float]) -> str:
    """What may be forecast from answers that say so much."""
    if not shares["skills"]:
        return "allows no forecast by skill, since no answer names one: skills may come from another file of its items"
    allowed = "allows forecasts of mastery and struggle by skill"
    if shares["skills"] < USUAL:
        allowed += f", for the {shares['skills']:.0%} of answers that name one"
    if not shares["time"]:
        allowed += "; without a clock every skill counts as recent, and nothing falls due for review"
    if not shares["attempt"]:
        allowed += "; every answer counts as a first attempt unless retries are counted"
    return allowed
