"""`python -m serving compile`: every kernel that the service runs, compiled ahead."""

import argparse

from features.kernel_cache import compile_kernels

KERNELS = {
    "the planner's search": "serving.grouping.solve:compile_search",
    "the planner's bound": "serving.grouping.solve:compile_bound",
    "profiles": "features.profiles.fold:compile_profiles",
}
"""What compiles each; the longest first."""


def compile_service(_: argparse.Namespace) -> int:
    """Compiles what is not compiled yet, and returns the exit code.

    Raises:
        CompileError: A kernel could not be compiled.
    """
    compile_kernels(KERNELS)
    return 0
