"""The artifacts of a run of MLflow on this machine's own disk."""

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from features.bundle import file_hash
from features.publications.reading import link_file

WORTH_SHARING = 4096
"""A file of fewer bytes takes a block of the disk either way."""


def find_folder(artifact_uri: str) -> Path | None:
    """Where a run's artifacts lie; null where a server has them."""
    address = urlsplit(artifact_uri)
    return Path(url2pathname(address.path)) if address.scheme in ("", "file") else None


def share_files(folder: Path) -> None:
    """Gives equal files of a folder one place on the disk, such as the statistics that both models of a run hold."""
    spare = folder / ".equal"  # beside the models: a model's own folder may hold nothing else, whoever is killed when
    spare.unlink(missing_ok=True)
    first: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.stat().st_size < WORTH_SHARING:
            continue
        same = first.setdefault(file_hash(path), path)
        if not same.samefile(path):
            link_file(same, spare)
            spare.replace(path)
