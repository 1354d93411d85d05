"""Shared by all commands: progress on a terminal, plain lines elsewhere, errors without tracebacks."""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from features.errors import (
    USER_PATH,
    InputError,
    MissingError,
    RegroupError,
    TooManyRejectedError,
    UnavailableError,
    explain_os_error,
)

Row = TypeVar("Row")

OUT = Console(soft_wrap=True)
ERR = Console(stderr=True, soft_wrap=True)

logger = logging.getLogger("regroup")

OWNER_ONLY = 0o077
"""The umask of every command and of the service: what they write is for the owner alone, since it may name students."""

_TRAIN = {"jinja2", "joblib", "lightgbm", "mlflow", "pydantic", "sklearn"}
_SERVE = {
    "fastapi", "httptools", "jinja2", "lightgbm", "limits", "prometheus_client", "pydantic", "pydantic_settings",
    "starlette", "uvicorn", "uvloop",
}  # fmt: skip

EXTRAS = {
    "training": ("train", _TRAIN),
    "serving": ("serve", _SERVE),
    "experiments": ("bench", {"fairlearn", "matplotlib", "optuna"} | _TRAIN | _SERVE),
}
"""By package: the extra that it needs, and the modules that this extra installs."""

EXIT_CODES = {
    0: "done as asked",
    InputError.exit_code: "a file, a path, an option or a setting that was given is wrong",
    TooManyRejectedError.exit_code: "too many rows of a log are rejected; nothing was stored",
    MissingError.exit_code: "something that has to be made first is not there yet",
    UnavailableError.exit_code: "the database or a lock is busy or away, the disk is full or refuses; try again",
}
"""Meanings of the exit codes that all commands share."""


def describe_exit_codes(*shared: int, own: Mapping[int, str] | None = None) -> str:
    """The lines of `--help` about exit codes: 0, 2, 75 and further ones.

    Args:
        shared: Further codes of `EXIT_CODES`.
        own: Meanings of codes that only this command has.

    Example:
        >>> print(describe_exit_codes(own={10: "the champion was kept"}).splitlines()[-2])
          10  the champion was kept
    """
    codes = (0, InputError.exit_code, UnavailableError.exit_code, *shared)
    meanings = {code: EXIT_CODES[code] for code in codes} | dict(own or {})
    return "exit codes:\n" + "".join(f"  {code:<2}  {meanings[code]}\n" for code in sorted(meanings))


class JsonLines(logging.Formatter):
    """Turns a record into one line of JSON, as the service writes them.

    Example:
        >>> record = logging.LogRecord("regroup", logging.INFO, "", 0, "train: %d rows", (9,), None)
        >>> json.loads(JsonLines().format(record))["message"]
        'train: 9 rows'
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON; times are UTC."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": time, "level": record.levelname.lower(), "message": record.getMessage()}
        return json.dumps(line, ensure_ascii=False)


def run_command(command: Callable[[], int | None], *, json_lines: bool = False) -> None:
    """Runs a command and ends the process with its exit code.

    A `RegroupError` becomes one sentence on standard error and its own exit code, and so does whatever the operating
    system refuses. With `REGROUP_DEBUG` set, the traceback is shown instead. What is written is for the owner alone.

    Args:
        command: Returns the exit code.
        json_lines: Whether standard error has lines of JSON, also for an error, where it is no terminal.
    """
    os.umask(OWNER_ONLY)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    json_lines = json_lines and not ERR.is_terminal
    for handler in logging.getLogger().handlers if json_lines else ():
        handler.setFormatter(JsonLines())
    # handlers and bars of MLflow's own would write between our lines
    os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "false")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    for noisy in ("alembic", "mlflow", "httpx", "matplotlib"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        sys.exit(command() or 0)
    except (RegroupError, OSError) as error:
        if os.environ.get("REGROUP_DEBUG"):
            raise
        if isinstance(error, OSError):
            error = explain_os_error(error, f"{error.filename or 'something'} cannot be read or written")
        if json_lines:
            logger.error("%s", error)  # noqa: TRY400 - a sentence, without the traceback
        else:
            ERR.print(f"error: {error}", style="red", markup=False, highlight=False)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        ERR.print("stopped", markup=False)
        sys.exit(130)
    except ModuleNotFoundError as error:
        extra = find_extra(error.name or "", Path(sys.argv[0]).parent.name)
        if extra is None:
            raise
        message = (
            f"error: this command needs the extra `{extra}`, which is not installed: pip install 'regroup[{extra}]'"
        )
        ERR.print(message, style="red", markup=False, highlight=False)
        sys.exit(2)


def find_extra(module: str, package: str) -> str | None:
    """The extra that installs a module, the command's own package first; None where no extra does.

    Example:
        >>> find_extra("lightgbm.basic", "training"), find_extra("mlflow", "serving"), find_extra("features.x", "")
        ('train', 'train', None)
    """
    own = [EXTRAS[package]] if package in EXTRAS else []
    top = module.partition(".")[0]
    return next((extra for extra, modules in [*own, *EXTRAS.values()] if top in modules), None)


def track(rows: Iterable[Row], what: str, total: float | None = None) -> Iterator[Row]:
    """Yields the rows unchanged and shows how far they got.

    On a terminal a bar moves; elsewhere one line is logged when the work ends.

    Args:
        rows: What to go through.
        what: A few words for the bar, such as "reading".
        total: How many there will be, if known.
    """
    if not ERR.is_terminal:
        count = 0
        for row in rows:
            yield row
            count += 1
        logger.info("%s: done (%d)", what, count)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERR, transient=True) as progress:
        yield from progress.track(rows, description=what, total=total)


def write_json(path: Path | None, figures: object) -> None:
    """Writes the figures that a table showed, so that other programs can check them; without a path it does nothing.

    Raises:
        InputError: The path names no file that can be written.
        UnavailableError: The disk is full.
    """
    if path is not None:
        write_text(path, json.dumps(figures, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Writes a file that the user named, and the folders that it is in.

    Raises:
        InputError: The path names no file that can be written.
        UnavailableError: The disk is full.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def read_file(path: Path) -> bytes:
    """The bytes of a file that the user named.

    Raises:
        InputError: There is no such file, or it may not be read.
        UnavailableError: The disk fails.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise explain_os_error(error, f"{path} cannot be read", USER_PATH) from None


def check_place(path: Path | None, *, folder: bool = False) -> None:
    """Finds out, before there are figures to write, whether the place that the user named for them can be written.

    Args:
        path: A file, which stays as it is, or a folder, which is made; null is right as it is.
        folder: Which of the two.

    Raises:
        InputError: It is no such place.
        UnavailableError: The disk is full.
    """
    if path is None:
        return
    with writing(path):
        if folder:
            path.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=path):
                return
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        path.open("ab").close()
        if new:
            path.unlink()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the operating system refuses while a file or folder that the user named is written into a sentence.

    Raises:
        InputError: The path names nothing that can be written.
        UnavailableError: The disk is full.
    """
    try:
        yield
    except OSError as error:
        raise explain_os_error(error, f"{path} cannot be written", USER_PATH) from None
