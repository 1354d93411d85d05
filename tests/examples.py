"""What `make test` tries on few examples and one database, and `make test-long` on many and both."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis.strategies import SearchStrategy

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)]
"""What a test of more than one statement runs on: SQLite every time, PostgreSQL in `make test-long`."""


def holds_for(
    few: int, many: int, *drawn: SearchStrategy[Any], **named: SearchStrategy[Any]
) -> Callable[[Callable[..., None]], Callable[[int], None]]:
    """Makes a test of a function that has to hold for whatever is drawn; it takes no fixtures.

    Args:
        few: Examples of `make test`.
        many: Examples of `make test-long`.
        drawn: Strategies of its arguments by place.
        named: Strategies of its arguments by name.
    """

    def make_test(check: Callable[..., None]) -> Callable[[int], None]:
        @pytest.mark.parametrize("examples", [few, pytest.param(many, marks=pytest.mark.long)])
        def test(examples: int) -> None:
            settings(max_examples=examples)(given(*drawn, **named)(check))()

        test.__name__, test.__doc__ = check.__name__, check.__doc__
        return test

    return make_test
