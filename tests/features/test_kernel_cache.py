"""Kernels are compiled for any CPU, ahead and side by side, and what was compiled elsewhere is found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from features import kernel_cache
from features.kernel_cache import CompileError, compile_kernels

TREE = Path(__file__).parents[2]


def run(program, **more):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    environment |= {"PYTHONPATH": str(TREE), **more}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True, timeout=300
    )
    return done.stdout.split()


@pytest.mark.parametrize("package", ["features", "training", "serving.grouping", "experiments"])
def test_every_package_compiles_for_any_cpu(package):
    assert run(f"import {package}, numba; print(numba.config.CPU_NAME)") == ["generic"]


def test_also_where_numba_came_first():
    lines = run("import numba, features; print(numba.config.CPU_NAME, numba.config.CACHE_LOCATOR_CLASSES)")

    assert lines[0] == "generic"
    assert "features.kernel_cache.UserFolder" in lines[1]


def test_a_caller_may_choose_another_cpu():
    assert run("import features, numba; print(numba.config.CPU_NAME)", NUMBA_CPU_NAME="host") == ["host"]


@pytest.mark.long
@pytest.mark.parametrize(
    "place",
    [
        {"NUMBA_CACHE_DIR": "here"},
        {"NUMBA_CACHE_LOCATOR_CLASSES": "features.kernel_cache.UserFolder", "XDG_CACHE_HOME": "here"},
    ],
    ids=["a named folder", "a user's own folder"],
)
def test_what_lies_beside_the_source_is_found_from_another_folder(tmp_path, place):
    """As where site-packages cannot be written: what came with a wheel is copied, and nothing compiled."""
    program = """
import numpy as np
from numba.core import event
from features.profiles.kernel import build_transition_table
with event.install_recorder("numba:compile") as compiled:
    build_transition_table(np.zeros(0, np.int64), np.zeros(0), np.zeros((1, 2)))
print(len(compiled.buffer))
"""
    run(program)  # beside the source, unless it is there already

    lines = run(program, **{name: value.replace("here", str(tmp_path)) for name, value in place.items()})

    assert lines == ["0"]
    kept = {path.name for path in tmp_path.rglob("kernel.build_transition_table-*") if path.is_file()}
    assert {name.rpartition(".")[2] for name in kept} == {"nbi", "nbc"}


@pytest.fixture
def units(tmp_path, monkeypatch):
    """Functions that can be named as units: one takes a while, one fails, one leaves a file."""
    (tmp_path / "some_units.py").write_text(
        "import pathlib, time\n"
        "def wait(): time.sleep(1)\n"
        "def fail(): raise SystemExit(3)\n"
        f"def leave(): pathlib.Path({str(tmp_path / 'left')!r}).touch()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def test_while_kernels_are_compiled_it_says_which(units, monkeypatch, capsys):
    monkeypatch.setattr(kernel_cache, "REPORT_EVERY_S", 0.2)

    compile_kernels({"slow one": "some_units:wait", "quick one": "some_units:leave"})

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("what is not compiled yet: slow one, quick one")
    assert sum("slow one ..." in line for line in lines) >= 2
    assert {line[8:] for line in lines if line.endswith("ready")} == {"slow one: ready", "quick one: ready"}
    assert (units / "left").exists()


def test_a_kernel_that_cannot_be_compiled_ends_it(units):
    with pytest.raises(CompileError, match="bad one could not be compiled"):
        compile_kernels({"bad one": "some_units:fail"})
