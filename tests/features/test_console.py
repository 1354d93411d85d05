"""What a command says where an extra is not installed."""

import tomllib
from pathlib import Path

import pytest

from features.console import EXTRAS, find_extra

OPTIONAL = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["optional-dependencies"]


@pytest.mark.parametrize(("extra", "modules"), EXTRAS.values(), ids=[extra for extra, _ in EXTRAS.values()])
def test_every_module_of_an_extra_is_known(extra, modules):
    named = {one.partition(">")[0].partition("[")[0].replace("-", "_") for one in OPTIONAL[extra]} - {"regroup"}

    assert {"sklearn" if name == "scikit_learn" else name for name in named} <= modules


def test_a_module_of_two_extras_is_of_the_command_that_asks():
    assert [find_extra("lightgbm", package) for package in ("serving", "training", "experiments")] == [
        "serve",
        "train",
        "bench",
    ]
    assert find_extra("sklearn.metrics", "serving") == "train"


def test_a_module_of_no_extra_is_a_mistake_of_ours():
    assert find_extra("features.no_such_module", "features") is None
