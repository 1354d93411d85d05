"""`python -m serving`: runs the service, or one of the commands beside it."""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from features.console import OUT, run_command, write_text
from serving.cli import Commands, add_command, write_epilog
from serving.cli.audit import add_audit
from serving.cli.compile import add_compile
from serving.cli.erase import add_erase
from serving.cli.export import add_export
from serving.cli.keys import add_keys
from serving.cli.plans import add_evaluate, add_plan
from serving.cli.serve import add_serve_options

EXAMPLES = """--port 8000
--open
--bundle bundle
keys issue --name "Untis export" --scope read --scope plan
plan day.json --seconds 1 --json plan.json --svg day.svg"""

EXITS = {
    1: "an edited plan breaks a rule, or a file that holds an erased student is left",
    2: "a setting, a file or a bundle is wrong, the port is taken, or no plan of a day keeps every rule",
    4: "there is no champion or there are no profiles yet; --wait waits for them instead",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the service until it is stopped, or one of the other commands."""
    options = build_parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    return run(options)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands, each of which leaves the function that runs it in `run`."""
    parser = argparse.ArgumentParser(
        prog="python -m serving",
        description="Runs the service until it is stopped, or one of the commands.",
        epilog=write_epilog(EXAMPLES, EXITS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_serve_options(parser)
    commands = parser.add_subparsers(title="commands")
    for add in (
        add_keys,
        add_audit,
        add_erase,
        add_plan,
        add_evaluate,
        add_export,
        add_compile,
        _add_openapi,
    ):
        add(commands)
    return parser


def _add_openapi(commands: Commands) -> None:
    summary = "write the OpenAPI contract to a file"
    openapi = add_command(commands, "openapi", _write_openapi, summary, "openapi openapi.json")
    openapi.add_argument("path", type=Path, metavar="FILE")


def _write_openapi(options: argparse.Namespace) -> int:
    from serving.app import create_app  # noqa: PLC0415 - --help must not wait for it

    write_text(options.path, json.dumps(create_app().openapi(), indent=1) + "\n")
    OUT.print(f"wrote {options.path}", markup=False)
    return 0


if __name__ == "__main__":
    run_command(main)
