"""Puts the compiled kernels that lie beside their sources into the wheel, which is then of one Python and platform."""

import hashlib
import pickle
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGES = ("features", "training", "serving", "experiments")


class CompiledKernels(BuildHookInterface):  # type: ignore[type-arg]
    """Without kernels, or in an editable install, the wheel stays one of plain Python."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Names the files, and the tag that goes with them."""
        if version == "editable":
            return
        files = [file for package in PACKAGES for file in find_kernels(Path(self.root), package)]
        if files:
            build_data["force_include"] |= {str(file): str(file.relative_to(self.root)) for file in files}
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
        self.app.display_info(f"{len(files)} files of compiled kernels")


def find_kernels(root: Path, package: str) -> list[Path]:
    """What numba would read today for any CPU: indexes of their present source, and the data that they name.

    Args:
        root: The folder of the packages.
        package: One of them.
    """
    python = f"py{sys.version_info[0]}{sys.version_info[1]}{sys.abiflags}"
    indexes = sorted((root / package).rglob(f"__pycache__/*.{python}.nbi"))
    if not indexes:
        return []
    try:
        import numba  # noqa: PLC0415 - not needed where nothing was compiled
    except ImportError:  # an isolated build: it cannot tell which are current
        return []

    sys.path.insert(0, str(root))  # types in an index are ours
    files = []
    for index in indexes:
        source = index.parents[1] / f"{index.name.split('.')[0]}.py"
        if not source.exists():
            continue
        with index.open("rb") as content:
            if pickle.load(content) != numba.__version__:  # noqa: S301 - numba's own files of this folder
                continue
            stamp, data_of_key = pickle.load(content)  # noqa: S301
        data = [index.parent / name for (_, (_, cpu, _), _), name in data_of_key.items() if cpu == "generic"]
        if data and stamp == hashlib.sha256(source.read_bytes()).digest():
            files += [index, *data]
    return files
