"""Schools and keys take turns at the solver, whatever one of them asks for."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from serving.plans.turns.round_robin import LONG_S, Lane, RoundRobin

NORTH, SOUTH = Lane("North", "n"), Lane("South", "s")


def begin_one(robin, now):
    """The lane of the request that begins once the present turn ends, which is short."""
    before = set(robin.running)
    for ticket in before:
        robin.leave(ticket)
    robin.begin_turns(now)
    (begun,) = robin.running
    return begun.lane


def test_schools_take_turns_and_within_a_school_its_keys():
    robin = RoundRobin(1, 30)
    lanes = [NORTH] * 4 + [Lane("North", "m")] * 2 + [SOUTH] * 3
    for lane in lanes:
        robin.join(lane)
    robin.begin_turns(0.0)

    order = [robin.running[0].lane, *(begin_one(robin, 0.1 * at) for at in range(1, len(lanes)))]

    assert "".join(lane.key_id for lane in order) == "nsmsnsmnn"


def test_who_comes_new_is_not_before_who_was_waiting_for_a_turn():
    robin = RoundRobin(1, 30)
    for lane in (NORTH, NORTH, SOUTH):
        robin.join(lane)
    robin.begin_turns(0.0)
    assert begin_one(robin, 0.1) == SOUTH
    robin.join(SOUTH)

    assert begin_one(robin, 0.2) == NORTH


def test_other_keys_may_plan_beside_a_long_turn():
    """A second of its school, and one of another; neither the key itself nor what would be a crowd."""
    robin = RoundRobin(1, 30)
    others = (Lane("North", "m"), Lane("North", "k"), SOUTH, Lane("East", "e"))
    for lane in (NORTH, NORTH, Lane("South", "n"), *others):
        robin.join(lane)
    robin.begin_turns(0.0)
    assert robin.next_long(1.0) == LONG_S

    robin.begin_turns(LONG_S - 0.01)
    assert len(robin.running) == 1
    robin.begin_turns(LONG_S)
    assert [ticket.lane for ticket in robin.running] == [NORTH, SOUTH]
    robin.begin_turns(2 * LONG_S)
    assert [ticket.lane for ticket in robin.running] == [NORTH, SOUTH, Lane("East", "e")]
    robin.begin_turns(3 * LONG_S)
    assert len(robin.running) == 3
    assert robin.next_long(3 * LONG_S) is None
    robin.leave(robin.running[1])
    robin.begin_turns(3 * LONG_S)
    assert robin.running[2].lane == Lane("North", "m")


def test_where_too_many_wait_the_newest_of_the_longest_lane_is_refused():
    robin = RoundRobin(1, 4)
    for lane in (NORTH, NORTH, NORTH, NORTH, NORTH):
        robin.join(lane)
    robin.begin_turns(0.0)
    assert robin.drop_excess() is None
    newest = robin.join(NORTH)
    assert robin.drop_excess() is newest

    other = robin.join(SOUTH)
    dropped = robin.drop_excess()

    assert dropped.lane == NORTH
    assert dropped.number == max(ticket.number for ticket in (*robin.waiting, dropped) if ticket.lane == NORTH)
    assert other in robin.waiting
    assert robin.turns_before(SOUTH) == 1 + 1 + 2


@given(st.data())
@settings(max_examples=60)
def test_whatever_others_ask_a_lane_that_asks_for_one_plan_at_a_time_is_soon_planned(data):
    """With a place for each school it is never refused, and one turn of each other school comes before it at most."""
    at_once, places = data.draw(st.integers(1, 3)), data.draw(st.integers(4, 8))
    schools = data.draw(st.lists(st.sampled_from("ABC"), min_size=1, max_size=60))
    keys = data.draw(st.lists(st.sampled_from("xyz"), min_size=len(schools), max_size=len(schools)))
    lengths = data.draw(st.lists(st.floats(0.1, 30.0), min_size=1, max_size=20))
    robin, now, ends, begun_before = RoundRobin(at_once, places), 0.0, {}, Counter()
    quiet = Lane("Quiet", "q")

    def advance(moment):
        robin.begin_turns(moment)
        for ticket in robin.running:
            if ticket not in ends:
                ends[ticket] = moment + lengths[ticket.number % len(lengths)]
                if asked is not None and ticket is not asked:
                    begun_before[ticket.lane.school] += asked in robin.waiting
        assert len(robin.running) <= at_once + 2

    asked = None
    for at, (school, key) in enumerate(zip(schools, keys, strict=True)):
        robin.join(Lane(school, key))
        advance(now)
        if robin.drop_excess() is None and at % 3 == 2:
            ended = min(robin.running, key=ends.__getitem__)
            now = ends[ended]
            robin.leave(ended)
            advance(now)
    asked = robin.join(quiet)
    advance(now)
    dropped = robin.drop_excess()

    assert dropped is not asked
    while asked not in robin.running:
        ended = min(robin.running, key=ends.__getitem__)
        now = ends[ended]
        robin.leave(ended)
        advance(now)
    assert all(turns <= 1 for turns in begun_before.values())
