"""The package has one public face, and problems can be read through it without loading compiled code."""

import subprocess
import sys

import pytest

from serving import grouping


def test_every_public_name_is_there():
    assert [name for name in grouping.__all__ if not hasattr(grouping, name)] == []


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'Rota'"):
        _ = grouping.Rota


def test_a_problem_needs_no_compiled_code():
    code = "import sys; from serving.grouping import Problem, find_violations, score_plan; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert not {"numba", "numpy", "scipy"} & set(loaded)
