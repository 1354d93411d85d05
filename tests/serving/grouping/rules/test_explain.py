"""What is said of sessions and seats."""

from dataclasses import replace

from serving.grouping.problem.people import Purpose
from serving.grouping.rules.exchange import Exchanges
from serving.grouping.rules.explain import explain_seats, explain_sessions
from serving.grouping.rules.objective import Ledger


def test_sessions_and_seats_say_what_they_are_for(team, sessions):
    """The purpose of most students is that of the session; a weak prerequisite names the skill that waits for it."""
    waiting = {
        "a": {"purpose": Purpose.RETEACH},
        "b": {"purpose": Purpose.RETEACH, "because_of": "ratios"},
        "c": {"purpose": Purpose.CHECK_IN},
    }
    needs = (
        replace(need, **waiting[need.student]) if need.student in waiting and need.skill == "fractions" else need
        for need in team.needs
    )
    ledger = Ledger(replace(team, needs=tuple(needs)), sessions)

    held = {reason.session: reason for reason in explain_sessions(ledger)}
    seats = {(reason.student, reason.session): reason for reason in explain_seats(ledger)}

    assert held["g1"].purpose is Purpose.RETEACH
    assert "(small group, reteach 2, check in 1)" in held["g1"].sentence
    assert (held["o1"].purpose, held["g2"].purpose) == (None, None)
    assert "(small group)" in held["g2"].sentence
    assert seats["b", "g1"].sentence.startswith("Reteach, because Ratios builds on it: struggle risk 90%")
    assert (seats["c", "g1"].purpose, seats["a", "o2"].purpose) == (Purpose.CHECK_IN, None)


def test_who_sits_with_an_adult_may_change_places_with_who_sits_with_another(team, sessions):
    """Both sessions keep their size, so that it works where nobody could leave one."""
    beside = replace(sessions[2], block="m1", adults=("help",), room="two")
    exchanges = Exchanges(Ledger(team, (sessions[0], beside)))

    exchange = exchanges.find("a", "ratios", ["m1"])

    assert exchange is not None
    assert {session.id: session.students for session in exchange.after} == {
        "g2": ("e", "f", "a"),
        "g1": ("b", "c", "d"),
    }
