"""Models that a request asks for by name instead of those that serve: read from the registry, a few kept in memory.

Profiles depend on the run whose statistics they were folded with. Nothing need be published for a run that does not
serve, so the students of a request are folded from the event log with the run's own statistics, at the same moment and
through the same live events as the profiles that serve. What differs from the serving answer is the model alone.
"""

import json
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pandas as pd
from deltalake.exceptions import DeltaError

from features.database import Database
from features.errors import RegroupError
from features.events.live import read_live_events
from features.events.store import read_events, read_item_skills
from features.home import Home
from features.profiles.difficulty import Statistics
from features.profiles.fold import build_profiles
from features.profiles.incremental import Overlay
from serving.errors import NotReadyError, RequestError, SnapshotError
from serving.models.forecaster import Forecaster
from serving.models.live import draw_picture
from serving.models.registry import ALIASES, FORECASTS, Champion, Registry
from serving.models.snapshot import Snapshot

MOST = 2
"""Models kept in memory besides those that serve; a comparison needs one or two."""


@dataclass(frozen=True)
class Pinned:
    """A run's models, with the statistics that their profiles are folded with.

    Attributes:
        run: Run and versions.
        struggle: The struggle forecast.
        mastery: The mastery forecast.
        statistics: Counted by that run's training.
    """

    run: Champion
    struggle: Forecaster
    mastery: Forecaster
    statistics: Statistics


class Pins:
    """Finds and keeps the models that requests name; for all threads.

    Args:
        home: With the event log.
        database: With the live events.
        registry: With the models; None where a bundle serves, which has only its own.
    """

    def __init__(self, home: Home, database: Database, registry: Registry | None) -> None:
        self._home = home
        self._database = database
        self._registry = registry
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Pinned] = OrderedDict()

    def find(self, model: str, serving: Champion) -> Pinned | None:
        """The run of an alias or id; None where that is the one that serves.

        Args:
            model: An alias of the registry, or the id of a run.
            serving: What serves now.

        Raises:
            RequestError: There is no such run with versions of both forecasts.
            NotReadyError: The registry does not answer, or a file of the run was altered.
        """
        if model == serving.run_id:
            return None
        if self._registry is None:
            told = f"there is no model {model!r}: a bundle serves, with the run {serving.run_id} alone"
            raise RequestError("unknown_model", told, field="model")
        try:
            run = self._registry.find(model)
            if run is None:
                told = f"there is no model {model!r}; give the id of a registered run, or {', '.join(ALIASES)}"
                raise RequestError("unknown_model", told, field="model")
            return None if run.run_id == serving.run_id else self._keep(run, self._registry)
        except SnapshotError as error:
            raise NotReadyError("model_not_available", str(error)) from error

    def see(self, pinned: Pinned, seen: Snapshot, students: Sequence[str]) -> Snapshot:
        """What the run says of the students.

        Args:
            pinned: The run.
            seen: What serves, with the live events of the students.
            students: Ids.

        Raises:
            NotReadyError: There is no event log to fold the students from.
        """
        key = ("pinned", pinned.run.run_id, tuple(students), seen.live_through)
        # kept with the profiles that serve, so that it goes with them, and who was erased with it
        return seen.reckoned.get(key, lambda: self._draw(pinned, seen, students))

    def _draw(self, pinned: Pinned, seen: Snapshot, students: Sequence[str]) -> Snapshot:
        version, of_items = (int(each) for each in seen.data_version.split("."))
        events = self._read_events(students, version, seen.night)
        statistics = pinned.statistics.extend(read_item_skills(self._home, of_items), events["item_id"])
        _, state = build_profiles(events, statistics, seen.night)
        overlay, through = Overlay(state, statistics, lambda _: events), seen.live_through
        if through is not None:
            live = read_live_events(self._database, log_version=version, as_of=seen.night)
            new = live.events["student_id"].isin(list(students)) & ~live.events["event_id"].isin(events["event_id"])
            overlay.add(live.events[new])
            through = live.through
        run = replace(seen, champion=pinned.run, struggle=pinned.struggle, mastery=pinned.mastery)
        return draw_picture(run, overlay, students, seen.data_as_of, through)

    def _read_events(self, students: Sequence[str], version: int, before: datetime | None) -> pd.DataFrame:
        for each in (version, None):  # an erasure removes the files of older versions
            try:
                return read_events(self._home, students=students, version=each, before=before)
            except (RegroupError, OSError, DeltaError) as error:
                told = f"the event log, version {each or 'newest'}, cannot be read: {type(error).__name__}"
        raise NotReadyError("model_not_available", f"{told}; without it another model's profiles cannot be made")

    def _keep(self, run: Champion, registry: Registry) -> Pinned:
        with self._lock:  # held while one is read: it is read once, and requests for others wait
            found = self._kept.get(run.run_id) or _read(run, registry)
            self._kept[run.run_id] = found
            self._kept.move_to_end(run.run_id)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
            return found


def _read(run: Champion, registry: Registry) -> Pinned:
    with tempfile.TemporaryDirectory() as place:
        folders = {name: registry.fetch(run.run_id, name, Path(place)) for name in FORECASTS}
        models = {name: Forecaster(folder) for name, folder in folders.items()}
        text = (folders["struggle"] / "statistics.json").read_text(encoding="utf-8")
    return Pinned(run, models["struggle"], models["mastery"], Statistics.from_json(json.loads(text)))
