"""How the board says things: purposes, impacts of a change, names in place of ids."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from serving.grouping import Purpose, ScoreImpact, SessionType
from serving.schemas.common import NamesOut

SESSION_TYPES = {
    SessionType.SMALL_GROUP: "small group",
    SessionType.TUTORING: "tutoring",
    SessionType.COLLABORATIVE: "lesson at tables",
    SessionType.ONLINE: "independent work",
}

STATUS = {
    "not_begun": "not begun",
    "thin_evidence": "too few answers to say",
    "learning": "learning",
    "not_yet_proficient": "not yet proficient",
    "proficient": "proficient",
    "review_due": "review is due",
}

GAINS = {
    "urgent": ("meets an urgent need", "gives up an urgent need"),
    "coverage": ("one student fewer with an adult today", "one student more with an adult today"),
    "adult_time_due": ("takes away adult time that is due", "gives adult time that is due"),
    "group_time_due": ("takes away a small group that is due", "gives a small group that is due"),
    "repeat_groupmates": ("again with recent groupmates", "less often with the same groupmates"),
    "keep_together": ("keeps together whom you want together", "parts whom you want together"),
    "perturbation": ("moves away from the earlier plan", "is closer to the earlier plan"),
    "load": ("loads adults less evenly", "loads adults more evenly"),
    "share": ("adult time is shared less evenly", "adult time is shared more evenly"),
    "coaching": ("adds a coached session", "drops a coached session"),
    "observations": ("lets a coach observe", "takes an observation away from a coach"),
    "wishes": ("meets a wish of a student", "gives up a wish of a student"),
    "relationships": ("meets an adult who is new to the student", "no longer meets an adult who is new to the student"),
}
"""What to say where the quantity of a term grows, and where it shrinks."""

NOT_CHECKED = "whether a seat can be found was not checked in time"

FIGURES = tuple(
    (mark, re.compile(figure), words)
    for mark, figure, words in (
        ("%", r"(?:struggle risk|mastery) \d+%(?:, | in )", ""),
        (" need ", r"[;,] need \d\.\d\d", ""),
        ("greatest need is", r", the greatest need is \d\.\d\d", ""),
        ("higher risk", r" at higher risk \([^)]*\)", " with a more pressing need"),
        ("greater need", r" at greater need \([^)]*\)", " with a greater need"),
        (" at ", r" at (?:\d+%(?: to \d+%)? risk|a need of \d\.\d\d(?: to \d\.\d\d)?)", " who need it too"),
        ("need points and", r"it meets \d+\.\d+ need points and ", "it meets "),
        ("need points", r"; it meets \d+\.\d+ need points", ""),
        ("time limit", r"; (?:for [^;]*, )?what else could be done was not looked at within the time limit", ""),
        ("time limit", r"what else could be done was not looked at within the time limit", NOT_CHECKED),
        (" sessions (", r" sessions \((?:[^;()]*;){2,}[^;()]*\)", " sessions"),
        ("meet ", r"\bmeet \d+\.\d+ (more|less) need", r"meet \1 need"),
    )
)
"""Figures of risk and need in the planner's sentences, and what stands in their place: a child is no number.

Lists of three sessions and more, and what the search had no time for, are said more shortly too.

The mark of each is part of every such sentence, and found much faster.
"""

WORD = re.compile(r"[\w.@-]*\w")

LEFT = re.compile(r"risk|\d\.\d\d")
"""What is left of such a figure."""

SHOWN = 0.005
"""Points from which on a difference is worth a word."""


@dataclass(frozen=True)
class Names:
    """Display names by id; an id without a name stands for itself.

    Attributes:
        students: Of students.
        staff: Of adults.
    """

    students: Mapping[str, str] = field(default_factory=dict)
    staff: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, names: NamesOut | None) -> "Names":
        """The names that an answer carries."""
        if names is None:
            return cls()
        return cls(
            {each.student_id: each.name for each in names.students}, {each.staff_id: each.name for each in names.staff}
        )

    def student(self, identity: str) -> str:
        """What people call a student."""
        return self.students.get(identity, identity)

    def adult(self, identity: str) -> str:
        """What people call an adult."""
        return self.staff.get(identity, identity)

    def put_into(self, sentence: str) -> str:
        """A sentence with names in place of ids.

        Example:
            >>> Names({"s1": "Mia"}, {"a1": "Ms B"}).put_into("s1 and s11 sit with a1.")
            'Mia and s11 sit with Ms B.'
        """
        known = self._known
        if not known:
            return sentence
        return WORD.sub(lambda word: known.get(word[0], word[0]), sentence)

    @cached_property
    def _known(self) -> Mapping[str, str]:
        """Names of all people by their ids."""
        return {**self.students, **self.staff}


def name_purpose(purpose: Purpose | None) -> str:
    """A purpose as people say it; empty for none."""
    return "" if purpose is None else purpose.words


def speak_plainly(sentence: str) -> str:
    """A sentence of the planner without figures of risk and need; a part that cannot do without one is left out.

    Example:
        >>> speak_plainly("Review: struggle risk 52%, mastery 50% in Ratios; need 0.34; met a1 once lately.")
        'Review: Ratios; met a1 once lately.'
        >>> speak_plainly("Ratios (review, need 0.27) waits: its seats went to students at higher risk (5% to 9%).")
        'Ratios (review) waits: its seats went to students with a more pressing need.'
    """
    for mark, figure, words in FIGURES:
        if mark in sentence:
            sentence = figure.sub(words, sentence)
    parts = [part for part in sentence.split("; ") if not LEFT.search(part)]
    text = "; ".join(parts).strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def describe_impact(impact: ScoreImpact | None, whole: float) -> str:
    """What a change does, in words: the need first, then what else is worth a word.

    Args:
        impact: The change of the score; null where plans cannot be compared.
        whole: Need points that the plan meets, of which a share is said.
    """
    if impact is None:
        return "cannot be compared with the suggestion"
    return "; ".join(list_effects(((term.name, term.value, term.points) for term in impact.terms), whole))


def list_effects(terms: Iterable[tuple[str, float, float]], whole: float) -> list[str]:
    """The effects of a change: names of terms, how much their quantity and the score's points change.

    Example:
        >>> list_effects([("benefit", -0.5, -0.5), ("relationships", 1.0, 0.01)], 10.0)
        ['meets 5 % less need', 'meets an adult who is new to the student']
        >>> list_effects([], 10.0)
        ['changes nothing that counts']
    """
    said: list[str] = []
    for name, value, points in terms:
        if abs(points) < SHOWN:
            continue
        if name == "benefit":
            share = f"{100 * abs(value) / whole:.0f} %" if whole > 0 else "some"
            share = "a little" if share == "0 %" else share
            said.insert(0, f"meets {share} {'more' if value > 0 else 'less'} need")
        elif name in GAINS:
            said.append(GAINS[name][value < 0])
    return said or ["changes nothing that counts"]
