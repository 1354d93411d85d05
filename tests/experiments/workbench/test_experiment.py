"""An experiment is a file of choices, and a wrong one is a sentence that says what would be right."""

from datetime import UTC, datetime

import pytest

from experiments.workbench.runs.experiment import make_experiment, read_experiment
from experiments.workbench.runs.folds import list_folds
from features.errors import InputError
from training.config import load_config


@pytest.fixture
def read(tmp_path):
    """Reads a TOML text as `first-try.toml`, with settings laid over it."""

    def _read(text="", *settings):
        path = tmp_path / "first-try.toml"
        path.write_text(text, encoding="utf-8")
        return read_experiment(path, settings)

    return _read


def test_a_file_needs_to_say_nothing(read):
    experiment = read()

    assert experiment.name == "first-try"
    assert experiment.training == load_config()
    assert experiment.judge == experiment.training.mastery_rule
    assert [fold.name for fold in list_folds(experiment)] == [f"whole log, fold {number}" for number in range(5)]


def test_the_rule_that_judges_is_the_one_that_is_learned_by_unless_it_is_named(read):
    both, apart = read("[label]\nstreak = 4"), read("[label]\nstreak = 4\n[judge]\nstreak = 3\nhorizon = 12")

    assert (both.training.mastery_rule.streak, both.judge.streak) == (4, 4)
    assert (apart.training.mastery_rule.streak, apart.judge.streak, apart.judge.horizon) == (4, 3, 12)
    assert apart.training.mastery_rule.horizon == 10


def test_settings_are_laid_over_the_file(read):
    experiment = read(
        "[split]\nfolds = 4", "split.folds=7", "name=quick", "seeds=[4, 5]", "training.boosting.rounds = 9"
    )

    assert (experiment.split.folds, experiment.name, experiment.seeds) == (7, "quick", (4, 5))
    assert experiment.training.boosting.rounds == 9
    assert experiment.training.boosting.leaves == load_config().boosting.leaves


def test_moments_are_in_utc(read):
    experiment = read('[data]\nas_of = [2026-03-09, "2026-03-10T06:00", 2026-03-11T00:00:00-05:00]')

    days = [
        datetime(2026, 3, 9, tzinfo=UTC),
        datetime(2026, 3, 10, 6, tzinfo=UTC),
        datetime(2026, 3, 11, 5, tzinfo=UTC),
    ]
    assert list(experiment.data.as_of) == days


def test_baselines_have_no_use_for_seeds():
    assert make_experiment(name="plain", model="rule", seeds=[7, 8]).runs_of_seeds == (7,)


@pytest.mark.parametrize(
    ("text", "settings", "sentence"),
    [
        ("sedes = [1]", (), r"sedes: there is no such key; did you mean seeds\?"),
        ("rounds = 3", (), r"rounds: there is no such key; did you mean training\.boosting\.rounds\?"),
        ("[training.bosting]\nrounds = 3", (), r"training\.bosting: there .* did you mean training\.boosting\?"),
        (
            "[label]\nstreek = 3",
            (),
            r"training\.mastery_rule\.streek: there .* did you mean training\.mastery_rule\.streak",
        ),
        ("[features]\nhint = false", (), "features hint are no family; use skill, recent, .*hints"),
        ("[features]\nhints = false", ("model=rule",), "rule has columns of its own"),
        ("model = 'trees'", (), "model: Input should be 'boosting', .* not 'trees'"),
        ("seeds = [1, 1]", (), "seeds names a seed twice"),
        ("", ("judge.streak=40",), r"judge\.streak: .*less than or equal to 20, not 40"),
        ("", ("data.log=assistments",), "log 'assistments' is not known; use one of gervet-assistments09, .* or none"),
        ("", ("data.as_of=['May']",), r"data\.as_of\.0: 'May' is not a moment such as 2026-03-09"),
        ("", ("label=3",), "label is 3; it must be a section"),
        ("", ("seeds.first=1",), r"seeds: Input should be a valid tuple"),
        ("", ("training",), "'training' is no key=value"),
        ("name = 3\n[split", (), "first-try.toml is not valid TOML"),
    ],
)
def test_a_wrong_choice_is_a_sentence(read, text, settings, sentence):
    with pytest.raises(InputError, match=sentence):
        read(text, *settings)
