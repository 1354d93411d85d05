"""The operations page lists what is read, kept and returned, and no more."""

import ast
import re
from functools import cache
from pathlib import Path

from features import errors
from features.errors import RegroupError
from features.home import Home
from serving.audit.spool import SPOOL
from serving.settings import Settings
from serving.store.erasure import STORES
from training import errors as training_errors

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

VARIABLE = re.compile(r"(REGROUP|MLFLOW|NUMBA|OMP|PROMETHEUS)_[A-Z_]+")


def read_table(first: str) -> list[list[str]]:
    """The cells of each row of the table whose first column has this title."""
    rows = PAGE.split(f"\n| {first} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def names_in(text: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", text)


@cache
def literals() -> set[str]:
    """The strings in the code of what is run every day."""
    sources = [path for package in ("features", "training", "serving") for path in (ROOT / package).rglob("*.py")]
    nodes = (node for path in sources for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_environment_variable_stands_in_the_page_and_no_other():
    told = [name for row in read_table("variable") for name in names_in(row[0])]
    set_by_us = names_in(PAGE.split("regroup sets these", 1)[1].split("\n", 1)[0])

    settings = {
        str(field.validation_alias or f"REGROUP_{name.upper()}") for name, field in Settings.model_fields.items()
    }
    named = {text for text in literals() if VARIABLE.fullmatch(text)}
    assert sorted(told + set_by_us) == sorted(settings | named)


def test_every_default_of_a_setting_is_right():
    told = {row[0].strip("`").removeprefix("REGROUP_").lower(): row[1] for row in read_table("variable")}

    for name, field in Settings.model_fields.items():
        if isinstance(field.default, bool):
            assert told[name] == str(field.default).lower()
        elif isinstance(field.default, int | float):
            assert float(told[name]) == field.default, name


def test_every_file_in_the_home_stands_in_the_page_with_whether_it_holds_students():
    told = {name: row[2] == "yes" for row in read_table("path") for name in names_in(row[0])}

    home = Home(ROOT)
    parts = [getattr(home, name) for name in vars(Home) if name != "root"]
    folders = {path.relative_to(ROOT).as_posix() for path in parts if isinstance(path, Path)}
    code = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("[fts]*/**/*.py"))
    locks = {f"{name}.lock" for name in re.findall(r"\.lock\(\"(\w+)\"\)", code)}
    assert set(told) == folders | locks | {"regroup.db"}
    assert {name for name, students in told.items() if students} == {
        folder for store in (*STORES, SPOOL) for folder in store.folders
    } | {"regroup.db"}


def test_every_exit_code_stands_in_the_page():
    told = {row[0].strip("`"): int(row[1]) for row in read_table("class")}

    classes = [*vars(errors).values(), *vars(training_errors).values()]
    codes = {
        each.__name__: each.exit_code for each in classes if isinstance(each, type) and issubclass(each, RegroupError)
    }
    assert told == codes


def test_every_metric_in_the_page_is_one_of_the_service():
    told = set(re.findall(r"regroup_[a-z_]+", PAGE))

    assert told
    assert told <= literals()
