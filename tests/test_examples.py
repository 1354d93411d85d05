"""Every example in a docstring is true, and every column of a profile is described."""

import doctest
import importlib
import pkgutil

import experiments
import features
import serving
import training

PACKAGES = (features, training, serving, experiments)


def test_every_example_in_a_docstring_is_true():
    """All modules' examples give what they say."""
    failed = []
    for package in PACKAGES:
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith(("__main__", "database.env")):  # Alembic alone may run its environment
                result = doctest.testmod(importlib.import_module(found.name))
                failed += [found.name] if result.failed else []

    assert failed == []
