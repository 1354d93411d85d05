"""The command `python -m experiments`: what it takes, and what it refuses."""

import json
import subprocess
import sys
from inspect import signature

import pandas as pd
import pytest

from experiments.__main__ import build_parser, main
from experiments.benchmarks.forecasts.data.datasets import DATA_SETS
from experiments.benchmarks.registry import BENCHMARKS, LOGS
from features.errors import InputError


def test_simulate_writes_a_school(tmp_path, capsys):
    figures = tmp_path / "figures.json"
    size = ["--teams", "1", "--weeks", "1", "--end", "2026-03-14"]

    code = main(["simulate", str(tmp_path / "school"), *size, "--form", "csv", "--seed", "3", "--json", str(figures)])

    log = pd.read_csv(tmp_path / "school" / "log.csv")
    assert code == 0
    assert (tmp_path / "school" / "mapping.toml").is_file()
    assert (tmp_path / "school" / "roster").is_dir()
    assert json.loads(figures.read_text(encoding="utf-8"))["events"] == len(log)
    assert log["occurred_at"].max() < "2026-03-14"
    assert "students" in capsys.readouterr().out


def test_simulate_passes_its_options_on(tmp_path):
    for seed in ("1", "2"):
        main(["simulate", str(tmp_path / seed), "--teams", "1", "--weeks", "1", "--seed", seed])

    one, other = (pd.read_parquet(tmp_path / seed / "log.parquet") for seed in ("1", "2"))
    assert not one.head(100).equals(other.head(100))


@pytest.mark.parametrize("options", [[], ["school", "--compare", "log.parquet"]])
def test_simulate_wants_a_folder_or_a_log(options):
    with pytest.raises(SystemExit) as stopped:
        main(["simulate", *options])

    assert stopped.value.code == 2


def test_simulate_refuses_an_unknown_form(tmp_path):
    with pytest.raises(InputError, match="use one of parquet, csv"):
        main(["simulate", str(tmp_path), "--form", "xlsx"])


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_takes_what_its_example_gives(name):
    benchmark = BENCHMARKS[name]
    options = vars(build_parser().parse_args(["benchmark", name, *benchmark.example.split()]))
    arguments = {option: value for option, value in options.items() if option not in {"command", "name"}}

    signature(benchmark.load()).bind(**arguments)


def test_the_logs_are_those_that_can_be_read():
    assert tuple(DATA_SETS) == LOGS


@pytest.mark.parametrize(
    ("name", "codes"), [("history", [0, 1, 2, 3, 75]), ("grouping", [0, 1, 2, 75]), ("ablation", [0, 2, 75])]
)
def test_help_lists_the_exit_codes_that_a_benchmark_has(name, codes, capsys):
    with pytest.raises(SystemExit):
        main(["benchmark", name, "--help"])

    listed = capsys.readouterr().out.partition("exit codes:\n")[2]
    assert [int(line.split()[0]) for line in listed.splitlines() if line] == codes


@pytest.mark.parametrize("command", [["simulate"], ["benchmark", "history"], ["demo"]])
def test_help_shows_an_example_and_exit_codes(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([*command, "--help"])

    shown = capsys.readouterr().out
    assert stopped.value.code == 0
    assert f"python -m experiments {' '.join(command)}" in shown.partition("examples:")[2]
    assert "exit codes:" in shown


def test_a_bad_option_is_one_sentence_without_a_traceback(tmp_path):
    command = [sys.executable, "-m", "experiments", "simulate", str(tmp_path), "--weeks", "0"]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert ended.stderr.strip() == "error: weeks of the school is 0; write 1 or more"
