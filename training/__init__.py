"""Trains the two forecasts on profiles and outcomes, evaluates them, and registers what may serve."""

import features  # noqa: F401 - sets what numba compiles for, before a kernel is imported
