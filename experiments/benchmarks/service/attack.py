"""Part `attack`: callers who mean harm, one kind after the other, and what everybody else gets meanwhile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.service.attacks.edge import send_big_bodies, send_slow_headers, stay_half_open
from experiments.benchmarks.service.attacks.hog import hog_the_solver
from experiments.benchmarks.service.attacks.soak import soak
from experiments.benchmarks.service.school import School
from features.console import track


@dataclass(frozen=True)
class Attack:
    """One kind of attack.

    Attributes:
        summary: What the attackers do; one line.
        run: Starts a service, attacks it and returns figures by name. Arguments are the school, the file that servers
            log to, and whether to be quick.
        most: The most that a figure may be, by its name.
        least: The least that a figure has to be, by its name.
    """

    summary: str
    run: Callable[[School, Path, bool], dict[str, Any]]
    most: Mapping[str, float]
    least: Mapping[str, float]

    def judge(self, figures: Mapping[str, Any]) -> list[str]:
        """Returns a sentence about each figure that is beyond its bound, or is not a number; null was not measured."""
        over = [f"{name} is {figures[name]:.3g}, not at most {most:g}" for name, most in self.most.items()
                if figures[name] is not None and not figures[name] <= most]  # fmt: skip
        under = [f"{name} is {figures[name]:.3g}, not at least {least:g}" for name, least in self.least.items()
                 if not figures[name] >= least]  # fmt: skip
        return over + under


ATTACKS = {
    "slow_headers": Attack(
        "two connections without a key send a header that never ends",
        send_slow_headers,
        most={"livez_p99_ms": 50},
        least={"livez_ok_share": 0.99},
    ),
    "half_open": Attack(
        "3,000 connections without a key begin a request and never end it, at 1,024 open files a process",
        stay_half_open,
        most={},
        least={"livez_ok_share": 0.99},
    ),
    "big_bodies": Attack(
        "eight connections send batches of 16 MB, first with a key that may only read, then with one that may load",
        send_big_bodies,
        most={"board_p99_ms": 300, "livez_p99_ms": 50, "loading_board_p99_ms": 300},
        least={"board_ok_share": 0.99},
    ),
    "hog": Attack(
        "40 connections of one key of one school ask for plans of 30 seconds without a pause",
        hog_the_solver,
        most={},
        least={"other_school_plans_ok_share": 0.95, "same_school_plans_ok_share": 0.95},
    ),
    "soak": Attack(
        "50,000 requests of every kind beside live events of all teams, at two workers",
        soak,
        most={"slope_mb_per_10k": 1, "rss_mb": 700, "failed": 0},
        least={},
    ),
}
"""Attacks by name, in the order in which they are made."""


def run_attacks(school: School, log: Path, *, quick: bool) -> dict[str, Any]:
    """Returns the figures of each attack, and in `wrong` a sentence about each that is beyond its bound.

    Args:
        school: Trained; events and plans are added to it.
        log: Where the servers write.
        quick: Whether to attack briefly.
    """
    figures: dict[str, Any] = {}
    wrong = []
    for name, attack in track(ATTACKS.items(), "attacks", total=len(ATTACKS)):
        figures[name] = attack.run(school, log, quick)
        wrong += [f"{name}: {sentence}" for sentence in attack.judge(figures[name])]
    print_tables(_show(figures))
    return figures | {"wrong": wrong}


def _show(figures: Mapping[str, Mapping[str, Any]]) -> Table:
    """Returns the table of the figures that have a bound."""
    table = make_table("what others get while the service is attacked", ["attack", "figure"], ["measured", "bound"])
    for name, attack in ATTACKS.items():
        for figure, bound in attack.most.items():
            measured = figures[name][figure]
            table.add_row(name, figure, "" if measured is None else f"{measured:.4g}", f"≤ {bound:g}")
        for figure, bound in attack.least.items():
            table.add_row(name, figure, f"{figures[name][figure]:.4g}", f"≥ {bound:g}")
    return table
