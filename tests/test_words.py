"""The glossary has each term once, and what it retires is gone from the code and from what people read."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
GLOSSARY = ROOT / "docs" / "glossary.md"
RETIRED = "\n## Retired names\n"

PRODUCT = ("features", "training", "serving", "experiments")

TEXTS = ("*.md", "docs/*.md", "experiments/*.md", "mlruns/*.md", "serving/openapi.json", "serving/**/*.toml")
"""What people read beside the strings in the code, which are messages, help and descriptions."""

EXCEPT = {
    "CHANGELOG.md": "says what a name was before it changed",
    "features/database/versions": "a released migration is never changed",
}


class Row(NamedTuple):
    """A cell of the table, sorted by what it retires: names in code, ends of paths, and words in text."""

    names: list[str]
    paths: list[str]
    words: list[str]


def read_tables(text: str) -> Iterator[list[str]]:
    """The cells of each row of each table of a page, without the titles."""
    for line in re.findall(r"^\|(?!-)(.*)\|$\n(?!\|-)", text, re.MULTILINE):
        yield [cell.strip() for cell in line.split("|")]


def read_retired() -> list[Row]:
    """The rows of the table of retired names."""
    rows = []
    for retired, _ in read_tables(GLOSSARY.read_text(encoding="utf-8").split(RETIRED)[1]):
        code = re.findall(r"`([^`]+)`", retired)
        plain = [part.strip() for part in retired.split(",")]
        rows.append(
            Row(
                [part for part in code if not part.endswith(".py")],
                [part for part in code if part.endswith(".py")],
                [part for part in plain if not part.startswith("`")],
            )
        )
    return rows


def one_of(parts: list[str]) -> str:
    """A pattern that any of the parts matches; `*` stands for any ending, and a space for any white space."""
    return "|".join(re.escape(part).replace(r"\*", r"\w*").replace(r"\ ", r"\s+") for part in parts) or r"(?!)"


ROWS = read_retired()
NAME = re.compile(rf"_*(?:{one_of([name for row in ROWS for name in row.names])})")
PATH = re.compile(rf"(?:.*/)?(?:{one_of([path for row in ROWS for path in row.paths])})")
WORD = re.compile(rf"(?<![\w-])(?:{one_of([word for row in ROWS for word in row.words])})(?![\w-])", re.IGNORECASE)


@cache
def is_retired(name: str) -> bool:
    """Whether a name in code is a retired one, with or without underscores before it."""
    return NAME.fullmatch(name) is not None


def find_in_path(path: str) -> list[str]:
    """Retired names of a file and of the folders it is in."""
    found = [path] if PATH.fullmatch(path) else []
    return found + [part for part in Path(path).with_suffix("").parts if is_retired(part)]


def find_in_code(source: str) -> list[str]:
    """Retired names in Python code, and retired words in its strings other than docstrings."""
    nodes = list(ast.walk(ast.parse(source)))
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    if "__doc__" in source:  # is shown by --help
        docstrings.clear()
    found = []
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            found += [f"{node.lineno}: {word}" for word in find_in_text(node.value)]
        for name in _names(node):
            if is_retired(name):
                found.append(f"{getattr(node, 'lineno', 0)}: {name}")
    return found


def _names(node: ast.AST) -> Iterator[str]:
    for field in ("id", "attr", "arg", "name", "asname", "module", "rest"):
        value = getattr(node, field, None)
        if isinstance(value, str):
            yield from value.split(".")


def find_in_text(text: str) -> list[str]:
    """Retired words in text that people read."""
    return [match.group() for match in WORD.finditer(text)]


def product_files() -> Iterator[tuple[str, Path]]:
    """The product's Python files, by path in the project."""
    for package in PRODUCT:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(tuple(EXCEPT)):
                yield name, path


def test_no_retired_name_is_left_in_the_code():
    found = []
    for name, path in product_files():
        found += [f"{name}: {part}" for part in find_in_path(name)]
        found += [f"{name}:{part}" for part in find_in_code(path.read_text(encoding="utf-8"))]

    assert found == []


def test_no_retired_word_is_left_in_what_people_read():
    found = []
    for pattern in TEXTS:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            text = path.read_text(encoding="utf-8")
            if not name.startswith(tuple(EXCEPT)):
                found += [f"{name}: {word}" for word in find_in_text(text.split(RETIRED)[0])]

    assert found == []


def test_every_row_of_the_table_can_fail():
    missed = []
    for row in ROWS:
        assert any(row)
        for name in (name.replace("*", "x") for name in row.names):
            code = f"def f(a):\n    return a._{name}\n"
            missed += [name] * (not find_in_code(code) or not find_in_path(f"serving/{name}/x.py"))
        missed += [path for path in row.paths if not find_in_path(f"serving/{path}")]
        for word in (word.replace("*", "x") for word in row.words):
            text = f"Here are\n{word.replace(' ', chr(10))}, at last."
            missed += [word] * (not find_in_text(text) or not find_in_code(f"def f():\n    return {text!r}\n"))

    assert missed == []


def test_the_glossary_has_each_term_once():
    terms = []
    for term, meaning, _ in read_tables(GLOSSARY.read_text(encoding="utf-8").split(RETIRED)[0]):
        assert meaning
        terms += [part.strip() for part in term.split(",")]

    assert len(terms) > 50
    assert sorted({term for term in terms if terms.count(term) > 1}) == []
    assert find_in_text(" ".join(terms)) == []
