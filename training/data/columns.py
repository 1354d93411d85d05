"""What the kernel's columns may do in a forecast: which mean easier work or a stronger student, and which the item."""

from features.profiles.kernel import COLUMNS

EASIER = frozenset(
    name
    for name in COLUMNS
    if name.endswith(("_ease", "_item_logit")) or name in {"expected_correct", "rasch_expected"}
)
"""Columns where more means easier work."""

BETTER = EASIER | frozenset(
    name for name in COLUMNS if any(part in name for part in ("correct", "residual", "ability", "streak"))
)
"""Columns where more means a stronger student or easier work; no educator would accept the reverse."""

ABOUT_THE_ITEM = frozenset(
    {
        "item_responses",
        "item_last_correct",
        "days_since_item",
        "item_ease",
        "rasch_item_logit",
        "expected_correct",
        "rasch_expected",
        "item_pair_residual",
        "item_pair_responses",
        "item_known_responses",
    }
)
"""Known only once an item is chosen; a forecast for a whole skill must not lean on them."""

CARRIES_OVER = (
    "student_correct_share",
    "student_residual_ewm_05",
    "skill_correct_ewm_20",
    "skill_streak",
    "skill_ease",
    "transition_ease",
)
"""Columns of `BETTER` that are never null and mean the same after three answers on a skill and after thirty."""

OF_THE_SKILL = tuple(name for name in COLUMNS if name not in ABOUT_THE_ITEM | {"student_ability"})
"""Columns that are known before an item is chosen, in the kernel's order.

The ability over everything is left out, since a wrong answer on one skill can raise it in the end: later right answers
are then more of a surprise than the skill alone accounts for. The ability on the skill holds it, and only falls.
"""
