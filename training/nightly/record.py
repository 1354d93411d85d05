"""How a night ended: one page for each that a person reads, and whether the same was processed before."""

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from features.errors import RegroupError, UnavailableError
from features.publications import newest_publication
from training.errors import BrokenTrainingError, DataGateError, QualityGateError, RosterGateError
from training.nightly.facts import Night
from training.nightly.findings import LEVELS, Finding, Level, gravest
from training.nightly.ingest import Inbox
from training.records.cost import Meter
from training.records.coverage import measure_coverage
from training.records.page import Page, render_page
from training.records.tracking import PAGE, Tracking

logger = logging.getLogger("regroup")

REFUSALS = (DataGateError, QualityGateError, BrokenTrainingError, RosterGateError)
"""How a night ends without a challenger that may be compared; the champion has profiles of today all the same."""

LATEST = "latest.html"
"""The page that was written last, under a name that stays."""

NOTHING: Mapping[str, Any] = {"metrics": {}, "groups": {}, "reliability": {}}
"""The evaluation of a night without a challenger."""

NOTABLE_SHARE, NOTABLE_AUC = 0.01, 0.005
"""Changes of the share of students with a forecast, and of AUC, that the page tells."""


@dataclass(frozen=True)
class Outcome:
    """How a night ended.

    Attributes:
        did: `promoted`, `kept`, or `nothing` when the same data, choices and code were already processed.
        run_id: The run that the record is about.
        record: Where the readable record is.
        refused: How many files of the inbox could not be read and were set aside.
        findings: What the checks found; nothing where the same was already processed.
    """

    did: str
    run_id: str
    record: Path
    refused: int = 0
    findings: tuple[Finding, ...] = ()


@dataclass
class Record:
    """What the page of a night will say, filled in as the night goes on.

    Attributes:
        night: What is worked on.
        inbox: What became of the files of the inbox.
        meter: Times the steps.
        champion: The run whose profiles stand; null while there is none.
        profiles: Which profiles stand, or why none.
        replaced: The champion until now, in words.
        pruned: What was removed since nothing needs it, in words.
        findings: What the checks found.
    """

    night: Night
    inbox: Inbox
    meter: Meter
    champion: str | None = None
    profiles: str = "none were published"
    replaced: str = ""
    pruned: str = ""
    findings: Sequence[Finding] = field(default_factory=tuple)

    def write(
        self,
        tracking: Tracking,
        verdict: str,
        reasons: Sequence[str],
        *,
        run_id: str = "",
        promoted: bool = False,
        within_limits: bool = True,
        refusal: RegroupError | None = None,
        evaluation: Mapping[str, Any] = NOTHING,
    ) -> Path:
        """Writes the page, after which the same facts count as processed, unless the training broke.

        Args:
            tracking: Where the run of the night gets the page as an artifact.
            verdict: How the night ended, in a sentence.
            reasons: A sentence for each figure that counted.
            run_id: The challenger's run; without one, a run of MLflow is made that holds the page alone.
            promoted: Whether the challenger is the new champion.
            within_limits: Whether the challenger is fit to serve.
            refusal: What the night ends with.
            evaluation: What `evaluation_json` gave of the challenger.
        """
        level, advice = self._judge(refusal, within_limits=within_limits)
        coverage = self._measure_coverage()
        changed = [f"Run {run_id[:8]} is the new champion."] if promoted else []
        facts = {"challenger": f"run {run_id}"} if run_id else {}
        page = Page(
            night=self.night.date,
            written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
            level=level,
            verdict=verdict,
            changes=(*changed, *_compare(_read_page_before(self.night), coverage, self.findings, evaluation)),
            advice=tuple(advice),
            reasons=tuple(reasons),
            findings=tuple(asdict(finding) for finding in self._by_gravity()),
            received={"inbox": self.inbox.sentence, **_say_rows(self.inbox)},
            coverage=coverage,
            cost=asdict(self.meter.read()),
            evaluation={name: evaluation.get(name, {}) for name in NOTHING},
            facts={
                **facts,
                **({"champion until now": self.replaced} if self.replaced else {}),
                "profiles": self.profiles,
                "prune": self.pruned,
                **self.night.facts,
            },
        )
        texts = {PAGE: render_page(page, "html")}
        if run_id:
            tracking.log_texts(run_id, texts)
        else:
            tags = {**self.night.facts, "decision": "refused"}
            tracking.log_run(f"refused {self.night.key}", tags, {}, {}, {}, texts, self.night.name, verdict)
        kind = "" if refusal is None else type(refusal).__name__
        outcome = {"run_id": run_id, "refusal": kind, "why": "; ".join(reasons), "page": asdict(page)}
        # memory that was short once may be enough the next time, and a roster may be mended
        return _keep(self.night, page, None if isinstance(refusal, (BrokenTrainingError, RosterGateError)) else outcome)

    def _judge(self, refusal: RegroupError | None, *, within_limits: bool) -> tuple[Level, list[str]]:
        """How grave the night is, and what to do, the gravest first."""
        found = [(finding.level, finding.advice) for finding in self._by_gravity() if finding.level != "ok"]
        if isinstance(refusal, BrokenTrainingError):
            broke = "Give the job more memory, or report the place that is named under Why; REGROUP_DEBUG=1 shows more."
            found.append(("stop", broke))
        elif isinstance(refusal, QualityGateError):
            found.append(("stop", "Read under Why which limit was broken: nothing can serve until one keeps it."))
        elif isinstance(refusal, DataGateError):
            waits = "Nothing but to let data come in: the champion serves meanwhile, with profiles of today."
            found.append(("notice", waits))
        elif not within_limits:
            found.append(("notice", "Read under Why which limit the challenger broke; the champion serves meanwhile."))
        if self.inbox.refused:
            found.append(("alarm", _say_refused(self.inbox)))
        found.sort(key=lambda each: -LEVELS.index(each[0]))
        level = max((each for each, _ in found), key=LEVELS.index, default=gravest(()))
        return level, [advice for _, advice in found if advice]

    def _by_gravity(self) -> list[Finding]:
        return sorted(self.findings, key=lambda finding: -LEVELS.index(finding.level))

    def _measure_coverage(self) -> dict[str, Any] | None:
        home, config = self.night.home, self.night.config
        published = newest_publication(home, self.champion) if self.champion else None
        if published is None:
            return None
        day = (self.night.as_of or datetime.now(UTC)).date()
        try:
            return asdict(measure_coverage(home.database_url(), published, config.evidence, day))
        except UnavailableError as error:  # all is done but the record, which must not be lost for a count
            logger.warning("record: without its coverage, since %s", error)
            return None


