"""Models and profiles are tried in a process of their own, once."""

import json

import pytest
from fastapi.testclient import TestClient

from features.bundle import MANIFEST, write_bundle
from features.home import Home
from serving.__main__ import main
from serving.app import create_app
from serving.errors import RefusedError, SnapshotError
from serving.models.published.bundle import read_artifacts
from serving.models.published.trial import Trials

COUNTED = "open({path!r}, 'a').write('tried ');"


@pytest.fixture
def trial(own_school, tmp_path):
    """Makes the trials of a home with a program in the place of ours, and says how often it ran."""
    main(["export", str(tmp_path / "bundle")])
    artifacts, counter = read_artifacts(tmp_path / "bundle", "bundle"), tmp_path / "counter"

    def start(program, wall_s=60.0):
        return Trials(Home(tmp_path / "home-of-trials"), COUNTED.format(path=str(counter)) + program, wall_s)

    return start, artifacts, lambda: counter.read_text().count("tried")


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import os; os.abort()", "ended a process that loaded it with SIGABRT"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "with SIGSEGV"),
        (
            "from serving.models.published import trial\ntrial.limit_processor_time(1)\nwhile True: pass",
            "did not come to an end within",
        ),
        ("print('it is of no use'); raise SystemExit(4)", "it is of no use"),
    ],
)
def test_what_kills_or_hangs_is_refused_and_remembered_by_the_next_process(trial, program, reason):
    start, artifacts, tries = trial

    for _ in range(2):
        with pytest.raises(RefusedError, match=reason):
            start(program).require_passed(artifacts)

    assert tries() == 1


def test_what_passed_is_not_tried_again_until_a_file_is_another(trial, tmp_path):
    start, artifacts, tries = trial
    start("").require_passed(artifacts)
    start("import os; os.abort()").require_passed(artifacts)
    assert tries() == 1

    struggle = artifacts.models["struggle"]
    manifest = (struggle / MANIFEST).read_text()
    (struggle / MANIFEST).write_text(manifest + "\n")

    with pytest.raises(RefusedError):
        start("import os; os.abort()").require_passed(artifacts)
    (struggle / "model.lgb").write_text("tree\n")
    with pytest.raises(SnapshotError, match=r"model\.lgb"):
        start("").require_passed(artifacts)
    assert tries() == 2


@pytest.mark.parametrize(
    "program", ["import os; os.kill(os.getpid(), 9)", "raise SystemExit(75)", "import time; time.sleep(60)"]
)
def test_a_trial_that_somebody_ended_is_no_verdict(trial, program):
    """Nor is one on a machine without memory or time: the model is tried again, but not with every look."""
    start, artifacts, tries = trial
    trials = start(program, wall_s=2.0)

    for _ in range(2):
        with pytest.raises(SnapshotError, match=r"could not be tried .* again after 60 s"):
            trials.require_passed(artifacts)
    assert tries() == 1

    start("").require_passed(artifacts)


@pytest.mark.long
def test_a_bundle_with_a_model_that_ends_processes_leaves_the_last_good_one_also_over_a_restart(
    own_school, tmp_path, monkeypatch, caplog
):
    """The trees are cut in half, with manifests whose hashes fit."""
    bundle = tmp_path / "bundle"
    main(["export", str(bundle)])
    monkeypatch.setenv("REGROUP_BUNDLE", str(bundle))
    monkeypatch.setenv("REGROUP_POLL_SECONDS", "3600")
    with TestClient(create_app(), headers=own_school.headers) as client:
        cut_in_half(bundle)
        assert not client.app.state.snapshots.refresh()
        running = client.get("/readyz").json()

    with TestClient(create_app(), headers=own_school.headers) as client:
        restarted = client.get("/readyz").json()
        board = client.get(f"/v1/teams/{own_school.team_ids[0]}/board").status_code

    assert (running["source"], restarted["source"], board) == ("bundle", "last_good", 200)
    assert running["run_id"] == restarted["run_id"] == own_school.run_id
    assert "is refused" in caplog.text


def cut_in_half(bundle):
    def write(draft):
        for path in bundle.iterdir():
            if path.name != MANIFEST:
                path.rename(draft / path.name)
        struggle = draft / "struggle"
        trees = struggle.joinpath("model.lgb").read_text()
        facts = read(struggle)
        write_bundle(struggle, facts, lambda new: copy_with(struggle, new, trees[: len(trees) // 2]))

    write_bundle(bundle, read(bundle), write)


def copy_with(folder, new, trees):
    for path in folder.iterdir():
        if path.name not in {MANIFEST, "model.lgb"}:
            (new / path.name).write_bytes(path.read_bytes())
    (new / "model.lgb").write_text(trees)


def read(folder):
    return {name: value for name, value in json.loads((folder / MANIFEST).read_text()).items() if name != "files"}
