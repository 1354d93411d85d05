"""`python -m serving compile`: compiles every kernel of the service ahead, so that it starts in seconds."""

import argparse

from serving.cli import Commands, add_command

KERNELS = {
    "the planner's search": "serving.grouping.solve:compile_search",
    "the planner's bound": "serving.grouping.solve:compile_bound",
    "profiles": "features.profiles.fold:compile_profiles",
}
"""The function that compiles each kernel; the longest first."""


def add_compile(commands: Commands) -> None:
    """Adds the command."""
    add_command(commands, "compile", compile_service, "compile ahead, so that the service starts in seconds", "compile")


def compile_service(_: argparse.Namespace) -> int:
    """Compiles what is not compiled yet, and returns the exit code.

    Raises:
        CompileError: A kernel could not be compiled.
    """
    from features.kernel_cache import compile_kernels

    compile_kernels(KERNELS)
    return 0
