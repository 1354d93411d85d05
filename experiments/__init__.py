"""Questions about models, features and grouping policies, and their verdicts."""

import features  # noqa: F401 - sets what numba compiles for, before a kernel is imported
