"""The checks of each night: is what came in what usually comes, and does the champion still hold.

`check_night` measures the night (`measures`, `champion`), lays it beside earlier ones (`history`, `limits`), those of
another champion too (`bridge`), and says what it found (`words`). Days without school (`school_days`) have not enough
data, and are never an alarm.
"""

from training.nightly.checks.champion import Champion
from training.nightly.checks.night import check_night, judge_night

__all__ = ["Champion", "check_night", "judge_night"]
