"""What is installed from our wheel runs without compiling anything, and without the extras that nobody asked for."""

import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

SMALL_MB = 900
"""What the service's environment may take on disk; with every extra it is half as much again."""

EVERY_KERNEL = """
import sys
from numba.core import event
import features
with event.install_recorder("numba:compile") as compiled:
    from experiments.simulation.school import compile_simulator
    from features.profiles.fold import compile_profiles
    from serving.grouping.solve import warm_up
    from training.data.labels import compile_labels
    for each in (warm_up, compile_profiles, compile_labels, compile_simulator):
        each()
print(len(compiled.buffer), features.__file__)
"""


def run(folder, *command, **more):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | more
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def packages_of(python):
    (packages,) = python.parents[1].glob("lib/*/site-packages")
    return packages


@pytest.mark.parametrize("locators", [None, "features.kernel_cache.UserFolder"], ids=["beside", "read only"])
def test_nothing_is_compiled(installed_python, tmp_path, locators):
    """Read where the wheel was installed, and, where that cannot be written, from a copy in the user's own folder."""
    more = {"NUMBA_CACHE_LOCATOR_CLASSES": locators, "XDG_CACHE_HOME": str(tmp_path)} if locators else {}
    before = {path: path.stat().st_mtime_ns for path in packages_of(installed_python).rglob("*.nb[ic]")}

    done = run(tmp_path, installed_python, "-W", "error", "-c", EVERY_KERNEL, **more)

    assert done.stderr == ""
    compiled, place = done.stdout.split()
    assert compiled == "0"
    assert Path(place).is_relative_to(packages_of(installed_python))
    assert {path: path.stat().st_mtime_ns for path in packages_of(installed_python).rglob("*.nb[ic]")} == before
    assert any(tmp_path.rglob("*.nbi")) == bool(locators)


def test_it_is_small(installed_python, capsys):
    installed = {path.name.partition("-")[0] for path in packages_of(installed_python).glob("*.dist-info")}
    size_mb = sum(path.stat().st_size for path in packages_of(installed_python).rglob("*") if path.is_file()) / 1e6

    with capsys.disabled():
        print(f"\nan environment of the service alone: {len(installed)} packages, {size_mb:.0f} MB")
    assert "regroup" in installed
    assert not installed & {"mlflow", "matplotlib", "scikit_learn", "pytest", "ruff"}
    assert size_mb < SMALL_MB


@pytest.mark.parametrize(
    ("command", "extra"),
    [(("training", "nightly"), "train"), (("experiments", "benchmark", "schools"), "bench")],
    ids=["nightly", "benchmark"],
)
def test_a_command_without_its_extra_names_it(installed_python, tmp_path, command, extra):
    done = run(tmp_path, installed_python, "-m", *command)

    assert done.returncode == 2
    assert f"pip install 'regroup[{extra}]'" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
