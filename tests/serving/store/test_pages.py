"""Pages of plans: every plan once, the newest first, whatever is made in between."""

import base64
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from serving.errors import RequestError
from serving.store.recommendations import PlanQuery, list_plans, read_cursor
from serving.store.tables import RECOMMENDATIONS

MORNING = datetime(2026, 3, 16, 6, tzinfo=UTC)
MONDAY = date(2026, 3, 16)


def keep(connection, at, name, day=MONDAY, team="t1"):
    connection.execute(
        insert(RECOMMENDATIONS).values(
            id=name,
            created_at=MORNING + timedelta(microseconds=at),
            team_id=team,
            problem_hash="",
            request="{}",
            answer="{}",
            date=day,
            status="searched",
            score=1.0,
        )
    )


def read_all(database, query, limit, between=lambda: None):
    found, cursor = [], None
    while True:
        page, cursor = list_plans(database, query, limit, cursor)
        found += page
        assert len(page) == limit or cursor is None
        if cursor is None:
            return found
        between()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moments=st.lists(st.integers(0, 3), max_size=12), limit=st.integers(1, 5))
def test_pages_hold_every_plan_once_in_one_order_while_new_ones_arrive(database, moments, limit):
    """Several plans of one moment stand in the order of their ids; a plan made meanwhile is on no page after."""
    with database.changing() as connection:
        connection.execute(delete(RECOMMENDATIONS))
        for number, at in enumerate(moments):
            keep(connection, at, f"{number:02}")
        keep(connection, 1, "other", team="t2")
    made = []

    def make_another():
        made.append(f"new-{len(made)}")
        with database.changing() as connection:
            keep(connection, 10 + len(made), made[-1])

    found = read_all(database, PlanQuery("t1"), limit, make_another)

    expected = sorted(((at, f"{number:02}") for number, at in enumerate(moments)), reverse=True)
    assert [row.id for row in found] == [name for _, name in expected]
    assert all(row.created_at.utcoffset() == timedelta() for row in found)


def test_a_date_narrows_the_list_and_belongs_to_the_cursor(database):
    with database.changing() as connection:
        for number in range(4):
            keep(connection, number, f"p{number}", day=MONDAY + timedelta(days=number % 2))

    _, cursor = list_plans(database, PlanQuery("t1", MONDAY), 1)

    assert [row.id for row in read_all(database, PlanQuery("t1", MONDAY), 1)] == ["p2", "p0"]
    with pytest.raises(RequestError, match="cursor: not from a page of this team, date and cycle"):
        list_plans(database, PlanQuery("t1"), 1, cursor)


def test_a_list_before_the_first_plan_is_empty(database):
    assert list_plans(database, PlanQuery("t1"), 5) == ([], None)


@settings(max_examples=40)
@given(st.one_of(st.text(max_size=40), st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_whatever_is_no_cursor_is_refused(text):
    with pytest.raises(RequestError) as error:
        read_cursor(PlanQuery("t1"), text)

    assert error.value.rule == "bad_cursor"
    assert error.value.more == {"field": "cursor"}


@pytest.mark.parametrize(
    "parts",
    [
        ["t1", None, None, "2026-03-16T06:00:00", "p1"],
        ["t1", None, None, "2026-03-16T06:00:00+00:00", 7],
        ["t2", None, None, "2026-03-16T06:00:00+00:00", "p1"],
        ["t1", None, None, 7, "p1"],
        ["t1", None, "c", "2026-03-16T06:00:00+00:00", "p1"],
        {"a": 1},
        None,
    ],
)
def test_a_cursor_of_something_else_is_refused(parts):
    with pytest.raises(RequestError, match="cursor"):
        read_cursor(PlanQuery("t1"), base64.urlsafe_b64encode(json.dumps(parts).encode()).decode())
