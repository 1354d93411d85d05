"""Keys are claimed by one request at a time, kept with their answers, taken over, and pruned."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from serving.store.idempotency import Claim, StoredAnswer, claim_key, finish_claim, give_up_claim
from serving.store.tables import IDEMPOTENCY

NOW = datetime(2026, 3, 16, 6, tzinfo=UTC)
DAY, MINUTES = timedelta(days=1), timedelta(minutes=2)


def ask(database, at=NOW, key="k1", body="b1", owner=""):
    with database.changing() as connection:
        return claim_key(connection, Claim(owner, key, body, at), kept=DAY, takeover=MINUTES)


MADE = StoredAnswer(201, "0" * 32, "/v1/recommendations/0")


def finish(database, claim):
    with database.changing() as connection:
        return finish_claim(connection, claim, MADE)


def test_of_many_requests_at_once_one_claims_the_key(database):
    moments = [NOW + timedelta(microseconds=number) for number in range(20)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda at: ask(database, at), moments))

    claims = [claim for claim in found if isinstance(claim, Claim)]
    assert len(claims) == 1
    assert [result for result in found if result != claims[0]] == ["in_flight"] * 19


def test_an_answer_is_kept_for_its_owner_key_and_body(database):
    assert finish(database, ask(database))

    assert ask(database, NOW + MINUTES) == MADE
    assert ask(database, body="b2") == "other_body"
    assert isinstance(ask(database, owner="somebody"), Claim)
    assert isinstance(ask(database, key="k2"), Claim)


def test_a_key_given_up_is_free_again(database):
    give_up_claim(database, ask(database))

    assert isinstance(ask(database, NOW + timedelta(seconds=1)), Claim)


def test_a_lost_claim_is_taken_over_and_its_first_holder_may_not_finish(database):
    first = ask(database)

    assert ask(database, NOW + MINUTES - timedelta(seconds=1)) == "in_flight"
    second = ask(database, NOW + MINUTES)
    assert isinstance(second, Claim)
    assert ask(database, NOW + MINUTES) == "in_flight"
    assert not finish(database, first)
    give_up_claim(database, first)
    assert finish(database, second)


def test_of_many_who_would_take_over_one_does(database):
    ask(database)
    moments = [NOW + MINUTES + timedelta(microseconds=number) for number in range(12)]

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda at: ask(database, at), moments))

    assert sum(isinstance(result, Claim) for result in found) == 1


def test_answers_are_pruned_after_their_time(database):
    for number in range(3):
        finish(database, ask(database, key=f"k{number}"))

    again = ask(database, NOW + DAY + MINUTES, key="k0")

    assert isinstance(again, Claim)
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(IDEMPOTENCY)).scalar() == 1
