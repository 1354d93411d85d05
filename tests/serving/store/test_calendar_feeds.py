"""Addresses of calendars: until when they are answered."""

from datetime import UTC, datetime

import pytest

from serving.access.caller import Scope
from serving.access.keys import issue_key
from serving.store.calendar_feeds import CalendarFeed, find_feed, list_feeds, revoke_feed, save_feed
from serving.store.keys import revoke_key

NOW = datetime(2026, 3, 16, tzinfo=UTC)


@pytest.mark.parametrize("revoked", ["address", "key"])
def test_an_address_ends_with_the_key_that_made_it_and_the_others_stay(database, revoked):
    key = issue_key(database, "somebody", [Scope.BOARD])
    for feed_id, made_by in [("a", key.key_id), ("b", "open")]:
        save_feed(database, CalendarFeed(feed_id, b"0" * 32, "t", "lead", names=True, key_id=made_by, created_at=NOW))
    assert [feed.feed_id for feed in list_feeds(database, "t")] == ["a", "b"]

    assert revoke_key(database, key.key_id, NOW) if revoked == "key" else revoke_feed(database, "t", "a", NOW)

    assert [find_feed(database, feed_id) is None for feed_id in "ab"] == [True, False]
    assert [feed.feed_id for feed in list_feeds(database, "t")] == ["b"]
