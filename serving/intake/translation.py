"""How events of a learning-technology standard become events as `EventIn` has them, are ignored, or are rejected."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from features.logs.standards.translation import Document, Ignored, Names, Translated, UntranslatableError, Voiding
from serving.intake.read_batch import to_invalid
from serving.schemas.events import RejectedEvent
from serving.schemas.texts import name_field

MOST_PARTS = 1000
"""Parts of one kind that an event of a standard may have."""

Lenient = Any
"""What stands beside an answer, and costs it nothing where it cannot be read."""


@dataclass
class Translation:
    """A translated batch; each of its events is counted in exactly one attribute.

    Attributes:
        events: Fields of `EventIn`, by the place in the batch.
        ignored: How many events say nothing that profiles are made of, by verb or type.
        voiding: Which statement is taken back, by the place in the batch.
        rejected: The events that cannot be read.
        notes: What looks wrong, in sentences.
    """

    events: dict[int, dict[str, Any]] = field(default_factory=dict)
    ignored: Counter[str] = field(default_factory=Counter)
    voiding: dict[int, str] = field(default_factory=dict)
    rejected: list[RejectedEvent] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def translate(
        self,
        documents: Sequence[object],
        model: type[BaseModel],
        to_event: Callable[[Document, Names], Translated],
        names: Names,
    ) -> None:
        """Reads each event by itself, so that one that cannot be read does not take the others with it.

        Args:
            documents: The events as JSON held them.
            model: The standard's event, which says what its fields may hold.
            to_event: Returns the fields of `EventIn`, the name of an event that is ignored, or what it takes back.
            names: How addresses become ids.
        """
        for index, document in enumerate(documents):
            try:
                model.model_validate(document)
                assert isinstance(document, dict), "the model is of an object"
                event = to_event(document, names)
            except ValidationError as error:
                self.rejected.append(to_invalid(index, error))
            except UntranslatableError as error:
                self.rejected.append(RejectedEvent(index=index, rule=error.rule, field=error.field, message=str(error)))
            else:
                if isinstance(event, Ignored):
                    self.ignored[name_field([event.kind])] += 1
                elif isinstance(event, Voiding):
                    self.voiding[index] = event.statement_id
                else:
                    self.events[index] = event
