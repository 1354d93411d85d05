"""`python -m serving export FOLDER`: writes what the service needs to start without a registry."""

import argparse
from pathlib import Path

from features.console import EXIT_CODES, OUT, writing
from features.errors import MissingError
from serving.cli import Commands, add_command

ABOUT = """Writes the champion's models and its newest profiles to a folder, which `python -m serving --bundle FOLDER`
serves without MLflow. The folder appears at once, complete; a bundle that is there already is replaced, and services
that read it swap it in within REGROUP_POLL_SECONDS. It holds profiles of students: keep it as you keep the home, and
export it again, or delete it, when a student is erased."""


def add_export(commands: Commands) -> None:
    """Adds the command and its options."""
    missing = MissingError.exit_code
    summary = "write what the service needs to start without a registry"
    parser = add_command(commands, "export", export, summary, "export bundle", {missing: EXIT_CODES[missing]})
    parser.description = ABOUT
    parser.add_argument("folder", metavar="FOLDER", type=Path)


def export(options: argparse.Namespace) -> int:
    """Writes the bundle and returns the exit code.

    Raises:
        MissingError: There is no champion.
        SnapshotError: Nothing was published for the champion.
        RegistryAwayError: The registry does not answer.
        InputError: The folder holds something else, or a file of the champion was altered.
    """
    from serving.models.published.bundle import write_artifacts
    from serving.models.published.registry import Registry
    from serving.models.published.sources import RegistrySource
    from serving.settings import read_settings

    settings = read_settings()
    source = RegistrySource(settings.home, Registry(settings.tracking))
    version = source.look()
    if version is None:
        raise MissingError("there is no champion to export yet; run `python -m training nightly`")
    with source.open(version) as artifacts, writing(options.folder):
        write_artifacts(options.folder.absolute(), artifacts)
    wrote = f"wrote run {version.champion.run_id} with profiles {version.publication} to {options.folder}"
    OUT.print(wrote, markup=False, highlight=False)
    return 0
