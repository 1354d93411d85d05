"""Loads model versions, scores profiles, suggests groups, answers over HTTP."""

import features  # noqa: F401 - sets what numba compiles for, before a kernel is imported
