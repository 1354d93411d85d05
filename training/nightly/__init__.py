"""The night: ingest, profile, validate, train, evaluate, gate, refit, register, publish, promote, prune, record.

`night` has these steps in this order, and `challenger` those from train to refit. Profiles come before anything that
may refuse or fail, so that the champion has those of today however the night ends. What is expensive is kept until the
night has ended (`unfinished`), so that one that was killed goes on where it was, with the same run and versions in
MLflow.
"""

from training.nightly.champions import list_champions, promote_run, roll_back
from training.nightly.night import plan_nightly, run_nightly
from training.nightly.prune import Pruned, prune_home
from training.nightly.record import Outcome

__all__ = [
    "Outcome",
    "Pruned",
    "list_champions",
    "plan_nightly",
    "promote_run",
    "prune_home",
    "roll_back",
    "run_nightly",
]
