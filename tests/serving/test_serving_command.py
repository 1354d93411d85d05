"""`python -m serving` as who starts it sees it."""

import re
import shlex
import socket

import pytest

from features.errors import InputError, MissingError
from serving.__main__ import build_parser, main


def find_pages(parser):
    """The help of a parser and of all commands below it."""
    yield parser.prog, parser.format_help()
    for action in parser._actions:
        if hasattr(action.choices, "values"):
            for command in action.choices.values():
                yield from find_pages(command)


def test_every_help_has_an_example_of_its_command_that_is_accepted():
    """Each command's own name is typed, with options that exist and values of the right kind."""
    pages = dict(find_pages(build_parser()))

    assert len(pages) == 13
    for command, page in pages.items():
        examples = re.findall(r"^ {2}(python -m serving .+)$", page, re.MULTILINE)
        assert any(example.startswith(command) for example in examples), command
        for example in examples:
            options = build_parser().parse_args(shlex.split(example)[3:])
            assert callable(options.run), example


def test_without_a_champion_it_says_what_to_do(untrained_school):
    """Exit code 4 and one sentence; nothing listens."""
    with pytest.raises(MissingError, match="python -m training nightly") as error:
        main(["--port", "0"])

    assert error.value.exit_code == 4


def test_a_port_that_is_taken_is_named(trained_school):
    """Exit code 2, the port, and what to do."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(InputError, match=f"port {port}: Address already in use; choose another") as error:
            main(["--port", str(port)])

    assert error.value.exit_code == 2
