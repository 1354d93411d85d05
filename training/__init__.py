"""From profiles and outcomes to registered model versions."""

import features  # noqa: F401 - sets what numba compiles for, before a kernel is imported
