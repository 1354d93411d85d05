"""What a student could do next: ready, not proficient, from which most is expected first, one of them drawn."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from features.roster import Skill, SkillMap
from serving.models.forecasts import SkillForecast
from serving.plans.practice.playlist import OFFERS, list_offers
from serving.plans.practice.product_order import ProductOrder

MONDAY = date(2026, 3, 16)
SKILLS = SkillMap({"add": Skill("add", "Addition")}, {"carry": ("add",), "long": ("carry",), "ratios": ("add",)})


def forecast(skill, status="learning", risk=0.3):
    known = status not in {"thin_evidence", "not_begun"}
    return SkillForecast("a", skill, 0, status, risk if known else None, 0.6 if known else None, 4, None, recent=True)


def offers_of(forecasts, day=MONDAY, focus=None):
    return list_offers("a", forecasts, SKILLS, focus or {}, day)


def test_a_skill_is_offered_once_what_it_builds_on_is_proficient():
    weak = offers_of([forecast("add"), forecast("carry")])
    strong = offers_of([forecast("add", "proficient", 0.0), forecast("carry")])

    assert [offer.skill for offer in weak] == ["add"]
    assert [offer.skill for offer in strong] == ["carry", "ratios"]
    assert [offer.why for offer in strong] == [
        "carry is nearly there by the latest answers.",
        "ratios is new, and what it builds on is proficient.",
    ]
    assert weak[0].name == "Addition"


def test_most_is_expected_first_and_where_nothing_is_forecast_last():
    known = [forecast("x", risk=0.7), forecast("y", risk=0.1), forecast("z", "thin_evidence")]

    found = offers_of(known, focus={"new": 1.0})

    assert [(each.skill, each.expected_progress) for each in found] == [
        ("y", 0.9), ("x", 1 - 0.7), ("new", None), ("z", None),
    ]  # fmt: skip


STATUSES = st.sampled_from(["learning", "not_yet_proficient", "proficient", "review_due", "thin_evidence", "not_begun"])


@given(
    st.dictionaries(
        st.sampled_from(["add", "carry", "long", "ratios", *"pqrstu"]), st.tuples(STATUSES, st.floats(0, 1))
    )
)
def test_nothing_is_offered_that_is_proficient_or_not_ready_and_probabilities_add_up(known):
    forecasts = [forecast(skill, *each) for skill, each in known.items()]
    done = {skill for skill, (status, _) in known.items() if status == "proficient"}

    found = offers_of(forecasts)

    assert sum(offer.offered for offer in found) == min(OFFERS, len(found))
    assert abs(sum(offer.probability for offer in found) - min(OFFERS, len(found))) < 1e-9
    for offer in found:
        assert offer.skill not in done
        assert set(SKILLS.requires.get(offer.skill, ())) <= done
    progress = [-1.0 if offer.expected_progress is None else offer.expected_progress for offer in found]
    assert progress == sorted(progress, reverse=True)


def test_the_third_is_drawn_anew_each_day_as_often_as_its_probability_says():
    known = [forecast(skill, risk=at / 10) for at, skill in enumerate("pqrstu")]
    days = [MONDAY + timedelta(days=at) for at in range(2000)]

    drawn = Counter(offer.skill for day in days for offer in offers_of(known, day)[2:] if offer.offered)

    assert offers_of(known) == offers_of(known)
    assert {offer.probability for offer in offers_of(known)} == {1.0, 0.25}
    assert set(drawn) == set("rstu")
    assert all(abs(count / 2000 - 0.25) < 0.05 for count in drawn.values())


def test_what_the_product_gives_next_is_offered_before_what_is_expected_to_go_best():
    monday = datetime(2026, 3, 9, tzinfo=UTC)
    known = [
        forecast(skill, risk=risk)._replace(last_practiced=monday - timedelta(days=back))
        for back, (skill, risk) in enumerate([("p", 0.9), ("q", 0.1), ("r", 0.2), ("s", 0.3)])
    ]

    found = list_offers("a", known, SKILLS, {}, MONDAY, ProductOrder({"p": {"new": 0.9}}))

    assert {offer.skill for offer in found if offer.probability == 1.0} == {"p", "new"}
    assert [offer.skill for offer in found] == ["q", "r", "s", "p", "new"]
    assert found[-1].why == "new is new, and usually practiced about now."
