"""The names of what runs are scored by."""

import math

METRICS = {
    "log_loss": "log-loss",
    "auc": "AUC",
    "brier": "Brier score",
    "average_precision": "average precision",
    "ece": "calibration error",
    "precision_at_places": "precision at places",
}
"""What each fold is scored by, and how people call it."""

SIGN = {"log_loss": -1.0, "auc": 1.0}
"""Metrics that verdicts are given on: 1 where more is better, -1 where less is."""


def write_spread(mean: float, deviation: float) -> str:
    """A mean with its standard deviation, which one fold alone does not have."""
    return f"{mean:.4f}" if math.isnan(deviation) else f"{mean:.4f} ± {deviation:.4f}"
