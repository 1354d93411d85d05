"""`python -m serving export FOLDER`: what the service needs to start without a registry."""

import argparse
from pathlib import Path

from features.console import OUT, describe_exit_codes, writing
from features.errors import MissingError

ABOUT = """Writes the champion's models and its newest profiles to a folder, which `python -m serving --bundle FOLDER`
serves without MLflow. The folder appears at once, complete; a bundle that is there already is replaced, and services
that read it swap it in within REGROUP_POLL_SECONDS. It holds profiles of students: keep it as you keep the home, and
export it again, or delete it, when a student is erased."""


def add_export(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.description = ABOUT
    parser.epilog = describe_exit_codes(MissingError.exit_code)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("folder", metavar="FOLDER", type=Path)


def export(given: argparse.Namespace) -> int:
    """Writes the bundle and returns the exit code.

    Raises:
        MissingError: There is no champion.
        SnapshotError: Nothing was published for the champion.
        RegistryAwayError: The registry does not answer.
        InputError: The folder holds something else, or a file of the champion was altered.
    """
    from serving.models.bundle import write_artifacts  # noqa: PLC0415 - --help must not wait for it
    from serving.models.registry import Registry  # noqa: PLC0415
    from serving.models.sources import RegistrySource  # noqa: PLC0415
    from serving.settings import read_settings  # noqa: PLC0415

    settings = read_settings()
    source = RegistrySource(settings.home, Registry(settings.tracking))
    version = source.look()
    if version is None:
        raise MissingError("there is no champion to export yet; run `python -m training nightly`")
    with source.open(version) as artifacts, writing(given.folder):
        write_artifacts(given.folder.absolute(), artifacts)
    told = f"wrote run {version.champion.run_id} with profiles {version.publication} to {given.folder}"
    OUT.print(told, markup=False, highlight=False)
    return 0
