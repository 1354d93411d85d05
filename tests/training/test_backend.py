"""Profiles that a real Dask cluster of processes folds, also one that loses a worker, are those folded here."""

import os
import signal
import threading
import time

import numpy as np
import pandas as pd
import pytest

from features.bundle import read_manifest
from features.errors import InputError
from features.events.log.sample import read_sample
from features.events.log.store import data_version, read_events
from features.home import Home
from features.profiles.kernel import COLUMNS
from features.publications import publish_profiles, read_publication
from serving.models.published.registry import Registry
from tests.features.publications.test_publish import assert_same_state
from training.models.artifacts import read_model
from training.nightly.backend import current_each, use_backend, work_here


@pytest.mark.long
def test_a_cluster_that_loses_a_worker_folds_the_same_profiles(trained_school, tmp_path, monkeypatch):
    """The files are the same byte for byte, and forecasts from them agree: a lost worker costs nothing but time."""
    monkeypatch.setattr("features.publications.buckets.TOGETHER", 0)  # a task for each bucket, as of a large log
    distributed = pytest.importorskip("distributed")
    home, run = Home(trained_school.home), trained_school.run_id
    published = read_publication(next((home.published / run).iterdir()))
    model = read_model(Registry(trained_school.mlruns_uri).fetch(run, "struggle", tmp_path)).model
    data = data_version(home)
    statistics = model_statistics(trained_school, tmp_path)
    local = publish_profiles(home, "here", statistics, published.as_of, data)

    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        use_backend("dask", cluster.scheduler_address),
    ):
        killer = threading.Thread(target=kill_first, args=(cluster, home.published / "there"))
        killer.start()
        there = publish_profiles(home, "there", statistics, published.as_of, data, each=current_each())
        killer.join()
    assert current_each() is work_here

    assert read_manifest(there)["files"] == read_manifest(local)["files"]
    one, other = read_publication(local), read_publication(there)
    assert_same_state(one.state, other.state)
    pd.testing.assert_frame_equal(one.skill_profiles(), other.skill_profiles(), check_exact=True)
    ours, theirs = (model.predict(each.skill_profiles()[list(COLUMNS)].to_numpy(np.float32)) for each in (one, other))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


def model_statistics(school, place):
    return read_model(Registry(school.mlruns_uri).fetch(school.run_id, "struggle", place / "again")).statistics


def kill_first(cluster, folder, seconds=120):
    """Kills a worker as soon as there is a part of the profiles, when others are still to be made."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if any(folder.glob(".*/state-*")):
            os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
            return
        time.sleep(0.005)


@pytest.mark.parametrize(("name", "scheduler"), [("dask", None), ("local", "tcp://127.0.0.1:1")])
def test_a_backend_without_its_address_is_refused(name, scheduler):
    """Dask needs one, and this machine takes none."""
    with pytest.raises(InputError, match="--scheduler ADDRESS"), use_backend(name, scheduler):
        pass


@pytest.mark.long
def test_much_work_is_done_in_a_process_for_each_core():
    """In the order of the tasks, as one after another."""
    assert list(work_here(abs, [-1, 2, -3], 10**9)) == list(work_here(abs, [-1, 2, -3], 1)) == [1, 2, 3]


def test_a_large_log_is_read_for_a_sample_of_students(simulated_school):
    """Whole students, the same whenever they are drawn, about as many events as asked for; all of a small log."""
    home = Home(simulated_school.home)
    version, everything = data_version(home).events, read_events(home)

    sample = read_sample(home, version, None, len(everything) // 4)

    assert 0.1 < len(sample) / len(everything) < 0.45
    students = sample["student_id"].unique()
    assert len(sample) == everything["student_id"].isin(students).sum()
    again = read_sample(home, version, None, len(everything) // 4)
    assert sorted(again["event_id"]) == sorted(sample["event_id"])
    assert len(read_sample(home, version, None, len(everything))) == len(everything)
