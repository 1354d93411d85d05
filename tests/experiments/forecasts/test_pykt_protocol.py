"""pyKT's protocol: histories cut, one training fold left out of each model, and the mean of the five."""

import json

import numpy as np
import pandas as pd
import pytest

from experiments.__main__ import main
from experiments.benchmarks.forecasts.data.datasets import DATA_SETS
from experiments.benchmarks.forecasts.pykt_protocol import DATA_SET, cut_histories


def make_table(**lengths: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    parts = []
    for number, (student, length) in enumerate(lengths.items()):
        able = rng.normal()
        right = (rng.random(length) < 1 / (1 + np.exp(-able))).astype(int)
        own = {"user_id": student, "fold": number % 6 - 1, "skill_id": rng.integers(5, size=length), "correct": right}
        parts.append(pd.DataFrame({**own, "seq": np.arange(length)}))
    return pd.concat(parts, ignore_index=True)


def test_each_stretch_of_200_answers_begins_anew_and_a_rest_of_two_is_left_out():
    table = make_table(a=403, b=402, c=5).sample(frac=1, random_state=1)

    cut = cut_histories(table)

    assert cut["user_id"].value_counts(sort=False).sort_index().to_dict() == {
        "a-0": 200, "a-1": 200, "a-2": 3, "b-0": 200, "b-1": 200, "c-0": 5,
    }  # fmt: skip
    last = table[(table["user_id"] == "a") & (table["seq"] >= 400)].sort_values("seq")
    assert cut.loc[cut["user_id"] == "a-2", "correct"].tolist() == last["correct"].tolist()


def test_each_of_five_models_learns_from_four_folds_and_scores_all_but_first_answers(tmp_path, capsys):
    table = make_table(**{f"s{number}": 40 for number in range(90)}, long=250)
    path = tmp_path / DATA_SETS[DATA_SET].file
    path.parent.mkdir(parents=True)
    table.to_parquet(path)
    (tmp_path / "quick.toml").write_text("[boosting]\nrounds = 5\nthreads = 1\n")
    places = [
        "--data",
        str(tmp_path),
        "--config",
        str(tmp_path / "quick.toml"),
        "--json",
        str(tmp_path / "figures.json"),
    ]

    assert main(["benchmark", "pykt-protocol", *places]) == 0

    figures = json.loads((tmp_path / "figures.json").read_text())
    rows = table.groupby("fold").size()
    learned = {result["left_out"]: result["learned_rows"] for result in figures["results"]}
    assert learned == {fold: rows.sum() - rows[-1] - rows[fold] for fold in range(5)}
    # each of the test fold's stretches has its first answer unscored
    stretches = int(np.ceil(table[table["fold"] == -1].groupby("user_id").size() / 200).sum())
    assert {result["rows"] for result in figures["results"]} == {rows[-1] - stretches}
    assert figures["auc"] == pytest.approx(np.mean([result["auc"] for result in figures["results"]]))
    assert "DKT+, published" in capsys.readouterr().out
