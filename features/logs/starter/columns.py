"""Which column of a table is what, guessed from its name and what its cells fit."""

import re
from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from features.logs.cells import as_text
from features.logs.starter.guesses import Guess, guess_time, is_clock, shows_clock

Cells = Mapping[str, pa.Array]

DURATION = r"duration|elapsed|\bsecs?\b|seconds|minutes|spent|\btook\b|taken|latency|\bms\b|_ms|milli|response.?time"

LIKELY = {
    "student": (
        r"(student|user|learner|pupil|sis|anon).*\bid\b",
        r"_id$|\bid$",
        r"student|user|learner|pupil",
        r"mail|login",
    ),
    "time": (r"submit|answered|complet|finish", r"time|date|when|occurred|created|start|day", r""),
    "correct": (r"correct|right", r"outcome|result|verdict", r"score|points|marks?\b|percent|credit", r"grade"),
    "item": (r"item|question|exercise", r"problem", r"task|step|activity|assignment|quiz|lesson|prompt|title|page"),
    "skills": (r"skill|standard|objective|\bkc\b|ccss|teks|competenc", r"concept|topic|domain|strand"),
    "attempt": (r"attempt|\btr(y|ies)\b",),
    "hints": (r"hint",),
    "duration_s": (DURATION,),
    "event_id": (
        r"^(response|answer|event|log|transaction|submission|attempt|record).?(id|key|guid|uuid)$|^(guid|uuid|id)$",
    ),
    "kind": (r"^(event|activity|row)?.?(type|kind)$",),
}
"""Names of columns, the likelier first."""

UNLIKELY = {
    "student": r"(?<!user)(?<!user )name|grade|class|teacher|school|item|question|problem|skill|response|answer"
    r"|session|event|course",
    "time": f"{DURATION}|zone",
    "correct": r"max|possible|out.?of|total|count|attempt|opportun|\bid\b",
    "item": r"type|count|view|text|time|score|number of",
    "skills": r"count|opportun|level|score",
    "attempt": r"max|total|allowed|count|\bid\b|time|date|score",
    "hints": r"time|total|text",
    "duration_s": r"zone",
}
"""Names of columns that are something else."""

OF_TOTAL = (r"\bgoal\b", r"mission|module|\bunit\b|lesson", r"subject|discipline|course")
"""What a total may be of, where nothing nearer to a skill is named."""


class Columns:
    """Columns that are not taken yet, and what the others are."""

    def __init__(self, cells: Cells) -> None:
        self.named: dict[str, str | list[str]] = {}
        self.sections: dict[str, Guess] = {}
        self._left = dict(cells)

    def take(self, key: str, fits: Callable[[str], object] = lambda _: True) -> str | None:
        """Takes the likeliest column by its name whose cells fit."""
        for pattern in LIKELY[key]:
            for name in self._left:
                unlikely = key in UNLIKELY and re.search(UNLIKELY[key], plain(name))
                if re.search(pattern, plain(name)) and not unlikely and fits(name):
                    self.named[key] = name
                    del self._left[name]
                    return name
        return None

    def guess(self, key: str, section: str, how: Callable[[str], Guess | None]) -> None:
        """Takes the likeliest column of whose cells a guess can be made, and keeps the guess."""
        if (name := self.take(key, how)) and (guess := how(name)):
            self.sections[section] = guess

    def take_time(self) -> None:
        """Takes the column of times, or those of date and clock; one with a clock comes before one without."""
        cells = dict(self._left)
        day = self.take("time", lambda name: shows_clock(cells[name]) and guess_time(cells[name]))
        day = day or self.take("time", lambda name: guess_time(cells[name]))
        if day is None:
            return
        times = cells[day]
        clock = None if shows_clock(times) else next((name for name in self._left if is_clock(cells[name])), None)
        if clock:
            self.named["time"] = [day, clock]
            del self._left[clock]
            times = pc.binary_join_element_wise(as_text(times), as_text(cells[clock]), " ")
        self.sections["time"] = guess_time(times) or Guess({"form": "iso"})

    def take_skill(self) -> None:
        """Takes the column that names the skill or domain of a total."""
        for pattern in (r"(skill|standard|domain|strand|objective).*name", *LIKELY["skills"], *OF_TOTAL):
            name = next((name for name in self._left if re.search(pattern, plain(name))), None)
            if name is not None:
                self.named["skills"] = name
                return

    def take_item(self) -> None:
        """Takes the column of items; a step is one only together with its problem."""
        item = self.take("item")
        if item and re.search("problem", plain(item)):
            step = next((name for name in self._left if re.fullmatch(r"step( name| id)?", plain(name))), None)
            self.named["item"] = [item, step] if step else item


def plain(name: str) -> str:
    """A name in small letters with blanks between its words: "studentId" is "student id"."""
    return re.sub(r"[_\W]+", " ", re.sub(r"([a-z])([A-Z])", r"\1 \2", name)).lower().strip()
