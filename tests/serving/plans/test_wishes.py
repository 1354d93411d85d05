"""Which stored wishes a day can meet."""

from dataclasses import replace
from datetime import UTC, date, datetime

from serving.grouping import Room, Wish
from serving.plans.need.wishes import state_wishes
from serving.store.practice.wishes import StoredWish

DAY = date(2026, 3, 18)


def test_a_wish_for_a_large_room_is_for_any_place_in_it_and_one_for_a_room_that_is_gone_for_none():
    wish = StoredWish("w", "s", None, None, None, datetime(2026, 3, 1, tzinfo=UTC), DAY, "k", room_id="hall")
    rooms = (Room("hall#place-1", 20), Room("hall#place-2", 8), Room("r1", 9))

    asked = state_wishes([wish, replace(wish, room_id="r1"), replace(wish, room_id="attic")], DAY, {"s"}, (), (), rooms)

    assert asked == (Wish("s", rooms=("hall#place-1", "hall#place-2")), Wish("s", rooms=("r1",)))
    assert state_wishes([wish], DAY, {"s"}, (), (), ()) == ()
    assert state_wishes([wish], date(2026, 3, 19), {"s"}, (), (), rooms) == ()
