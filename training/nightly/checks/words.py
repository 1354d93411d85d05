"""The findings of a night in words: what was found, and what to do about it."""

from collections.abc import Sequence

from features.profiles.columns import REGISTRY
from training.nightly.checks.limits import SUSTAINED, SUSTAINED_NIGHTS, Judged
from training.nightly.checks.measures import ALL, COLUMN
from training.nightly.findings import Finding, Level

MOST = 8
"""Columns of one school that are named; the others are counted."""

MEANING = {column.name: column.meaning for column in REGISTRY}

ABOUT = {
    "volume": (
        "the day's answers against the same weekdays before, in logarithms",
        "ask whether an export was cut or sent twice, or whether the school had a special day",
    ),
    "clock": (
        "the day's mean hour against that of the days before, in hours",
        "look at the time zone in the mapping of the source, and at the clock of the product",
    ),
    "duplicates": (
        "the share of answers that repeat another one within a minute",
        "look whether two sources send the same answers, or an export has new ids for old rows",
    ),
    "unknown_items": (
        "the share of first attempts on items that the champion does not know",
        "look whether items were given new ids, or the mapping takes another column for them",
    ),
    "unknown_skills": (
        "the share of first attempts on skills that the champion does not know",
        "look whether skills were given new ids, or the mapping takes another column for them",
    ),
    "base_rate": (
        "the share of right answers beyond what was forecast",
        "look whether right and wrong, or the pass mark, are read as before; else the work has become easier or harder",
    ),
    "forecast": (
        "the mean forecast of the day's answers, in standard deviations",
        "look at the drift of columns, and at whether students or work are others than before",
    ),
    "champion_loss": (
        "the champion's log-loss on the day's answers beyond what its forecasts say",
        "the champion decays though no better one was found: look at what changed in the data, or roll back",
    ),
    "champion_ranking": (
        "the champion's AUC on the day's answers against the days before",
        "the champion decays though no better one was found: look at what changed in the data, or roll back",
    ),
    "drift": (
        "columns of profiles against the nights before, in standard deviations",
        "look at what the column is made of: its source, its mapping and its code; plans read it",
    ),
    "schema": (
        "the share of answers that say something in a column of events",
        "look whether the product or the mapping has begun or ceased to fill the column",
    ),
}
"""What each check is of, and what to do when it speaks; keys are the names of findings."""


def describe_judged(judged: Sequence[Judged]) -> list[Finding]:
    """The findings of a night's figures: each that is beyond its limit, and one for each check where none is.

    What is beyond it `again` is an alarm, the first time it is a notice. Checks without a limit yet have one finding
    together.
    """
    findings, waiting = [], []
    for check in ABOUT:
        mine = [each for each in judged if check_of(each.name) == check]
        spoken = [each for each in mine if each.beyond]
        for school in sorted({each.school for each in spoken}):
            of_school = sorted((each for each in spoken if each.school == school), key=lambda each: not each.again)
            findings += [_speak(check, each) for each in of_school[:MOST]]
            if len(of_school) > MOST:
                findings.append(_count_others(check, of_school[MOST:], school))
        if spoken:
            continue
        if any(each.limit is not None for each in mine):
            findings.append(_pass(check, mine))
        elif mine:
            waiting.append(check)
    if waiting:
        said = f"not enough comparable nights yet, so that there is no limit for {', '.join(waiting)}"
        findings.append(Finding("limits", "ok", said))
    return findings


def check_of(name: str) -> str:
    """The check that a figure belongs to.

    Example:
        >>> check_of("column skill_ability"), check_of("filled hints"), check_of("volume")
        ('drift', 'schema', 'volume')
    """
    return "drift" if name.startswith(COLUMN) else "schema" if name.startswith("filled ") else name


def name_of(name: str) -> str:
    """The name of the finding about a figure.

    Example:
        >>> name_of("column skill_ability"), name_of("volume")
        ('drift of skill_ability', 'volume')
    """
    check = check_of(name)
    return name if check == name else f"{check} of {name.partition(' ')[2]}"


def name_school(school: str) -> str:
    """A school in a sentence."""
    return "all schools" if school == ALL else f"school {school}"


def _speak(check: str, each: Judged) -> Finding:
    about, advice = ABOUT[check]
    level: Level = "alarm" if each.again and not each.borne_out else "notice"
    where = name_school(each.school)
    column = each.name.removeprefix(COLUMN)
    what = f" ({column}: {MEANING[column].rstrip('.')})" if check == "drift" else ""
    what = what or (f" ({column.partition(' ')[2]})" if check == "schema" else "")
    if (each.school, each.name) == SUSTAINED:
        both, side = "each" if each.again else "not each", "above" if each.beyond > 0 else "below"
        nights = f"the mean of {SUSTAINED_NIGHTS} nights, {both} of the last two {side} the usual"
    else:
        nights = "on two nights in a row" if each.again else "on one night"
        nights += ", borne out by the answers" if each.borne_out else ""
    sentence = f"{where}: {about}{what}: {each.effect or 0:+.3f}, limit {each.limit or 0:.3f}, {nights}"
    return Finding(name_of(each.name), level, sentence, each.effect, each.limit, advice, each.school)


def _count_others(check: str, others: Sequence[Judged], school: str) -> Finding:
    level: Level = "alarm" if any(each.again for each in others) else "notice"
    names = f"{len(others)} more {'column' if len(others) == 1 else 'columns'}"
    return Finding(check, level, f"{names} changed likewise", float(len(others)), None, ABOUT[check][1], school)


def _pass(check: str, mine: Sequence[Judged]) -> Finding:
    about = ABOUT[check][0]
    tested = [(each, each.effect, each.limit) for each in mine if each.effect is not None and each.limit is not None]
    widest, effect, limit = max(tested, key=lambda each: abs(each[1]) / each[2])
    where = "" if widest.school == ALL else f" at school {widest.school}"
    which = "" if widest.name == check else f", {widest.name.partition(' ')[2]}"
    sentence = (
        f"{about}: {len(tested)} within their limits; nearest to it{which}{where}: {effect:+.3f}, limit {limit:.3f}"
    )
    return Finding(check, "ok", sentence, effect, limit)
