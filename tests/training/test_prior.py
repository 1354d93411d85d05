"""A school without a model of its own: the prior serves from its first log on, and says so."""

import json
import re

import numpy as np
import pytest
from fastapi.testclient import TestClient
from mlflow import MlflowClient

from experiments.benchmarks.forecasts.new_school import SCHOOL, walk
from features.errors import InputError, MissingError
from features.home import Home
from features.profiles.kernel import COLUMNS
from serving.api.responses.recommendations import to_provenance
from serving.app import create_app
from serving.models.forecaster import Forecaster
from serving.models.published.registry import Registry
from serving.models.published.sources import RegistrySource
from serving.models.snapshot import load_snapshot
from tests.conftest import read_unpacked
from training.__main__ import main
from training.config import load_config
from training.errors import DataGateError
from training.models.artifacts import read_model
from training.models.boosting import FORECASTS
from training.models.prior import write_prior
from training.nightly import run_nightly

MONDAY = "2026-03-16"


@pytest.fixture(scope="module")
def prior(tmp_path_factory):
    """The bundles of the shipped prior."""
    folder = tmp_path_factory.mktemp("prior")
    write_prior(folder, load_config())
    return folder


def test_more_wrong_answers_never_lower_a_risk_and_nothing_known_is_no_certainty(prior):
    model = read_model(prior / "struggle").model
    rows = np.zeros((3, len(COLUMNS)), np.float32)
    rows[:, COLUMNS.index("skill_ability")] = [0.8, 0.0, -0.8]
    rows[:, COLUMNS.index("skill_streak")] = [2, 0, 0]

    risk = model.predict(rows)

    assert risk[0] < risk[1] < risk[2]
    assert 0.05 < risk[1] < 0.5


def test_the_service_reads_it_as_a_prior_and_gives_reasons(prior):
    forecasters = [Forecaster(prior / forecast.name) for forecast in FORECASTS]
    rows = np.zeros((1, len(COLUMNS)), np.float32)
    rows[0, COLUMNS.index("skill_ability")] = -1.5

    assert [forecaster.kind for forecaster in forecasters] == ["prior", "prior"]
    assert forecasters[0].explain(rows)[0][0].family == "skill"


def test_a_school_too_small_to_train_is_served_by_a_prior_that_says_so(untrained_school):
    """The night ends at the data gate and says what is missing; models and profiles of the prior are there."""
    config = untrained_school.home.parent / "large.toml"
    config.write_text("[gate]\nmin_episodes = 4000\n")

    with pytest.raises(DataGateError, match=r"about \d+ more school days?, or \d+ more students?"):
        run_nightly(Home(untrained_school.home), load_config(config))
    source = RegistrySource(Home(untrained_school.home), Registry(untrained_school.mlruns_uri))
    with source.open(source.look()) as artifacts:
        snapshot = load_snapshot(artifacts)

    assert to_provenance(snapshot).model.kind == "prior"
    assert len(snapshot.students) == len(untrained_school.student_ids)
    client = MlflowClient(untrained_school.mlruns_uri)
    assert client.get_model_version_by_alias("regroup-struggle", "champion").tags["kind"] == "prior"


def test_what_is_exported_holds_no_id_and_serves_elsewhere(trained_school, tmp_path, monkeypatch):
    folder = tmp_path / "prior"
    skills = {str(skill) for skill in json.loads(_statistics(trained_school))["nodes"] for skill in skill}
    items = json.loads(_statistics(trained_school))["items"]

    main(["pretrain", str(folder)])
    monkeypatch.setenv("REGROUP_PRIOR", str(folder))
    origin = write_prior(tmp_path / "elsewhere", load_config())

    files = [path for path in folder.rglob("*") if path.is_file()]
    text = b"".join(map(read_unpacked, files)).decode()
    ids = [*trained_school.student_ids, *trained_school.team_ids, *skills, *items]
    assert len(items) > 100
    assert not set(re.findall(r"[\w.:-]+", text)) & set(ids)
    assert "REGROUP_PRIOR" in origin
    assert read_model(tmp_path / "elsewhere" / "struggle").kind == "prior"


@pytest.mark.parametrize("harm", ["altered", "empty", "missing"])
def test_a_folder_that_is_no_prior_is_refused_in_one_sentence(trained_school, tmp_path, monkeypatch, harm):
    folder = tmp_path / "prior"
    monkeypatch.setenv("REGROUP_PRIOR", str(folder))
    if harm == "altered":
        main(["pretrain", str(folder)])
        line = folder / "struggle" / "line.json"
        line.write_text(line.read_text() + " ")
    elif harm == "empty":
        folder.mkdir()

    with pytest.raises(InputError, match=r"holds no prior model that can be used: .*; write one with"):
        write_prior(tmp_path / "elsewhere", load_config())


def test_a_prior_is_not_exported_as_if_it_had_been_trained_here(untrained_school, tmp_path):
    with pytest.raises(MissingError, match="no champion that was trained on the own log"):
        main(["pretrain", str(tmp_path / "prior")])


@pytest.mark.long
def test_a_plan_of_a_prior_says_once_what_it_rests_on(untrained_school):
    config = untrained_school.home.parent / "large.toml"
    config.write_text("[gate]\nmin_students = 1000\n")
    with pytest.raises(DataGateError):
        run_nightly(Home(untrained_school.home), load_config(config))

    with TestClient(create_app(), headers=untrained_school.headers) as client:
        body = {"team_id": untrained_school.team_ids[0], "date": MONDAY}
        plan = client.post("/v1/recommendations", json=body).json()

    assert plan["provenance"]["model"]["kind"] == "prior"
    assert sum("rules learned elsewhere" in note["sentence"] for note in plan["notes"]) == 1
    assert plan["sessions"]


@pytest.mark.long
def test_a_school_of_64_has_the_prior_on_its_first_day_and_a_model_of_its_own_later(
    tmp_path, untrained_school, monkeypatch
):
    monkeypatch.setenv("REGROUP_DATABASE_URL", f"sqlite:///{tmp_path / 'regroup.db'}")

    nights = walk(Home(tmp_path / "new"), weeks=6, seed=1)

    kinds = [night["serves"] for night in nights]
    assert SCHOOL.students_per_team == 64
    assert (kinds[0], kinds[-1]) == ("prior", "trained")
    assert kinds == sorted(kinds)  # no way back to the prior
    assert min(night["auc"] for night in nights[:-1]) > 0.6


def _statistics(school):
    (path,) = school.mlruns.glob(f"artifacts/*/{school.run_id}/artifacts/struggle/statistics.json.gz")
    return read_unpacked(path)
