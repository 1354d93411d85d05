"""The first step of a night: live events, and the files of the inbox."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from features.database import Database
from features.errors import InputError
from features.events.counts import IngestCounts
from features.events.ingest import ingest_file
from features.events.live.ingest import ingest_live_events
from features.home import MAPPING, Home
from features.logs.mapping import read_mapping
from features.logs.sections import File
from features.restore import require_erased

logger = logging.getLogger("regroup")


@dataclass(frozen=True)
class Inbox:
    """What became of the files of the inbox.

    Attributes:
        read: How many were ingested.
        refused: How many could not be read and were set aside.
        counts: What became of the rows of each file that was read, and of the live events.
    """

    read: int = 0
    refused: int = 0
    counts: tuple[IngestCounts, ...] = ()

    @property
    def sentence(self) -> str:
        """The counts in words."""
        aside = "; look at them in inbox/refused, or in refused of their source" if self.refused else ""
        return f"{self.read} {'file' if self.read == 1 else 'files'} read, {self.refused} refused{aside}"


def ingest(home: Home) -> Inbox:
    """Brings everything that came in into the event log.

    Raises:
        UnavailableError: The database is away, a restored back-up holds students who were erased, the disk is full, or
            this user may not write there; files that were not ingested stay in the inbox.
        InputError: A setting, or the inbox's mapping, is wrong; every file stays in the inbox.
    """
    _require_erased(home)
    live = _ingest_live_events(home)
    inbox = _ingest_inbox(home)
    return replace(inbox, counts=(*inbox.counts, *([live] if live else [])))


def _require_erased(home: Home) -> None:
    if home.erasures.exists():
        with Database(home.database_url()) as database, database.changing(alone=True) as connection:
            require_erased(home, connection)


def _ingest_live_events(home: Home) -> IngestCounts | None:
    with Database(home.database_url()) as database:
        counts = ingest_live_events(home, database)
    if counts is not None:
        logger.info("live events: %d, %d stored", counts.rows_read, counts.events_stored + counts.activities)
    return counts


def _ingest_inbox(home: Home) -> Inbox:
    """Ingests every file of the inbox and moves it to `done`, or to `refused` where the file itself is wrong.

    A wrong file is set aside so that it does not stop every night to come. What is wrong with the machine or with the
    mapping is no fault of the files, so then they stay.
    """
    _require_clear_mappings(home)
    refused, read = 0, []
    for path in home.inbox_files():
        with path.open("rb"):  # nor in a log file
            pass
        try:
            counts = ingest_file(home, path, mapping=home.inbox_mapping(path))
        except InputError as error:
            logger.warning("refused %s: %s", path.name, error)
            refused += 1
            aside = path.parent / "refused"
        else:
            logger.info("ingest %s: %d rows, %d stored", path.name, counts.rows_read, counts.events_stored)
            for note in counts.notes:
                logger.info("ingest %s: %s", path.name, note)
            read.append(counts)
            aside = path.parent / "done"
        aside.mkdir(exist_ok=True)
        path.touch()  # it is kept so long from now on
        path.rename(aside / _free_name(path, aside))
    return Inbox(len(read), refused, tuple(read))


def _require_clear_mappings(home: Home) -> None:
    """Refuses mappings that are wrong, or of which nobody knows whose files they are of."""
    nameless = []
    for path in sorted(path for folder in home.inbox_folders() for path in folder.glob("*.toml")):
        name = str(path.relative_to(home.root))
        if path.name != MAPPING:
            raise InputError(
                f"{name} is no log file; a mapping is named {MAPPING} and is that of all files beside it: right would "
                "be a folder for each source"
            )
        with path.open("rb"):  # what this user may not read is no mistake in it
            if read_mapping(path).file.source == File().source:
                nameless.append(name)
    if len(nameless) > 1:
        raise InputError(
            f"{' and '.join(nameless)} name no source, so that their answers could not be told apart; right would be "
            'such as source = "practice-app" in [file] of each'
        )


def _free_name(path: Path, folder: Path) -> str:
    """Returns the file's name, numbered where the folder holds an earlier file of that name."""
    name, number = path.name, 1
    while (folder / name).exists():
        number += 1
        name = f"{path.stem}-{number}{path.suffix}"
    return name
