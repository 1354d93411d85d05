"""The days that are taken for days at a school; a date outside is a slip, and cannot always be counted back from."""

from datetime import date

FIRST_DATE = date(1990, 1, 1)
LAST_DATE = date(2199, 12, 31)


def require_school_date(day: date) -> None:
    """Refuses a day that cannot be one at a school.

    Raises:
        ValueError: It is before 1990 or after 2199.

    Example:
        >>> require_school_date(date(1, 1, 1))
        Traceback (most recent call last):
        ValueError: 0001-01-01 is not between 1990-01-01 and 2199-12-31
    """
    if not FIRST_DATE <= day <= LAST_DATE:
        raise ValueError(f"{day} is not between {FIRST_DATE} and {LAST_DATE}")
