"""Schools and keys take turns at the solver, whatever one of them asks for."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from serving.plans.rotation import LONG_S, Lane, Rotation

NORTH, SOUTH = Lane("North", "n"), Lane("South", "s")


def begin_one(rotation, now):
    """The lane of the request that begins once the present turn ends, which is short."""
    before = set(rotation.running)
    for ticket in before:
        rotation.leave(ticket)
    rotation.begin_turns(now)
    (begun,) = rotation.running
    return begun.lane


def test_schools_take_turns_and_within_a_school_its_keys():
    rotation = Rotation(1, 30)
    lanes = [NORTH] * 4 + [Lane("North", "m")] * 2 + [SOUTH] * 3
    for lane in lanes:
        rotation.join(lane)
    rotation.begin_turns(0.0)

    order = [rotation.running[0].lane, *(begin_one(rotation, 0.1 * at) for at in range(1, len(lanes)))]

    assert "".join(lane.key_id for lane in order) == "nsmsnsmnn"


def test_who_comes_new_is_not_before_who_was_waiting_for_a_turn():
    rotation = Rotation(1, 30)
    for lane in (NORTH, NORTH, SOUTH):
        rotation.join(lane)
    rotation.begin_turns(0.0)
    assert begin_one(rotation, 0.1) == SOUTH
    rotation.join(SOUTH)

    assert begin_one(rotation, 0.2) == NORTH


def test_other_keys_may_plan_beside_a_long_turn():
    """A second of its school, and one of another; neither the key itself nor what would be a crowd."""
    rotation = Rotation(1, 30)
    others = (Lane("North", "m"), Lane("North", "k"), SOUTH, Lane("East", "e"))
    for lane in (NORTH, NORTH, Lane("South", "n"), *others):
        rotation.join(lane)
    rotation.begin_turns(0.0)
    assert rotation.next_long(1.0) == LONG_S

    rotation.begin_turns(LONG_S - 0.01)
    assert len(rotation.running) == 1
    rotation.begin_turns(LONG_S)
    assert [ticket.lane for ticket in rotation.running] == [NORTH, SOUTH]
    rotation.begin_turns(2 * LONG_S)
    assert [ticket.lane for ticket in rotation.running] == [NORTH, SOUTH, Lane("East", "e")]
    rotation.begin_turns(3 * LONG_S)
    assert len(rotation.running) == 3
    assert rotation.next_long(3 * LONG_S) is None
    rotation.leave(rotation.running[1])
    rotation.begin_turns(3 * LONG_S)
    assert rotation.running[2].lane == Lane("North", "m")


def test_where_too_many_wait_the_newest_of_the_longest_lane_is_refused():
    rotation = Rotation(1, 4)
    for lane in (NORTH, NORTH, NORTH, NORTH, NORTH):
        rotation.join(lane)
    rotation.begin_turns(0.0)
    assert rotation.drop_excess() is None
    newest = rotation.join(NORTH)
    assert rotation.drop_excess() is newest

    other = rotation.join(SOUTH)
    dropped = rotation.drop_excess()

    assert dropped.lane == NORTH
    assert dropped.number == max(ticket.number for ticket in (*rotation.waiting, dropped) if ticket.lane == NORTH)
    assert other in rotation.waiting
    assert rotation.turns_before(SOUTH) == 1 + 1 + 2


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_others_ask_a_lane_that_asks_for_one_plan_at_a_time_is_soon_planned(data):
    """With a place for each school it is never refused, and one turn of each other school comes before it at most."""
    at_once, places = data.draw(st.integers(1, 3)), data.draw(st.integers(4, 8))
    schools = data.draw(st.lists(st.sampled_from("ABC"), min_size=1, max_size=60))
    keys = data.draw(st.lists(st.sampled_from("xyz"), min_size=len(schools), max_size=len(schools)))
    lengths = data.draw(st.lists(st.floats(0.1, 30.0), min_size=1, max_size=20))
    rotation, now, ends, begun_before = Rotation(at_once, places), 0.0, {}, Counter()
    quiet = Lane("Quiet", "q")

    def advance(moment):
        rotation.begin_turns(moment)
        for ticket in rotation.running:
            if ticket not in ends:
                ends[ticket] = moment + lengths[ticket.number % len(lengths)]
                if asked is not None and ticket is not asked:
                    begun_before[ticket.lane.school] += asked in rotation.waiting
        assert len(rotation.running) <= at_once + 2

    asked = None
    for at, (school, key) in enumerate(zip(schools, keys, strict=True)):
        rotation.join(Lane(school, key))
        advance(now)
        if rotation.drop_excess() is None and at % 3 == 2:
            ended = min(rotation.running, key=ends.__getitem__)
            now = ends[ended]
            rotation.leave(ended)
            advance(now)
    asked = rotation.join(quiet)
    advance(now)
    dropped = rotation.drop_excess()

    assert dropped is not asked
    while asked not in rotation.running:
        ended = min(rotation.running, key=ends.__getitem__)
        now = ends[ended]
        rotation.leave(ended)
        advance(now)
    assert all(turns <= 1 for turns in begun_before.values())
