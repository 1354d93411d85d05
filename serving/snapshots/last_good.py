"""The copy of what served last, on disk, for a start at which the registry gives nothing."""

import logging

from filelock import FileLock, Timeout

from features.errors import RegroupError
from features.home import Home
from serving.snapshots.bundle import holds, write_parts
from serving.snapshots.parts import Parts
from serving.snapshots.snapshot import Snapshot
from serving.snapshots.sources import BundleSource

logger = logging.getLogger("regroup")

LOCK_S = 60.0
"""For how long a process waits for another that is copying the same."""


class LastGood:
    """A bundle in the home, written by whichever process first serves something new.

    It holds profiles of students: an erasure removes it under the same lock, after the profiles that it is copied from.

    Args:
        home: Whose `served` folder it is in.
    """

    def __init__(self, home: Home) -> None:
        self._lock = home.lock("served")
        self._folder = home.served / "last-good"
        self.source = BundleSource(self._folder, "last_good")

    def is_there(self) -> bool:
        """Whether there is a copy, as far as its manifest says."""
        try:
            return self.source.look() is not None
        except RegroupError:
            return False

    def keep(self, snapshot: Snapshot, parts: Parts) -> None:
        """Copies what the snapshot was loaded from, unless it is there; a failure is told in the log."""
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._lock, timeout=LOCK_S):
                if not holds(self._folder, snapshot.seal, snapshot.champion):
                    write_parts(self._folder, parts)
        except (RegroupError, OSError, Timeout) as error:
            told = str(error) if isinstance(error, RegroupError) else type(error).__name__
            logger.warning("no copy was kept of what serves: %s", told)
