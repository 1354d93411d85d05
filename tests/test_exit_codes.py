"""Every `--help` lists exit codes, and they are those of the error tree; nothing the machine refuses is a traceback."""

import importlib
import re
from pathlib import Path

import pytest

import features.__main__
import training.errors
from features import errors
from features.console import run_command

PACKAGES = ("features", "training", "serving", "experiments")

OUTCOMES = {0, 1, 10, 11, 12}
"""Codes that say how something went, and not that something was refused."""


def help_of(capsys, package, *command):
    with pytest.raises(SystemExit) as end:
        importlib.import_module(f"{package}.__main__").main([*command, "--help"])
    assert end.value.code == 0
    return capsys.readouterr().out


def codes_in(text):
    return {int(code) for code in re.findall(r"^  (\d+) +\w", text.partition("exit codes:")[2], re.MULTILINE)}


def commands_in(text):
    """The sub-commands that a help lists."""
    listed = re.search(r"^ {2}\{([a-z0-9,-]+)\}", text, re.MULTILINE)
    return listed[1].split(",") if listed else []


def pages_of(capsys, package, command=(), above=frozenset()):
    """Each command's exit codes, or those of the command above it where it lists none itself."""
    text = help_of(capsys, package, *command)
    codes = codes_in(text) or above
    below = commands_in(text)
    if not below or codes_in(text):
        yield command, codes
    for name in below:
        yield from pages_of(capsys, package, (*command, name), codes)


def classes(module):
    return {item for item in vars(module).values() if isinstance(item, type) and issubclass(item, errors.RegroupError)}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_help_lists_codes_of_the_error_tree(package, capsys):
    raised = {kind.exit_code for kind in classes(errors) | classes(training.errors)}

    pages = dict(pages_of(capsys, package))

    assert len(pages) > 1
    for command, codes in pages.items():
        assert {0, 2, 75} <= codes <= raised | OUTCOMES, command


def test_the_help_of_training_lists_every_error_of_training(capsys):
    assert {kind.exit_code for kind in classes(training.errors)} - {1} <= codes_in(help_of(capsys, "training"))


def test_no_schedule_tries_again_what_needs_a_person(capsys):
    """After an alarm a second try would find nothing to do, and end as if all were well."""
    schedules = Path(__file__).parents[1] / "docs" / "schedules"
    well, again = {0, 10, 11}, {75}
    codes = codes_in(help_of(capsys, "training", "nightly")) - well - again

    for name, listed in (
        ("regroup-nightly.service", r"RestartPreventExitStatus=([\d ]+)"),
        ("nightly-cronjob.yaml", r"values: \[([\d, ]+)\]"),
    ):
        found = re.search(listed, (schedules / name).read_text())
        assert {int(code) for code in re.findall(r"\d+", found[1])} == codes, name


def test_the_tree_is_drawn_as_it_is():
    """Each class with its exit code, under the class that it is a kind of."""
    drawn, above = {}, []
    for indent, name, code in re.findall(r"^([│├└─ ]*)(\w+Error) +(\d+)  \w", errors.__doc__, re.MULTILINE):
        above[len(indent) // 4 :] = [name]
        drawn[name] = above[-2] if len(above) > 1 else "Exception", int(code)

    assert drawn == {kind.__name__: (kind.__base__.__name__, kind.exit_code) for kind in classes(errors)}


@pytest.fixture
def ingest(tmp_path, monkeypatch, capsys):
    """Runs the command on a small log; its exit code and the last line that it said."""
    monkeypatch.setenv("REGROUP_HOME", str(tmp_path / "home"))
    (tmp_path / "log.csv").write_text("who,what,at,right\n007,i1,2026-03-09T10:00:00Z,1\n")
    (tmp_path / "map.toml").write_text('[columns]\nstudent = "who"\nitem = "what"\ntime = "at"\ncorrect = "right"\n')

    def run(*options):
        command = ["ingest", tmp_path / "log.csv", "--mapping", tmp_path / "map.toml", *options]
        with pytest.raises(SystemExit) as end:
            run_command(lambda: features.__main__.main([str(word) for word in command]))
        return end.value.code, capsys.readouterr().err.splitlines()[-1]

    return run


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_disk_that_is_full_is_no_mistake_in_what_was_given(ingest, tmp_path):
    full = ingest("--json", "/dev/full")
    folder = ingest("--json", tmp_path)

    assert full == (75, "error: /dev/full cannot be written: the disk is full; make room and try again")
    assert folder == (2, f"error: {tmp_path} cannot be written: Is a directory")


def test_an_ingest_without_its_database_ends_with_75(ingest, monkeypatch):
    monkeypatch.setenv("REGROUP_DATABASE_URL", "postgresql://me:hunter2@localhost:1/x")

    code, said = ingest()

    assert code == 75
    assert "PostgreSQL at localhost cannot be used" in said
    assert "hunter2" not in said


def test_whatever_the_system_refuses_is_a_sentence(tmp_path, capsys):
    """Also where nobody foresaw it."""
    with pytest.raises(SystemExit) as end:
        run_command(lambda: len((tmp_path / "none").read_bytes()))

    assert end.value.code == 75
    assert (
        capsys.readouterr().err == f"error: {tmp_path / 'none'} cannot be read or written: No such file or directory\n"
    )
