"""Where a service finds what it serves: a registry with a home, or a bundle.

Each source can `look` at which version there is, `open` the folders of that version, and `confirm`, after they were
read, that nothing was put in their place meanwhile.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from features.bundle import MANIFEST, file_hash
from features.home import Home
from features.publications import newest_publication
from serving.errors import SnapshotError
from serving.models.published.bundle import Artifacts, Source, peek_bundle, read_artifacts
from serving.models.published.registry import FORECASTS, Champion, Registry
from serving.settings import Settings


@dataclass(frozen=True)
class Version:
    """Models and profiles that a source has; equal versions are the same models and profiles.

    Attributes:
        source: Where the version is from.
        champion: Run and versions of the models.
        publication: Name of the profiles.
        digest: Hash of the manifest of the profiles or, in a bundle, of the bundle.
    """

    source: Source
    champion: Champion
    publication: str
    digest: str


class RegistrySource:
    """MLflow's registry with the models, and the home with the published profiles."""

    def __init__(self, home: Home, registry: Registry) -> None:
        self._home = home
        self._registry = registry

    def look(self) -> Version | None:
        """Finds the champion and its newest profiles; None where the registry has no champion.

        Raises:
            RegistryAwayError: The registry does not answer.
            SnapshotError: The champion has no profiles.
        """
        champion = self._registry.champion()
        if champion is None:
            return None
        publication = newest_publication(self._home, champion.run_id)
        if publication is None:
            raise SnapshotError(
                f"no profiles were published for run {champion.run_id}; run `python -m training nightly`"
            )
        return Version("registry", champion, publication.name, _digest(publication))

    @contextmanager
    def open(self, version: Version) -> Iterator[Artifacts]:
        """Fetches the models for as long as the context lasts; the profiles are read where they are.

        Raises:
            SnapshotError: A model cannot be fetched.
        """
        run_id = version.champion.run_id
        profiles = self._home.published / run_id / version.publication
        with tempfile.TemporaryDirectory() as place:
            models = {name: self._registry.fetch(run_id, name, Path(place)) for name in FORECASTS}
            yield Artifacts(version.champion, version.publication, models, profiles, "registry")

    def confirm(self, version: Version) -> None:
        """Does nothing: what was fetched or published is never replaced under its name."""


class BundleSource:
    """A bundle; another bundle may be put in its place, or a link to it moved."""

    def __init__(self, folder: Path, source: Source = "bundle") -> None:
        self._folder = folder
        self._source = source

    def look(self) -> Version:
        """Reads from the manifest which run and profiles there are.

        Raises:
            SnapshotError: There is no bundle, or it is of another format.
        """
        champion, publication, digest = peek_bundle(self._folder)
        return Version(self._source, champion, publication, digest)

    @contextmanager
    def open(self, version: Version) -> Iterator[Artifacts]:
        """Gives the folders, all of one bundle even where a link is moved meanwhile.

        Raises:
            SnapshotError: There is no bundle, it is of another format, or a file of it was altered.
        """
        del version  # `confirm` sees whether this is the version that was read
        yield read_artifacts(self._folder.resolve(), self._source)

    def confirm(self, version: Version) -> None:
        """Refuses what may have been read from two bundles.

        Raises:
            SnapshotError: The bundle was replaced since the look.
        """
        if _digest(self._folder) != version.digest:
            raise SnapshotError(f"the bundle {self._folder.name} was replaced while it was read; it is read again")


SnapshotSource = RegistrySource | BundleSource


def source_of(settings: Settings) -> SnapshotSource:
    """Returns the bundle that the settings name, else the registry."""
    if settings.bundle is not None:
        return BundleSource(settings.bundle)
    return RegistrySource(settings.home, Registry(settings.tracking))


def _digest(folder: Path) -> str:
    try:
        return file_hash(folder / MANIFEST)
    except OSError as error:
        raise SnapshotError(f"{folder.name} has no readable {MANIFEST}: {type(error).__name__}") from error
