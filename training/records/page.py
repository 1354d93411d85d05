"""The page of a night, which a person reads the next morning: as Markdown, and as HTML for screens and paper."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

HEADLINES = {
    "ok": "All is well",
    "notice": "Worth a look",
    "alarm": "Look at this today",
    "stop": "Act now",
}
"""What stands at the top, by the gravest level of what the night found."""

MEASURES = {
    "auc": "ranks who it happens to above who not (AUC)",
    "average_precision": "the same, for the highest forecasts (average precision)",
    "precision_at_places": "who gets one of the adults' places and needs it (precision)",
    "recall_at_places": "who needs a place and gets one (recall)",
    "ece": "distance of forecasts from what happens (calibration error)",
    "log_loss": "log-loss, lower is better",
    "brier": "Brier score, lower is better",
}
"""Metrics in words, in the order of the page."""


@dataclass(frozen=True)
class Page:
    """What the page of one night says, as plain values; it names no student.

    Attributes:
        night: Date of the data's moment, YYYY-MM-DD; `no clock` for a log without one.
        written: When the page was written, in UTC.
        level: `ok`, `notice`, `alarm` or `stop`: the gravest thing of the night.
        verdict: How the night ended, in a sentence.
        changes: What is other than the night before, a sentence each.
        advice: What to do, a sentence each; empty where there is nothing to do.
        reasons: A sentence for each figure that counted in the verdict.
        findings: What the checks found, with `name`, `level`, `sentence`, `figure`, `limit`, `advice` and `school`.
        received: What came in, and what became of it, by name.
        coverage: For how many students there are forecasts; null where no profiles stand, or the roster cannot be read.
        cost: Seconds by step, memory and disk.
        evaluation: `metrics`, `groups` and `reliability` of the challenger by forecast; each empty without one.
        facts: What the night worked on, and which runs it is about.
    """

    night: str
    written: str
    level: str
    verdict: str
    changes: tuple[str, ...]
    advice: tuple[str, ...]
    reasons: tuple[str, ...]
    findings: tuple[Mapping[str, Any], ...]
    received: Mapping[str, str]
    coverage: Mapping[str, Any] | None
    cost: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    facts: Mapping[str, str]


def render_page(page: Page, kind: str) -> str:
    """Renders a page.

    Args:
        page: What it says.
        kind: `md`, or `html`: one file without any other, light or dark as the reader's screen is set, and for paper.
    """
    template = _templates().get_template(f"record.{kind}.j2")
    return template.render(**asdict(page), headline=HEADLINES[page.level], measures=MEASURES)


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("training.records"),
        autoescape=select_autoescape(("html.j2", "svg.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {"interval": _say_interval, "number": _say_number, "cell": _one_cell}
    return templates


def _say_interval(interval: Mapping[str, float | None] | None, digits: int = 3) -> str:
    """A figure with its interval, where it has one: `0.801 (0.790 to 0.812)`."""
    if interval is None or interval["value"] is None:
        return "-"
    text = _say_number(interval["value"], digits)
    if interval["low"] is None:
        return text
    return f"{text} ({_say_number(interval['low'], digits)} to {_say_number(interval['high'], digits)})"


def _say_number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _one_cell(text: object) -> str:
    """A text that stays in one cell of a Markdown table and is no HTML."""
    return " ".join(str(text).replace("|", "\\|").replace("<", "&lt;").split())
