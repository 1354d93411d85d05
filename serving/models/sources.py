"""Where a service finds what it serves: a registry with a home, or a bundle."""

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from features.bundle import MANIFEST, file_hash
from features.home import Home
from serving.errors import SnapshotError
from serving.models.bundle import Artifacts, Source, peek_bundle, read_artifacts
from serving.models.registry import FORECASTS, Champion, Registry
from serving.models.snapshot import newest_publication
from serving.settings import Settings


@dataclass(frozen=True)
class Version:
    """What a source has now; equal versions are the same models and profiles.

    Attributes:
        source: Where it is from.
        champion: Run and versions of the models.
        publication: Name of the profiles.
        digest: Hash of the manifest that names them.
    """

    source: Source
    champion: Champion
    publication: str
    digest: str


class SnapshotSource(Protocol):
    """Something that models and profiles come from."""

    def look(self) -> Version | None:
        """What there is now; None where the source answers that there is nothing to serve yet.

        Raises:
            RegroupError: The source does not answer, or has no profiles for its models.
        """
        ...

    def open(self, version: Version) -> AbstractContextManager[Artifacts]:
        """The folders to read, for as long as the context lasts.

        Raises:
            SnapshotError: They cannot be had, or were altered.
        """
        ...

    def confirm(self, version: Version) -> None:
        """Looks again, after everything was read.

        Raises:
            SnapshotError: Something else was put in the place of what was read.
        """
        ...


class RegistrySource:
    """MLflow's registry, and the home that profiles are published in.

    Args:
        home: With the published profiles.
        registry: With the models.
    """

    def __init__(self, home: Home, registry: Registry) -> None:
        self._home = home
        self._registry = registry

    def look(self) -> Version | None:
        """The champion and its newest profiles; None where the registry has no champion."""
        champion = self._registry.champion()
        if champion is None:
            return None
        publication = newest_publication(self._home, champion.run_id)
        return Version("registry", champion, publication.name, _digest(publication))

    @contextmanager
    def open(self, version: Version) -> Iterator[Artifacts]:
        """The models, fetched for as long as the context lasts, and the profiles where they lie."""
        run_id = version.champion.run_id
        profiles = self._home.published / run_id / version.publication
        with tempfile.TemporaryDirectory() as place:
            models = {name: self._registry.fetch(run_id, name, Path(place)) for name in FORECASTS}
            yield Artifacts(version.champion, version.publication, models, profiles, "registry")

    def confirm(self, version: Version) -> None:
        """Nothing to do: what was fetched and what was published keep their names."""


class BundleSource:
    """A bundle; another one may be put in its place, or a link to it moved.

    Args:
        folder: Of the bundle.
        source: What to call it.
    """

    def __init__(self, folder: Path, source: Source = "bundle") -> None:
        self._folder = folder
        self._source = source

    def look(self) -> Version:
        """The bundle's run and profiles, as its manifest says."""
        champion, publication, digest = peek_bundle(self._folder)
        return Version(self._source, champion, publication, digest)

    @contextmanager
    def open(self, version: Version) -> Iterator[Artifacts]:
        """The bundle's folders, all of one bundle even where a link is moved meanwhile."""
        del version  # whether they are of this bundle is seen when all is read
        yield read_artifacts(self._folder.resolve(), self._source)

    def confirm(self, version: Version) -> None:
        """Refuses what may be of two bundles."""
        if _digest(self._folder) != version.digest:
            raise SnapshotError(f"the bundle {self._folder.name} was replaced while it was read; it is read again")


def source_of(settings: Settings) -> SnapshotSource:
    """The bundle that the settings name, else the registry."""
    if settings.bundle is not None:
        return BundleSource(settings.bundle)
    return RegistrySource(settings.home, Registry(settings.tracking))


def _digest(folder: Path) -> str:
    try:
        return file_hash(folder / MANIFEST)
    except OSError as error:
        raise SnapshotError(f"{folder.name} has no readable {MANIFEST}: {type(error).__name__}") from error
