"""The planner's page lists what the planner's code has, and no more."""

import inspect
import re
from dataclasses import asdict
from pathlib import Path

from serving.grouping.infeasible.concessions import GRADED_PENALTIES, PENALTIES
from serving.grouping.problem.policy import Weights
from serving.grouping.rules.check import RULES, form
from serving.grouping.rules.objective import TERMS
from serving.grouping.search import kernel as search

PAGE = Path(__file__).parents[1] / "docs" / "planner.md"


def read_table(first: str) -> list[list[str]]:
    """The cells of each row of the table whose first column has this title."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def read_names(first: str) -> list[str]:
    """The names in backticks of the first column."""
    return [name for row in read_table(first) for name in re.findall(r"`(\w+)`", row[0])]


def test_every_hard_rule_stands_in_the_page_once():
    rules = read_names("rule")

    assert rules == [rule.__name__ for rule in (form, *RULES)]


def test_every_soft_term_stands_in_the_page_with_its_default_weight():
    terms = {row[0].strip("`"): float(row[-1]) for row in read_table("term")}

    assert list(terms) == [term.__name__ for term in TERMS]
    assert terms == asdict(Weights())


def test_every_move_of_the_search_stands_in_the_page_once():
    moves = read_names("move")

    called = re.findall(r"move == ([A-Z_]+):", inspect.getsource(search))
    assert moves == [name.lower() for name in called]


def test_every_rule_that_may_be_given_up_stands_in_the_page_with_its_price():
    prices = {
        name: [float(figure) for figure in re.findall(r"\d+(?:\.\d+)?", row[1].split(";")[0])]
        for row in read_table("rule given up")
        for name in re.findall(r"`(\w+)`", row[0])
    }

    assert prices == {name: [price] for name, price in PENALTIES.items()} | {
        name: list(price) for name, price in GRADED_PENALTIES.items()
    }
