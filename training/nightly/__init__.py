"""The night, in steps: ingest, profile, validate, train, evaluate, gate, register, publish, promote, prune.

`night.run_nightly` has them in this order. Profiles come before anything that may refuse or fail, so that the champion
has those of today however the night ends.
"""

from training.nightly.night import run_nightly
from training.nightly.record import Outcome

__all__ = ["Outcome", "run_nightly"]
