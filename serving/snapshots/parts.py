"""What a snapshot is loaded from: folders of one run's models and of the profiles that belong to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from serving.snapshots.registry import Champion

Source = Literal["registry", "bundle", "last_good"]
"""MLflow's registry and the home; a bundle that was exported; the copy of what served last."""


@dataclass(frozen=True)
class Parts:
    """Folders, each with a manifest of its own.

    Attributes:
        champion: Run and versions of the models.
        publication: Name under which the profiles were published.
        models: Folder of each forecast's model.
        profiles: Folder of the profiles.
        source: Where they come from.
    """

    champion: Champion
    publication: str
    models: Mapping[str, Path]
    profiles: Path
    source: Source
