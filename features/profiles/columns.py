"""What every column of a profile means: its unit, a sentence, and the family under which reasons name it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import pandera.pandas as pa

from features.profiles.kernel import COLUMNS


@dataclass(frozen=True)
class ColumnMeaning:
    """What one column of the kernel says to a person.

    Attributes:
        name: Quantity, window and unit.
        unit: The unit of a value.
        family: A key of `FAMILIES`; a reason names a whole family.
        meaning: One sentence for a reader of a table.
    """

    name: str
    unit: str
    family: str
    meaning: str


FAMILIES = {
    "skill": "results on this skill",
    "recent": "latest answers on this skill",
    "overall": "results on other skills",
    "material": "how hard this skill is for others",
    "pace": "time since the last practice",
    "hints": "hints asked for",
    "stint": "the run of practice this skill is in",
    "activity": "how much was practiced lately",
}
"""Families of columns in the words that reasons use."""

_NULL_BEFORE = "null before the first response"

REGISTRY = tuple(
    ColumnMeaning(*row)
    for row in (
        ("student_responses", "responses", "activity", "First attempts of the student so far."),
        ("student_correct_share", "share", "overall", "Share correct over everything, shrunk to the log's."),
        ("student_correct_ewm_05", "share", "overall", "Exponential average of correctness, rate .05."),
        ("student_correct_ewm_20", "share", "overall", "Exponential average of correctness, rate .20."),
        ("student_residual_ewm_05", "share", "overall", "Correctness beyond the item's usual share, rate .05."),
        ("student_residual_ewm_20", "share", "overall", "Correctness beyond the item's usual share, rate .20."),
        ("student_ability", "logit", "overall", "Elo-style ability over everything."),
        ("correct_share_10r", "share", "overall", f"Share correct of the last 10 responses; {_NULL_BEFORE}."),
        ("student_streak", "responses", "overall", "Correct answers in a row; negative when wrong in a row."),
        ("days_since_last_response", "days", "pace", f"Days since anything was done, in whole hours; {_NULL_BEFORE}."),
        ("session_responses", "responses", "activity", "Responses in this session, which a pause of an hour ends."),
        ("recent_responses_7d", "responses", "activity", "Responses, half after 7 days; null without a clock."),
        ("active_minutes_7d", "minutes", "activity", "Minutes at work, half after 7 days; null if unknown."),
        ("student_hints_ewm_10", "share", "hints", "Share of responses with a hint, rate .10; null if not observed."),
        ("skill_opportunities", "responses", "skill", "First attempts on the skill so far."),
        ("skill_correct_share", "share", "skill", "Share correct on the skill, shrunk to the skill's usual."),
        ("skill_correct_ewm_20", "share", "skill", "Exponential average on the skill, rate .20."),
        ("skill_correct_ewm_50", "share", "recent", "Exponential average on the skill, rate .50."),
        ("skill_residual_ewm_20", "share", "skill", "Correctness beyond the items' usual share, on the skill."),
        ("skill_ability", "logit", "skill", "Elo-style ability on the skill, the overall one included."),
        ("skill_streak", "responses", "recent", "Correct answers in a row on the skill."),
        ("skill_best_streak", "responses", "skill", "The longest run of correct answers on the skill."),
        ("skill_correct_share_5r", "share", "recent", f"Share correct of the last 5 on the skill; {_NULL_BEFORE}."),
        ("days_since_skill", "days", "pace", f"Days since the skill was practiced, in whole hours; {_NULL_BEFORE}."),
        ("responses_since_skill", "responses", "pace", f"Responses since the skill was practiced; {_NULL_BEFORE}."),
        ("skill_first_correct", "0 or 1", "skill", f"Whether the first answer on the skill was right; {_NULL_BEFORE}."),
        ("skill_hints_ewm_20", "share", "hints", "Share of the skill's responses with a hint; null if not observed."),
        ("weakest_opportunities", "responses", "skill", "Opportunities on the least practiced skill the item needs."),
        ("weakest_correct_share", "share", "skill", "Share correct on the weakest skill the item needs."),
        ("weakest_ability", "logit", "skill", "Ability on the weakest skill the item needs."),
        ("item_responses", "responses", "material", "Earlier answers to this very item."),
        ("item_last_correct", "0 or 1", "material", "Whether this item was right last time; null if never seen."),
        ("days_since_item", "days", "pace", "Days since this item was seen, in whole hours; null if never."),
        ("item_ease", "logit", "material", "How often other students get this item right."),
        ("skill_ease", "logit", "material", "How often other students get this skill right."),
        ("stint_responses", "responses", "stint", "Responses in a row on this skill until now."),
        ("stint_correct_share", "share", "stint", "Share correct in that run; null at its start."),
        ("stint_best_streak", "responses", "stint", "Longest run of correct answers in it."),
        ("previous_stint_responses", "responses", "stint", "Length of the run on a skill before this one."),
        ("previous_stint_best_streak", "responses", "stint", "Longest run of correct answers in that; null if none."),
        ("stints", "runs", "stint", "Runs of practice on one skill so far."),
        ("expected_correct", "probability", "skill", "What the two abilities and the item's ease make likely."),
        ("skill", "code", "material", "The skill itself, as a category; null if it was never seen in training."),
        ("transition_ease", "logit", "material", "How often others get this skill right after the skill before it."),
        (
            "rasch_item_logit",
            "logit",
            "material",
            "How easy the item is for a student of average ability (Rasch model).",
        ),
        ("rasch_expected", "probability", "overall", "What the Rasch model makes likely."),
        (
            "item_pair_residual",
            "share",
            "material",
            "How far others beat the Rasch model on this item after the item before it and the same outcome there.",
        ),
        ("item_pair_responses", "responses", "material", "Answers of others on which that rests; 0 where too few."),
        ("item_known_responses", "responses", "material", "Answers of others on which the item's ease rests."),
    )
)
"""One entry per column, in the kernel's order."""

if tuple(column.name for column in REGISTRY) != COLUMNS:
    raise ImportError("features.profiles.columns and features.profiles.kernel name different columns")

OF_STUDENTS = COLUMNS[: COLUMNS.index("skill_opportunities")]
"""Columns about the student alone, whatever the skill."""

SCHEMA_HASH = hashlib.sha256("\n".join(COLUMNS).encode()).hexdigest()[:16]
"""Names the columns and their order; a model that was trained on other columns must not score these."""


def _table(table: str, keys: Mapping[str, pa.Column], columns: Sequence[str]) -> pa.DataFrameSchema:
    unit = {column.name: column.unit for column in REGISTRY}
    checks = {"share": pa.Check.in_range(-1, 1), "probability": pa.Check.in_range(0, 1)}
    values = {name: pa.Column("float32", checks.get(unit[name]), nullable=True) for name in columns}
    return pa.DataFrameSchema({**keys, **values}, name=table, strict=True, ordered=True, unique=list(keys)[:-1])


_MOMENT = pa.Column(pd.DatetimeTZDtype("us", "UTC"), nullable=True)

SKILL_PROFILES = _table(
    "skill_profiles", {"student_id": pa.Column(str), "skill_id": pa.Column(str), "last_practiced": _MOMENT}, COLUMNS
)
"""One row per student and practiced skill as of a moment; the kernel's columns for an item of average difficulty."""

STUDENT_PROFILES = _table("student_profiles", {"student_id": pa.Column(str), "last_active": _MOMENT}, OF_STUDENTS)
"""One row per student as of a moment; the kernel's columns about the student alone."""
