"""Questions about models, features and grouping policies, and their verdicts.

In a notebook: `load_events`, `load_profiles`, `make_experiment`, `run_experiment`, `compare` and `rank_runs`; tables
are DataFrames, and a comparison has its `table`, `groups`, `scores` and `figures`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import features  # noqa: F401 - sets what numba compiles for, before a kernel is imported

if TYPE_CHECKING:
    from experiments.workbench.comparison.compare import Comparison, compare
    from experiments.workbench.leaderboard import rank_runs
    from experiments.workbench.runs.experiment import Experiment, make_experiment, read_experiment
    from experiments.workbench.runs.run import run_experiment
    from experiments.workbench.runs.source import load_events, load_profiles

__all__ = [
    "Comparison",
    "Experiment",
    "compare",
    "load_events",
    "load_profiles",
    "make_experiment",
    "rank_runs",
    "read_experiment",
    "run_experiment",
]

_PLACES = {
    "workbench.comparison.compare": ("Comparison", "compare"),
    "workbench.leaderboard": ("rank_runs",),
    "workbench.runs.experiment": ("Experiment", "make_experiment", "read_experiment"),
    "workbench.runs.run": ("run_experiment",),
    "workbench.runs.source": ("load_events", "load_profiles"),
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - of any of them
    """Imports what a notebook asks for; `--help` of a command must not wait for LightGBM and MLflow."""
    for module, names in _PLACES.items():
        if name in names:
            return getattr(import_module(f"experiments.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
