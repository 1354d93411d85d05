"""One student taken out of a stored plan, so that what is left is still a plan."""

from typing import Any

SHORT = 4
"""Ids with fewer characters are not looked for within sentences: a "7" there is most likely a number."""

Json = Any


def scrub(value: Json, student_id: str) -> Json:
    """JSON without the student.

    A record or a pair that names the student goes as a whole, such as a seat, a need or two who shall sit together; a
    list of ids loses the one, and a rule that is left with nobody, or about two with one, goes too.

    Args:
        value: What JSON held.
        student_id: Who was erased.

    Example:
        >>> day = {"students": ["a", "b"], "rules": [{"kind": "keep_apart", "student_ids": ["a", "b"]}], "n": 2}
        >>> scrub(day, "a")
        {'students': ['b'], 'rules': [], 'n': 2}
    """
    if isinstance(value, dict):
        return {name: scrub(each, student_id) for name, each in value.items() if name != student_id}
    if isinstance(value, list):
        return [scrub(each, student_id) for each in value if not _goes(each, student_id)]
    if isinstance(value, str):
        if value == student_id:
            return None
        if len(student_id) >= SHORT:
            return value.replace(student_id, "a student")
    return value


def _goes(each: Json, student_id: str) -> bool:
    if isinstance(each, dict):
        if student_id in [one for one in each.values() if isinstance(one, str)]:
            return True
        lists = [one for one in each.values() if isinstance(one, list) and student_id in one]
        fewest = 2 if str(each.get("kind", "")).startswith("keep_") else 1
        return any(len(set(one)) - 1 < fewest for one in lists if all(isinstance(who, str) for who in one))
    if isinstance(each, list):
        return student_id in each
    return bool(each == student_id)
