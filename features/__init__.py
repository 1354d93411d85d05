"""From raw logs to events, and from events to student and skill profiles."""

import os
import sys

# Every package of ours imports this one, so each process sets both before numba reads its environment.
# One kind of CPU: a plan is the same on every machine, and compiled kernels can travel with a wheel.
os.environ.setdefault("NUMBA_CPU_NAME", "generic")
os.environ.setdefault(
    "NUMBA_CACHE_LOCATOR_CLASSES",
    "features.kernel_cache.GivenFolder,InTreeCacheLocator,features.kernel_cache.UserFolder",
)
if "numba" in sys.modules:  # the caller's program had imported it before
    sys.modules["numba"].config.reload_config()
