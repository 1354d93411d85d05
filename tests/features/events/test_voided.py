"""Voided statements in files: what they take back is gone from the log, whichever way round they come."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.events.ingest import ingest_file
from features.events.log.store import has_events, read_events
from features.home import Home

NOW = datetime(2026, 3, 17, tzinfo=UTC)


def answered(number):
    return {
        "id": f"s{number}",
        "actor": {"mbox": f"mailto:p{number % 3}"},
        "verb": {"id": "x/answered"},
        "object": {"id": f"i{number}"},
        "result": {"success": True},
        "timestamp": f"2026-03-05T09:{number:02}:00Z",
    }


def voiding(number):
    reference = {"objectType": "StatementRef", "id": f"s{number}"}
    return {"actor": {"mbox": "mailto:admin"}, "verb": {"id": "x/voided"}, "object": reference}


@given(order=st.permutations([*range(6), *(-1 - number for number in range(0, 6, 2))]), cut=st.integers(1, 8))
@settings(max_examples=2)
def test_the_order_of_answers_and_voids_and_their_files_change_nothing(tmp_path_factory, order, cut):
    folder = tmp_path_factory.mktemp("log")
    home, read = Home(folder / "home"), 0
    documents = [answered(number) if number >= 0 else voiding(-1 - number) for number in order]
    for at, part in enumerate((documents[:cut], documents[cut:])):
        path = folder / f"{at}.json"
        path.write_text(json.dumps(part))
        counts = ingest_file(home, path, form="xapi", now=NOW)
        read += counts.rows_read
        stored = counts.events_stored + counts.events_known + counts.activities + counts.rows_merged
        assert stored + sum(counts.unused.values()) + sum(counts.rejected.values()) == counts.rows_read

    assert read == len(order)
    assert has_events(home)
    assert sorted(read_events(home)["item_id"]) == ["i1", "i3", "i5"]


def test_a_run_that_is_killed_after_it_noted_a_void_leaves_it_to_the_next(tmp_path, monkeypatch):
    home, log, voids = Home(tmp_path / "home"), tmp_path / "log.json", tmp_path / "voids.json"
    log.write_text(json.dumps([answered(0), answered(1)]))
    voids.write_text(json.dumps([voiding(0)]))
    ingest_file(home, log, now=NOW)
    with monkeypatch.context() as broken:
        broken.setattr("features.events.changes.replace_buckets", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            ingest_file(home, voids, form="xapi", now=NOW)

    counts = ingest_file(home, log, now=NOW)

    assert (counts.events_known, counts.unused) == (1, {"voided statement": 1})
    assert read_events(home)["item_id"].tolist() == ["i1"]
