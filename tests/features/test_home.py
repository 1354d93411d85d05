"""Work on the same data takes turns."""

import threading

import pytest
from filelock import FileLock

from features.errors import BusyError
from features.home import Home


def test_work_waits_for_other_work_that_ends_and_refuses_after_a_while(tmp_path, monkeypatch, caplog):
    """A night does not fail because a student is being erased when it begins."""
    home = Home(tmp_path)
    other = FileLock(home.lock("nightly"), thread_local=False)
    other.acquire()
    end = threading.Timer(0.2, other.release)
    end.start()

    with caplog.at_level("INFO", "regroup"), home.work("ingest", "nightly", busy="a student is being erased"):
        assert not other.is_locked
    said = [record.getMessage() for record in caplog.records if record.name == "regroup"]
    assert said == ["a student is being erased (waiting for up to 60 s)"]

    monkeypatch.setattr("features.home.WAIT_S", 0.1)
    with (
        other,
        pytest.raises(BusyError, match="a student is being erased"),
        home.work("nightly", busy="a student is being erased"),
    ):
        pass
