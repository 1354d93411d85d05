"""The commands of `python -m serving`; what a command needs is imported when it runs, so that `--help` is quick."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from features.console import describe_exit_codes
from features.errors import InputError

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name


def add_command(
    commands: Commands,
    name: str,
    run: Callable[[argparse.Namespace], int],
    summary: str,
    examples: str,
    exits: Mapping[int, str] | None = None,
) -> argparse.ArgumentParser:
    """Adds a command whose help ends with examples and exit codes.

    Args:
        commands: The commands beside it.
        name: The word that is typed.
        run: Runs the command with its options and returns the exit code.
        summary: What the command does, in a few words.
        examples: What may be typed after `python -m serving`, one example a line.
        exits: What exit codes mean to this command, beside those that all commands share.
    """
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=write_epilog(examples, exits),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def write_epilog(examples: str, exits: Mapping[int, str] | None = None) -> str:
    """The end of a command's help.

    Example:
        >>> print(write_epilog("keys list").splitlines()[1])
          python -m serving keys list
    """
    lines = "".join(f"  python -m serving {example}\n" for example in examples.splitlines())
    return f"examples:\n{lines}\n{describe_exit_codes(own=exits)}"


@contextmanager
def planning_errors() -> Iterator[None]:
    """Turns what is wrong with a day from a file into an error of the input.

    Raises:
        InputError: A value is wrong, or no plan of the day keeps every rule.
    """
    from serving.grouping import InfeasibleError, ProblemError

    try:
        yield
    except InfeasibleError as error:
        raise InputError(f"no plan keeps every rule: {error.sentence}") from None
    except ProblemError as error:
        raise InputError(str(error)) from None
