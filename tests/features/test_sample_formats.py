"""Each format in the shared samples is recognized by its content, and every row of it is accounted for."""

import os
from pathlib import Path

import pytest

from features.errors import InputError
from features.events.ingest import ingest_file
from features.home import Home

SAMPLES = Path(os.environ.get("REGROUP_DATA", "../shared/data")) / "formats"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"there are no samples in {SAMPLES}"),
]

ROSTERS = ("v1p1_full_dataset.zip", "v1p2_full_dataset.zip", "microsoft_sds_v2p1")


def files() -> list[Path]:
    return sorted(path for path in SAMPLES.rglob("*") if path.is_file()) if SAMPLES.is_dir() else []


def test_every_sample_is_read_or_told_for_what_it_is(tmp_path, monkeypatch):
    monkeypatch.delenv("REGROUP_DATABASE_URL", raising=False)
    told = {}
    for at, path in enumerate(files()):
        try:
            counts = ingest_file(Home(tmp_path / str(at)), path)
        except InputError as error:
            told[path.relative_to(SAMPLES).as_posix()] = str(error)
            continue
        shape = {"datashop": "DataShop", "xapi": "xAPI", "caliper": "Caliper"}[path.relative_to(SAMPLES).parts[0]]
        assert shape in " ".join(counts.notes), path.name
        read = counts.events_stored + counts.events_known + counts.rows_merged + counts.activities + counts.evidence
        assert counts.rows_read == read + sum(counts.unused.values()) + sum(counts.rejected.values()), path.name
        assert counts.rows_read > 0
    rosters = {name for name in told if any(roster in name for roster in ROSTERS)}
    assert rosters == {path.relative_to(SAMPLES).as_posix() for path in files() if "oneroster" in path.parts}
    assert all("python -m features roster" in told[name] for name in rosters)
    assert all("says how somebody answered" in told[name] for name in told.keys() - rosters)
