"""`python -m serving` as who starts it sees it."""

import socket

import pytest

from features.errors import InputError, MissingError
from serving.__main__ import main


def test_without_a_champion_it_says_what_to_do(untrained_school):
    """Exit code 4 and one sentence; nothing listens."""
    with pytest.raises(MissingError, match="python -m training nightly") as told:
        main(["--port", "0"])

    assert told.value.exit_code == 4


def test_a_port_that_is_taken_is_named(trained_school):
    """Exit code 2, the port, and what to do."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(InputError, match=f"port {port}: Address already in use; choose another") as told:
            main(["--port", str(port)])

    assert told.value.exit_code == 2
