"""A comparison as a page of one file, and as a table for a pull request."""

from collections.abc import Mapping, Sequence
from html import escape

from matplotlib.figure import Figure

from experiments.workbench.comparison.figures import to_svg
from experiments.workbench.comparison.verdicts import Pair, Verdicts
from experiments.workbench.metrics import METRICS, write_spread

STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1b1d21; --faint: #5f6670; --line: #d5d9df;
  --one: #0072b2; --two: #d55e00; --three: #009e73; --four: #cc79a7; --five: #56b4e9; --six: #e69f00; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #15171a; --ink: #e8eaed; --faint: #a3a9b3; --line: #3a3f47;
    --one: #5cbcff; --two: #ff9147; --three: #35d6a6; --four: #eaa9cd; --five: #a8dcff; --six: #ffc44d; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
p.faint, figcaption { color: var(--faint); font-size: .9rem; margin: .25rem 0; }
ul.verdicts { list-style: none; padding: 0; }
ul.verdicts li { border-left: 4px solid var(--one); padding: .25rem .75rem; margin: .5rem 0; }
ul.verdicts li.worse { border-color: var(--two); }
ul.verdicts li.undecided, ul.verdicts li.equal { border-color: var(--faint); }
div.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
td:first-child { min-width: 7rem; }
th:first-child, td:first-child, .words td, .words th { text-align: left; }
.groups td:nth-child(2), .groups th:nth-child(2) { text-align: left; }
.words td:not(:first-child) { overflow-wrap: anywhere; } .figure { white-space: nowrap; }
div.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1rem; }
figure { margin: 0; } figure svg { width: 100%; height: auto; display: block; }
@media print { :root { --paper: #ffffff; --ink: #000000; --faint: #444444; --line: #bbbbbb;
    --one: #0072b2; --two: #d55e00; --three: #009e73; --four: #cc79a7; --five: #56b4e9; --six: #e69f00; }
  :root { font-size: 11px; } figure, tr, li { break-inside: avoid; } main { max-width: none; padding: 0; }
  div.pictures { grid-template-columns: 1fr 1fr; } }
"""

ABOUT = {
    "gains": "By how much it is better on all rows and on groups of rows; the gray band is the region of practical "
    "equivalence.",
    "roc": "How well forecasts rank; the higher, the better.",
    "precision_recall": "Of those with the highest forecasts, how many it happens to; the line is the share of all.",
    "reliability": "Whether forecasts mean what they say; on the line they do.",
    "lead_time": "Of students who did struggle with a skill, how many had one of the places so many attempts before "
    "that was plain; the higher on the left, the earlier.",
    "learning": "What more students are worth: models of a share of those who train, with the first seed.",
    "folds": "Each fold is scored by models that have not seen its students, or its time.",
}


def describe_pair(pair: Pair, metric: str, margin: float) -> str:
    """The verdict on two runs as sentences."""
    said = {
        "better": f"{pair.run} is better than {pair.against}.",
        "worse": f"{pair.run} is worse than {pair.against}.",
        "equal": f"{pair.run} is as good as {pair.against}: the whole interval is within {margin:g} of zero.",
        "undecided": f"Between {pair.run} and {pair.against} these rows do not decide.",
    }[pair.verdict]
    gain, folds = pair.gain, pair.folds
    text = (
        f"{said} Gain in {METRICS[metric]} {gain.value:+.4f} (95 % over {gain.students:,} students "
        f"{gain.low:+.4f} to {gain.high:+.4f}, p {pair.p:.3f} after Holm)."
    )
    if folds is None:
        return f"{text} One fold alone says nothing of folds."
    return (
        f"{text} Over {folds.folds} folds {folds.mean:+.4f} (corrected t {folds.t:.2f}, p {folds.p:.3f}): "
        f"better by more than {margin:g} with probability {folds.better:.2f}, equal {folds.equal:.2f}, "
        f"worse {folds.worse:.2f}."
    )


def write_markdown(comparison: Verdicts) -> str:
    """The comparison as Markdown: verdicts, scores, and what the runs have in common."""
    lines = [f"**{_title(comparison)}**", ""]
    lines += [f"- {describe_pair(pair, comparison.metric, comparison.margin)}" for pair in comparison.pairs]
    head, rows = _score_rows(comparison)
    lines += ["", f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(f"| {' | '.join(row)} |" for row in rows)]
    facts = "; ".join(f"{name}: {value}" for name, value in comparison.runs[0].facts.items())
    return "\n".join([*lines, "", f"Mean and standard deviation over folds and seeds. {facts}.", ""])


def write_page(comparison: Verdicts, figures: Mapping[str, Figure]) -> str:
    """The comparison as an HTML page for screen, dark screen and paper, which needs no other file."""
    title = escape(_title(comparison))
    verdicts = "".join(
        f'<li class="{pair.verdict}">{escape(describe_pair(pair, comparison.metric, comparison.margin))}</li>'
        for pair in comparison.pairs
    )
    drawn = "".join(
        f'<figure role="img" aria-label="{escape(ABOUT[name])}">{to_svg(figure)}'
        f"<figcaption>{escape(ABOUT[name])}</figcaption></figure>"
        for name, figure in figures.items()
    )
    common = [[name, value] for name, value in comparison.runs[0].facts.items()]
    left_out = comparison.runs[0].left_out
    if left_out:
        common.append(["left out", f"{left_out:,} rows of students whose answers one who is learned from gave as well"])
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{STYLE}</style></head><body><main>
<h1>{title}</h1>
<p class="faint">Students are resampled first, since a student's rows resemble each other; folds come second, since
their training rows overlap. A forecast is a reason to look, not a grade.</p>
<ul class="verdicts">{verdicts}</ul>
<h2>Scores</h2>
{_table(*_score_rows(comparison), "Mean and standard deviation over folds and seeds.")}
<h2>Pictures</h2>
<div class="pictures">{drawn}</div>
<h2>Groups of rows</h2>
{_group_table(comparison)}
<h2>In what they differ</h2>
{_table(*_difference_rows(comparison), "", "words")}
<h2>What they have in common</h2>
{_table(["", "all runs"], common, "Runs that differ in any of these are refused.", "words")}
</main></body></html>
"""


def _title(comparison: Verdicts) -> str:
    first, *others = (run.name for run in comparison.runs)
    forecast = comparison.runs[0].facts["forecast"]
    return f"{', '.join(others)} against {first}: forecasts of {forecast}"


def _score_rows(comparison: Verdicts) -> tuple[list[str], list[list[str]]]:
    head = ["run", *METRICS.values(), "n"]
    rows = []
    for _, scores in comparison.scores.iterrows():
        cells = [write_spread(scores[name], scores[f"{name}_sd"]) for name in METRICS]
        rows.append([str(scores["run"]), *cells, str(scores["n"])])
    return head, rows


def _difference_rows(comparison: Verdicts) -> tuple[list[str], list[list[str]]]:
    flat = [_flatten(run.choices) for run in comparison.runs]
    keys = [key for key in dict.fromkeys(key for choices in flat for key in choices) if key != "name"]
    differing = [key for key in keys if len({choices.get(key, "") for choices in flat}) > 1]
    rows = [[key, *(choices.get(key, "-") for choices in flat)] for key in differing]
    return ["choice", *(run.name for run in comparison.runs)], rows or [["nothing", *("" for _ in flat)]]


def _flatten(choices: object, name: str = "") -> dict[str, str]:
    if not isinstance(choices, dict):
        return {name: str(choices)}
    return {
        key: value
        for below, inner in choices.items()
        for key, value in _flatten(inner, f"{name}.{below}" if name else below).items()
    }


def _group_table(comparison: Verdicts) -> str:
    if comparison.groups.empty:
        return "<p>No group has ten students.</p>"
    rows = [
        [
            f"{row.by}: {row.group}",
            f"{row.run} against {row.against}",
            f"{row.rows:,}",
            f"{row.students:,}",
            f"{row.gain:+.4f} ({row.low:+.4f} to {row.high:+.4f})",
        ]
        for row in comparison.groups.itertuples()
    ]
    note = (
        "Gain with its 95 % interval over students, of groups of ten students or more; of many groups, some differ by "
        "chance."
    )
    return _table(["group", "runs", "rows", "students", f"gain in {METRICS[comparison.metric]}"], rows, note, "groups")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], note: str, kind: str = "") -> str:
    titles = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join("<tr>" + "".join(_cell(cell) for cell in row) + "</tr>" for row in rows)
    said = f'<p class="faint">{escape(note)}</p>' if note else ""
    return f'{said}<div class="wide"><table class="{kind}"><tr>{titles}</tr>{body}</table></div>'


def _cell(text: str) -> str:
    """A cell; figures stay on a line, and words are broken where a page is narrow."""
    parts = text.replace(" ± ", "\n± ").replace(" (", "\n(").split("\n") if text[:1] in set("+-0123456789") else [text]
    if len(parts) == 1:
        return f"<td>{escape(text)}</td>"
    return "<td>" + " ".join(f'<span class="figure">{escape(part)}</span>' for part in parts) + "</td>"
