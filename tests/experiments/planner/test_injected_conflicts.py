"""Injected conflicts are named, and what is then given up is enough."""

import json

import pytest

from experiments.benchmarks.planner import injected_conflicts
from experiments.benchmarks.planner.injected_conflicts import (
    benchmark_conflicts,
    measure_conflicts,
    summarize_conflicts,
)
from experiments.benchmarks.planner.instances.conflicts import FAMILIES
from features.errors import InputError


@pytest.mark.long
def test_injected_conflicts_of_small_teams_are_named_and_relaxed():
    found = measure_conflicts(2, first_seed=9_010, teams=(24,))

    summary = summarize_conflicts(found)
    assert len(found) == 2 * len(FAMILIES)
    assert summary["conflicts_named_share"] == summary["relaxed_share"] == 1.0
    assert summary["conflicts_first_share"] >= 0.9
    assert all(conflict.proven for conflict in found)


def test_figures_are_written_by_family(tmp_path, monkeypatch):
    monkeypatch.setattr(injected_conflicts, "FAMILIES", {"no eligible need": FAMILIES["no eligible need"]})

    assert benchmark_conflicts(1, tmp_path / "figures.json") == 0

    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert figures["families"]["no eligible need"]["conflicts_named_share"] == 1.0
    assert figures["p95_s"] > 0
    with pytest.raises(InputError):
        benchmark_conflicts(0)
