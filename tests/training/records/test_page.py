"""The page of a night, as people read it."""

import pytest

from training.records.page import HEADLINES, Page, render_page

POINT = {"forecast": 0.3, "observed": 0.25, "low": 0.2, "high": 0.3, "rows": 40}
GROUP = {
    "column": "language",
    "group": "<b>a|b</b>",
    "students": 20,
    "rows": 90,
    "base_rate": 0.2,
    "mean_forecast": 0.25,
    "ece": 0.05,
    "ece_by_chance": 0.06,
}
FINDING = {
    "name": "volume",
    "level": "alarm",
    "sentence": "Half of the usual answers came.",
    "figure": 0.5,
    "limit": None,
    "advice": "Ask the source.",
    "school": "",
}
PLAIN = Page(
    night="2026-03-14",
    written="2026-03-14 02:40:00",
    level="ok",
    verdict="The champion stays.",
    changes=(),
    advice=(),
    reasons=("not clearly better",),
    findings=(),
    received={"inbox": "1 file read, 0 refused"},
    coverage=None,
    cost={"seconds": {"ingest": 1.25, "profile": 2.0}, "peak_mb": 300.0, "written_mb": 1.5},
    evaluation={"metrics": {}, "groups": {}, "reliability": {}},
    facts={"as_of": "2026-03-14"},
)
FULL = Page(
    **{
        **vars(PLAIN),
        "level": "alarm",
        "advice": ("Ask the source.",),
        "findings": (FINDING,),
        "coverage": {"students": 10, "seen": 9, "forecast": 7, "by_roster": True},
        "evaluation": {
            "metrics": {
                "struggle": {
                    "regroup": {"auc": {"value": 0.8, "low": 0.75, "high": 0.85}},
                    "rule": {"auc": {"value": 0.6, "low": None, "high": None}},
                }
            },
            "groups": {"struggle": [GROUP]},
            "reliability": {"struggle": [POINT]},
        },
    }
)


@pytest.mark.parametrize("kind", ["md", "html"])
def test_a_quiet_night_says_so_first(kind):
    """All is well, nothing changed, nothing to do; and what does not exist is left out."""
    page = render_page(PLAIN, kind)

    assert page.index(HEADLINES["ok"]) < page.index("The champion stays.") < page.index("not clearly better")
    assert "Nothing that counts." in page
    for heading in ("What the checks found", "For whom there is a forecast", "How good"):
        assert heading not in page


@pytest.mark.parametrize("kind", ["md", "html"])
def test_a_night_with_everything_says_it(kind):
    """What to do stands before what was found; figures have their intervals."""
    page = render_page(FULL, kind)

    assert (
        page.index(HEADLINES["alarm"]) < page.index("Ask the source.") < page.index("Half of the usual answers came.")
    )
    assert "0.800 (0.750 to 0.850)" in page
    assert "7 of 10 students of the roster" in page
    assert "3.2 s" in page or "3.2 in all" in page


def test_values_of_the_roster_are_text_and_no_markup():
    """The name of an audit group stays one cell of a table, and is no element."""
    html, markdown = (render_page(FULL, kind) for kind in ("html", "md"))

    assert "<td>&lt;b&gt;a|b&lt;/b&gt;</td>" in html
    assert r"&lt;b>a\|b&lt;/b>" in markdown


def test_the_html_needs_no_other_file():
    """No address is asked for, and it is drawn for dark screens and for paper as well."""
    html = render_page(FULL, "html")

    assert not any(word in html for word in ("http", "src=", "<script", "@import", "url("))
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html
    assert html.count("<svg") == html.count('class="point"') == 1
