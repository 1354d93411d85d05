"""What one request reads: the snapshot that serves, or another model on the same students, and what came in since."""

from collections.abc import Sequence

from features.database import Database
from serving.models.live import LiveEvents
from serving.models.pins import Pinned, Pins
from serving.models.registry import Registry
from serving.models.shadow import Shadow
from serving.models.snapshot import Snapshot
from serving.settings import Settings


class View:
    """One request's view of students.

    Args:
        snapshot: What serves.
        live: What came in since the night.
        pins: Draws the students as another model sees them.
        pinned: The model that the request names; None for the one that serves.
        shadow: Compares the challenger with what was answered; None where nobody wants that.
    """

    def __init__(
        self, snapshot: Snapshot, live: LiveEvents, pins: Pins, pinned: Pinned | None, shadow: Shadow | None
    ) -> None:
        self._snapshot, self._live, self._pins, self._pinned, self._shadow = snapshot, live, pins, pinned, shadow
        self._answered: tuple[Snapshot, Sequence[str]] | None = None

    def see(self, students: Sequence[str], latest: int | None = None) -> Snapshot:
        """Everything about the students that was acknowledged before this call.

        Args:
            students: Ids.
            latest: Number of the last live event, where this request has asked the database already.

        Raises:
            NotReadyError: A model is pinned, and there is no event log to fold the students from.
        """
        seen = self._live.see(self._snapshot, students, latest)
        if self._pinned is not None:
            return self._pins.see(self._pinned, seen, students)
        self._answered = seen, students
        return seen

    def end(self) -> None:
        """Has the challenger say what it thinks of the same students, after the answer."""
        if self._shadow is not None and self._answered is not None:
            self._shadow.follow(*self._answered)


class Views:
    """Opens a view for each request.

    Args:
        settings: Whether a bundle serves, and whether the challenger is to be compared.
        database: Of the service.
        live: What came in since the night.

    Attributes:
        live: As given.
    """

    def __init__(self, settings: Settings, database: Database, live: LiveEvents) -> None:
        registry = Registry(settings.tracking) if settings.bundle is None else None
        self.live = live
        self._pins = Pins(settings.home, database, registry)
        self._shadow = Shadow(self._pins, settings.recent_days) if settings.shadow and registry is not None else None

    def open(self, snapshot: Snapshot, model: str | None) -> View:
        """The view of a request that was given a snapshot and may name another model.

        Raises:
            RequestError: There is no such model.
            NotReadyError: It cannot be had now.
        """
        pinned = None if model is None else self._pins.find(model, snapshot.champion)
        return View(snapshot, self.live, self._pins, pinned, self._shadow)