def find_outcome(night: Night, inbox: Inbox) -> Outcome | None:
    """Finds the record of an earlier night that had the same facts; None where there was none.

    Files that were refused since are added to its page.

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
        page = Page(**earlier["page"])
        page = replace(
            page,
            level="stop" if page.level == "stop" else "alarm",
            advice=(*page.advice, _say_refused(inbox)),
            received={**page.received, "once more, with nothing new to learn from": inbox.sentence},
        )
        _keep(night, page, {**earlier, "page": asdict(page)})
    for refusal in REFUSALS:
        if earlier["refusal"] == refusal.__name__:
            raise refusal(f"this data, configuration and code failed before: {earlier['why']}")
    return Outcome("nothing", earlier["run_id"], record, inbox.refused)


def _keep(night: Night, page: Page, outcome: Mapping[str, Any] | None) -> Path:
    """Writes the page's files, and last the one that says that the night was processed."""
    record = _record_path(night)
    record.parent.mkdir(parents=True, exist_ok=True)
    html = render_page(page, "html")
    for path, text in (
        (record, render_page(page, "md")),
        (record.with_suffix(".html"), html),
        (record.with_name(LATEST), html),
    ):
        _replace(path, text)
    if outcome is not None:
        _replace(record.with_suffix(".json"), json.dumps(outcome, ensure_ascii=False))
    return record


def _read_page_before(night: Night) -> Page | None:
    """The page of the latest moment before that of a night; null where there is none."""
    paths = [path for path in night.home.decisions.glob("????-??-??-*.json") if path.name < night.date]
    if not paths:
        return None
    stored = json.loads(max(paths, key=lambda path: path.name).read_text(encoding="utf-8"))
    return Page(**stored["page"])


def _compare(
    before: Page | None, coverage: Mapping[str, Any] | None, findings: Sequence[Finding], evaluation: Mapping[str, Any]
) -> list[str]:
    """What is other than the night before, in sentences."""
    if before is None:
        return ["No earlier night is on record."]
    said = []
    if coverage and before.coverage:
        more = coverage["students"] - before.coverage["students"]
        if more:
            said.append(f"{coverage['students']} students, {more:+d}.")
        now, then = (each["forecast"] / max(1, each["students"]) for each in (coverage, before.coverage))
        if abs(now - then) >= NOTABLE_SHARE:
            said.append(f"{now:.0%} of students have a forecast; before, {then:.0%}.")
    for forecast, by_name in evaluation["metrics"].items():
        now, then = (_auc(each) for each in (by_name, before.evaluation["metrics"].get(forecast)))
        if now is not None and then is not None and abs(now - then) >= NOTABLE_AUC:
            said.append(f"The new {forecast} model has an AUC of {now:.3f}, {now - then:+.3f}.")
    grave = {finding.name for finding in findings if finding.level != "ok"}
    old = {finding["name"] for finding in before.findings if finding["level"] != "ok"}
    said += [f"New: {name}." for name in sorted(grave - old)] + [f"Over: {name}." for name in sorted(old - grave)]
    return [f"Since the night {before.night}: {sentence}" for sentence in said]


def _auc(by_name: Mapping[str, Any] | None) -> float | None:
    value = (by_name or {}).get("regroup", {}).get("auc", {}).get("value")
    return None if value is None else float(value)


def _say_rows(inbox: Inbox) -> dict[str, str]:
    """What became of the rows of all files and of live events; empty where nothing came in."""
    if not inbox.counts:
        return {}
    rejected = sum((Counter(counts.rejected) for counts in inbox.counts), Counter())
    unused = sum((Counter(counts.unused) for counts in inbox.counts), Counter())
    stored = sum(counts.events_stored + counts.activities for counts in inbox.counts)
    said = {
        "rows": f"{sum(counts.rows_read for counts in inbox.counts):,}",
        "new events": f"{stored:,}",
        "known already": f"{sum(counts.events_known + counts.rows_merged for counts in inbox.counts):,}",
    }
    for name, kinds in (("rows unused", unused), ("rows rejected", rejected)):
        if kinds:
            said[name] = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in kinds.most_common())
    return said


def _say_refused(inbox: Inbox) -> str:
    files = f"{inbox.refused} {'file' if inbox.refused == 1 else 'files'} in refused of the inbox"
    return f"Look at {files}: its source may have changed its format; correct the mapping and put it back."


def _replace(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    draft = path.with_name(f".{path.name}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _record_path(night: Night) -> Path:
    return night.home.decisions / f"{night.date}-{night.key}.md"
