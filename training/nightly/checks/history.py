"""What was measured of earlier nights: one small file for each in the home, without an id."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from features.home import Home
from features.publications import MOMENT
from training.nightly.checks.measures import Figure, Measures

FORMAT, READABLE = 2, (1, 2)
"""Of the files that are written, and of those that can be read: the first had no bridges."""

DIGITS = 6
"""Decimals of a figure that are kept."""


def read_history(home: Home, before: datetime) -> list[Measures]:
    """The nights before a moment, the oldest first; files that another version wrote are passed over."""
    nights = (_read(path) for path in sorted(home.checks.glob("*.json")))
    return [night for night in nights if night is not None and night.moment < before]


def write_measures(home: Home, night: Measures) -> None:
    """Keeps a night, in the place of an earlier one of the same moment."""
    home.checks.mkdir(parents=True, exist_ok=True)
    path = home.checks / f"{night.moment.strftime(MOMENT)}.json"
    draft = path.with_name(f".{path.name}")
    draft.write_text(json.dumps(_to_json(night), ensure_ascii=False), encoding="utf-8")
    draft.replace(path)


def count_late(history: Sequence[Measures], days: dict[str, int]) -> int | None:
    """Answers of days before the last night that came since; null without an earlier night.

    Args:
        history: Earlier nights, the oldest first.
        days: Answers of each of the last days as they are known now, by ISO date.
    """
    if not history:
        return None
    last = history[-1]
    return sum(
        max(0, count - last.days.get(day, 0)) for day, count in days.items() if last.days and day <= max(last.days)
    )


def _to_json(night: Measures) -> dict[str, object]:
    figures = {
        school: {name: [round(figure.value, DIGITS), round(figure.spread, DIGITS)] for name, figure in by_name.items()}
        for school, by_name in night.figures.items()
    }
    return {
        "format": FORMAT,
        "moment": night.moment.isoformat(),
        "run_id": night.run_id,
        "students": dict(night.students),
        "members": dict(night.members),
        "days": dict(night.days),
        "figures": figures,
        "bridge": {
            school: {name: round(step, DIGITS) for name, step in steps.items()}
            for school, steps in night.bridge.items()
        },
        "beyond": [[school, name, sign] for (school, name), sign in night.beyond.items()],
    }


def _read(path: Path) -> Measures | None:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    if not isinstance(stored, dict) or stored.pop("format", None) not in READABLE:
        return None
    night = Measures(**stored)
    return replace(
        night,
        moment=datetime.fromisoformat(stored["moment"]),
        figures={
            school: {name: Figure(*pair) for name, pair in by_name.items()}
            for school, by_name in stored["figures"].items()
        },
        beyond={(school, name): sign for school, name, sign in stored["beyond"]},
    )
