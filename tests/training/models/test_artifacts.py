"""A model on disk is data with hashes: nothing to unpickle, and nothing that was changed is read."""

import gzip
import json
import shutil

import pytest

from features.bundle import MANIFEST, file_hash
from features.errors import InputError
from tests.conftest import read_unpacked
from training.models.artifacts import read_model
from training.records.tracking import FORECASTS, MODELS, Tracking

FILES = (
    *("model.lgb", "features.json", "line.json", "calibration.json"),
    *("statistics.json.gz", "thresholds.json", "MLmodel"),
)


@pytest.fixture
def bundle(trained_school, tmp_path):
    """A copy of the champion's struggle model."""
    (champion,) = trained_school.mlruns.glob(f"artifacts/*/{trained_school.run_id}/artifacts/struggle")
    return shutil.copytree(champion, tmp_path / "struggle")


def test_a_bundle_holds_these_files_and_no_others(bundle):
    """What the service reads is named here once."""
    assert {path.name for path in bundle.iterdir()} == {*FILES, MANIFEST}
    assert set(json.loads((bundle / MANIFEST).read_text())["files"]) == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_refused(bundle, name):
    """One byte more in any file, and nothing is read."""
    with (bundle / name).open("a") as file:
        file.write(" ")

    with pytest.raises(InputError, match=f"{name} is not the one its manifest names"):
        read_model(bundle)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused(bundle, name):
    """A bundle without one of its files is no bundle."""
    (bundle / name).unlink()

    with pytest.raises(InputError, match=f"lacks the file {name}"):
        read_model(bundle)


def test_a_bundle_of_a_version_that_packed_nothing_reads_as_before(bundle):
    """With the statistics as plain JSON."""
    packed, manifest = bundle / "statistics.json.gz", json.loads((bundle / MANIFEST).read_text())
    plain = bundle / "statistics.json"
    now = read_model(bundle).statistics
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    del manifest["files"][packed.name]
    manifest["files"][plain.name] = file_hash(plain)
    (bundle / MANIFEST).write_text(json.dumps(manifest))

    assert read_model(bundle).statistics.to_json() == now.to_json()


@pytest.mark.parametrize("text", [None, "", "{}", "not JSON"])
def test_a_bundle_without_a_manifest_is_refused(bundle, text):
    """Without hashes nothing can be trusted."""
    (bundle / MANIFEST).unlink()
    if text is not None:
        (bundle / MANIFEST).write_text(text)

    with pytest.raises(InputError, match="has no readable manifest"):
        read_model(bundle)


def test_a_model_of_other_columns_is_refused(bundle):
    """A bundle that an older version wrote correctly, with a column less, must not score today's rows."""
    features = json.loads((bundle / "features.json").read_text())
    features["columns"].pop()
    (bundle / "features.json").write_text(json.dumps(features))
    manifest = json.loads((bundle / MANIFEST).read_text())
    manifest["files"]["features.json"] = file_hash(bundle / "features.json")
    (bundle / MANIFEST).write_text(json.dumps(manifest))

    with pytest.raises(InputError, match="was trained on other columns"):
        read_model(bundle)


@pytest.mark.parametrize(("fact", "value"), [("format", 1), ("forecast", "weather")])
def test_a_model_of_another_kind_is_refused(bundle, fact, value):
    """A newer format, or a forecast that this version does not make."""
    manifest = json.loads((bundle / MANIFEST).read_text())
    (bundle / MANIFEST).write_text(json.dumps({**manifest, fact: value}))

    with pytest.raises(InputError, match="was trained on other columns"):
        read_model(bundle)


def test_nothing_in_a_run_is_a_pickle(trained_school):
    """Every artifact is text of its kind; a pickle has another name and begins with a byte that no text begins with."""
    files = [path for path in trained_school.mlruns.glob(f"artifacts/*/{trained_school.run_id}/**/*") if path.is_file()]

    models = MODELS if Tracking().client.get_run(trained_school.run_id).data.tags["refitted"] == "yes" else FORECASTS
    assert {path.parent.name for path in files if path.name == MANIFEST} == set(models)
    assert len(files) == 3 + len(models) * (len(FILES) + 1)
    for path in files:
        text = read_unpacked(path).decode("utf-8")
        assert text.startswith(
            {".lgb": "tree\n", ".json": "{", ".gz": "{", ".md": "# ", ".html": "<!doctype html>", "": "{"}[path.suffix]
        )
