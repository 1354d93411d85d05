"""How a night ended: one readable record for each, and whether the same was processed before."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from features.errors import RegroupError
from training.errors import BrokenTrainingError, DataGateError, QualityGateError, RosterGateError
from training.nightly.facts import Night
from training.nightly.findings import Finding
from training.nightly.ingest import Inbox
from training.records.report import write_decision

REFUSALS = (DataGateError, QualityGateError, BrokenTrainingError, RosterGateError)
"""How a night ends without a challenger that may be compared; the champion has profiles of today all the same."""


@dataclass(frozen=True)
class Outcome:
    """How a night ended.

    Attributes:
        did: `promoted`, `kept`, or `nothing` when the same data, choices and code were already processed.
        run_id: The run that the record is about.
        record: Where the readable decision is.
        refused: How many files of the inbox could not be read and were set aside.
        findings: What the checks found; nothing where the same was already processed.
    """

    did: str
    run_id: str
    record: Path
    refused: int = 0
    findings: tuple[Finding, ...] = ()


def find_outcome(night: Night, inbox: Inbox) -> Outcome | None:
    """Finds the record of an earlier night that had the same facts; None where there was none.

    Raises:
        DataGateError: That night had too little data.
        QualityGateError: That night left nothing to serve.
    """
    record = _record_path(night)
    try:
        earlier = json.loads(record.with_suffix(".json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if inbox.refused:
        with record.open("a", encoding="utf-8") as file:
            file.write(f"\nOnce more, with nothing new to learn from: {inbox.sentence}.\n")
    for refusal in REFUSALS:
        if earlier["refusal"] == refusal.__name__:
            raise refusal(f"this data, configuration and code failed before: {earlier['why']}")
    return Outcome("nothing", earlier["run_id"], record, inbox.refused)


def write_record(
    night: Night,
    verdict: str,
    reasons: Sequence[str],
    about: Mapping[str, str],
    *,
    run_id: str = "",
    refusal: RegroupError | None = None,
) -> Path:
    """Writes the record, after which the same facts count as processed, unless the training broke or the roster shrank.

    Args:
        night: What was worked on.
        verdict: How it ended, in a sentence.
        reasons: A sentence for each figure that counted.
        about: What else the record says, such as what became of the inbox.
        run_id: The run that the record is about; empty where there is none.
        refusal: What the night ends with.
    """
    record = _record_path(night)
    record.parent.mkdir(parents=True, exist_ok=True)
    _replace(record, write_decision(verdict, reasons, {**about, **night.facts}))
    # memory that was short once may be enough the next time, and a roster may be mended
    if not isinstance(refusal, (BrokenTrainingError, RosterGateError)):
        kind = "" if refusal is None else type(refusal).__name__
        facts = {"run_id": run_id, "refusal": kind, "why": "; ".join(reasons)}
        _replace(record.with_suffix(".json"), json.dumps(facts))  # last: this file says that it was processed
    return record


def _replace(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    draft = path.with_name(f".{path.name}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _record_path(night: Night) -> Path:
    return night.home.decisions / f"{night.key}.md"
