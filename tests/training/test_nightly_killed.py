"""A night that is ended at any moment leaves nothing broken, and the next ones end as one that nobody ended."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.simulation import SchoolConfig, simulate_school
from experiments.simulation.writing import MAPPING
from tests.conftest import QUICK, copy_database

KILLS = int(os.environ.get("REGROUP_TEST_KILLS", "10"))
"""So many nights are ended at moments that are drawn."""

TINY = SchoolConfig(teams=1, students_per_team=24, weeks=4, skills=8, strands=2, items_per_skill=10)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory, migrated_mlflow):
    """The log of a tiny school in an inbox, and MLflow's store before the first night."""
    place = tmp_path_factory.mktemp("tiny")
    inbox = place / "pristine" / "home" / "inbox"
    inbox.mkdir(parents=True)
    simulate_school(TINY).events.to_parquet(inbox / "log.parquet", index=False)
    (inbox / "mapping.toml").write_text(MAPPING.format(log="log", form="parquet"))
    copy_database(migrated_mlflow, place / "pristine" / "mlruns" / "mlflow.db")
    (place / "quick.toml").write_text(QUICK.replace("rounds = 30", "rounds = 5"))
    return place


@pytest.fixture
def killing(tiny, tmp_path):
    """Runs one of the tasks on a copy of the school; what it says in the end."""

    def run(task, *numbers, first_ever=False):
        folder = tmp_path / "school"
        shutil.copytree(tiny, folder)
        if first_ever:
            shutil.rmtree(folder / "pristine" / "mlruns")
        command = [sys.executable, "-m", "tests.training.killing", task, str(folder), *map(str, numbers)]
        done = subprocess.run(command, capture_output=True, check=False, text=True, cwd=Path(__file__).parents[2])
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run


@pytest.mark.long
def test_killed_at_drawn_moments_every_night_ends_alike(killing):
    """Bit for bit; after every kill all that is there is whole, and the champion loads."""
    assert f"{KILLS} killed" in killing("kill", 20, KILLS)


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")
def test_on_a_disk_that_is_full_again_and_again_the_night_ends_alike(killing):
    """Each time with exit code 75, and with nothing that is half there."""
    assert "the disk was full" in killing("fill")


@pytest.mark.long
def test_of_two_first_nights_at_once_one_runs_and_one_leaves(killing):
    """Though neither the home's database nor MLflow's is there yet."""
    assert killing("race", first_ever=True).endswith("one ran, one left\n")


def test_where_there_is_no_terminal_a_night_says_lines_of_json_the_first_before_anything_slow(tmp_path):
    """Also what went wrong; the first line does not wait for tables, LightGBM or MLflow."""
    imports = "import sys; sys.argv[0] = 'x/training/__main__.py'; from training.__main__ import _say_hello; "
    slow = "_say_hello(None); print([each for each in ('pandas', 'lightgbm', 'mlflow') if each in sys.modules])"
    environment = {**os.environ, "REGROUP_HOME": str(tmp_path / "home")}

    done = subprocess.run(
        [sys.executable, "-m", "training", "nightly"], capture_output=True, check=False, text=True, env=environment
    )
    loaded = subprocess.run([sys.executable, "-c", imports + slow], capture_output=True, check=True, text=True)

    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 4
    assert lines[0]["message"].startswith("nightly: as of the midnight after the last event, 0 files")
    assert (lines[-1]["level"], "run python -m features ingest first" in lines[-1]["message"]) == ("error", True)
    assert loaded.stdout == "[]\n"
