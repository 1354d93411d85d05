"""Choices come from one TOML, and a wrong one is a sentence."""

import tomllib
from importlib import resources

import pytest

from features.errors import InputError
from training.config import TrainingConfig, load_config
from training.errors import ConfigError


@pytest.fixture
def load(tmp_path):
    """Loads a TOML text laid over the defaults."""

    def _load(text):
        path = tmp_path / "choices.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_config(path)

    return _load


def test_the_default_file_names_every_choice():
    """No choice hides in the code: the defaults are in one place, and complete."""
    stored = tomllib.loads(resources.files("training").joinpath("default.toml").read_text("utf-8"))

    fields = {name: set(section.annotation.model_fields) for name, section in TrainingConfig.model_fields.items()}

    assert {name: set(values) for name, values in stored.items()} == fields


def test_a_file_changes_what_it_names_and_nothing_else(load):
    """The rest stays at the defaults; another choice is another digest."""
    config, default = load("[mastery_rule]\nstreak = 4\n"), load_config()

    assert config.mastery_rule.streak == 4
    assert config.mastery_rule.horizon == default.mastery_rule.horizon
    assert config.boosting == default.boosting
    assert config.digest != default.digest == load("").digest


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[boosting]\nround = 3", r"boosting\.round: there is no such key; did you mean boosting\.rounds\?"),
        ("[bosting]\nrounds = 3", r"bosting: there is no such key; did you mean boosting\?"),
        ("streak = 3", r"streak: there is no such key; did you mean mastery_rule\.streak\?"),
        ("[gate]\nzebra = 3", r"gate\.zebra: there is no such key; known are gate\.max_ece, gate\.min_students"),
        ("[boosting]\nrounds = 0", r"boosting\.rounds: .*greater than or equal to 1, not 0"),
        ('[boosting]\nrounds = "many"', r"boosting\.rounds: .*valid integer"),
        ("boosting = 3", "boosting: Input should be a valid dictionary"),
        ("[mastery_rule]\nstreak = 12", "streak 12 can never be met within horizon 10"),
        ("[split]\ntrain_share = 0.9", "must leave a holdout"),
        ("[split]\ngap_days = inf", r"split\.gap_days: .*finite number"),
        ("[gate]\nmax_ece = nan", r"gate\.max_ece: .*finite number"),
        ("[boosting\nrounds = 3", "is not valid TOML: .*line 1"),
        (b"\xff\xfe", "is not valid TOML"),
    ],
)
def test_a_wrong_choice_is_a_sentence_with_its_place(load, text, sentence):
    """It names the file, the key and what would be right."""
    with pytest.raises(ConfigError, match=rf"choices\.toml .*{sentence}"):
        load(text)


def test_a_missing_file_is_a_sentence(tmp_path):
    """Not a traceback."""
    with pytest.raises(InputError, match=r"none\.toml cannot be read: No such file"):
        load_config(tmp_path / "none.toml")
