"""The points of a whole day's program: one function for each soft term, from its sentence in `objective.py`."""

from collections import defaultdict
from collections.abc import Callable
from itertools import combinations

from experiments.benchmarks.planner.verify.whole_day import Held, Terms, WholeDay
from serving.grouping.problem.policy import SessionType


def add_terms(day: WholeDay) -> float:
    """Gives the columns their points; returns those that every day has, such as for students who cannot be seated."""
    return sum(term(day) for term in TERMS)


def benefit(day: WholeDay) -> float:
    """Need x effect x qualification x what the size leaves of it, of each seat."""
    effects = {(effect.session_type, effect.role): effect for effect in day.problem.effects}
    adults = {adult.id: adult for adult in day.problem.adults}
    needs = {(need.student, need.skill): need for need in day.problem.needs}
    for held, seats in day.seats.items():
        adult = adults[held.adult]
        effect = effects[held.session_type, adult.role]
        quality = 1.0 if adult.skills is None else adult.skills[held.skill]
        worth = {}
        for student in seats:
            need = needs[student, held.skill]
            share = effect.low_evidence if need.low_evidence and effect.low_evidence is not None else effect.effect
            worth[student] = day.problem.weights.benefit * need.need * share * quality
        _crowd(day, held, worth)
    return 0.0


def _crowd(day: WholeDay, held: Held, worth: dict[str, float]) -> None:
    """Gives the seats of a session their worth, less as it grows: each student's seat is that of one of its sizes."""
    seats, sizes = day.seats[held], day.sizes[held]
    shares = {run: day.problem.size_curve.share(run[1]) for run in sizes}
    if len(set(shares.values())) == 1:
        for student, seat in seats.items():
            day.program.points[seat] += worth[student] * next(iter(shares.values()))
        return
    within: dict[str, Terms] = {student: [] for student in seats}
    for (low, high), size in sizes.items():
        mine = []
        for student in seats:
            column = day.program.add(worth[student] * shares[low, high])
            day.program.bound([(column, 1.0), (size, -1.0)], high=0.0)
            within[student].append((column, 1.0))
            mine.append((column, 1.0))
        day.program.bound([*mine, (size, -float(low))], low=0.0)
        day.program.bound([*mine, (size, -float(high))], high=0.0)
    for student, seat in seats.items():
        day.program.bound([*within[student], (seat, -1.0)], low=0.0, high=0.0)


def urgent(day: WholeDay) -> float:
    """A seat on an urgent need gains by how urgent it is."""
    asked = {(need.student, need.skill): need.urgent for need in day.problem.needs}
    for held, seats in day.seats.items():
        for student, seat in seats.items():
            day.program.points[seat] += day.problem.weights.urgent * asked[student, held.skill]
    return 0.0


def coverage(day: WholeDay) -> float:
    """Each present student without a seat costs; the first seat wins that back."""
    return _cover(day, day.problem.weights.coverage, [s.id for s in day.problem.students if s.blocks])


def adult_time_due(day: WholeDay) -> float:
    """Each present student due for time with an adult costs; the first seat wins that back."""
    due = [student.id for student in day.problem.students if student.adult_time_due and student.blocks]
    return _cover(day, day.problem.weights.adult_time_due, due)


def _cover(day: WholeDay, weight: float, students: list[str]) -> float:
    for student in students:
        _once(day, weight, [(seat, 1.0) for seat, _ in day.seats_of(student)])
    return -weight * len(students)


def relationships(day: WholeDay) -> float:
    """The first meeting of a student and an adult today gains, the less the more often they met lately."""
    weight = day.problem.weights.relationships
    lately = {(contact.student, contact.adult): contact.sessions for contact in day.problem.contacts}
    for student in day.problem.students:
        by_adult: dict[str, Terms] = defaultdict(list)
        for seat, held in day.seats_of(student.id):
            by_adult[held.adult].append((seat, 1.0))
        for adult, terms in by_adult.items():
            _once(day, weight / (1 + lately.get((student.id, adult), 0)), terms)
    return 0.0


def repeat_groupmates(day: WholeDay) -> float:
    """A pair in one session costs for each earlier one.

    Pairs one by one bound little, since a student half in a session shares it with nobody. Of n mutual groupmates in a
    session the pairs are at least a n - a (a + 1) / 2 for any whole a (Padberg 1989, the boolean quadric polytope), so
    each set of them gets those rows.
    """
    weight = day.problem.weights.repeat_groupmates
    times = {(mate.first, mate.second): mate.sessions for mate in day.problem.recent_groupmates if mate.sessions}
    for session, seats in _places(day).values() if weight else ():
        pairs = {pair: day.program.add(-weight * times[pair]) for pair in times if set(pair) <= set(seats)}
        for recent_groupmates in _cliques(set(pairs)):
            both = [(pairs[pair], 1.0) for pair in combinations(sorted(recent_groupmates), 2)]
            among = [seat for student in recent_groupmates for seat in seats[student]]
            for a in range(1, len(recent_groupmates)):
                held = [(column, a * (a + 1) / 2) for column in session]
                day.program.bound([*both, *held, *((seat, -float(a)) for seat in among)], low=0.0)
    return 0.0


def keep_together(day: WholeDay) -> float:
    """A wished pair in one session gains, once."""
    weight = day.problem.weights.keep_together
    for one, other in day.problem.keep_together if weight else ():
        shared: Terms = []
        for _, seats in _places(day).values():
            if one in seats and other in seats:
                both = day.program.add()
                for student in (one, other):
                    day.program.bound([(both, 1.0), *((seat, -1.0) for seat in seats[student])], high=0.0)
                shared.append((both, 1.0))
        _once(day, weight, shared)
    return 0.0


def perturbation(day: WholeDay) -> float:
    """An earlier seat that changes costs: a led one unless it is held, one online if it is left."""
    weight = day.problem.weights.perturbation
    present = {student.id: student.blocks for student in day.problem.students}
    constant = 0.0
    for earlier in day.problem.previous if weight else ():
        if earlier.block not in present[earlier.student]:
            continue
        if earlier.led:
            constant -= weight
        for seat, held in day.seats_of(earlier.student, earlier.block):
            if not earlier.led:
                day.program.points[seat] -= weight
            elif (held.session_type, held.skill, held.adult) == (earlier.session_type, earlier.skill, earlier.adult):
                day.program.points[seat] += weight
    return constant


def load(day: WholeDay) -> float:
    """Blocks by which each adult's duties, those of days before included, lie off an even share of today's."""
    weight, adults = day.problem.weights.load, day.problem.adults
    there = sum(len(adult.blocks) for adult in adults)
    duties = {adult.id: [term for block in adult.blocks for term in day.duty(block, adult.id)] for adult in adults}
    total = [term for terms in duties.values() for term in terms]
    for adult in adults if weight and there else ():
        even = len(adult.blocks) / there
        off = day.program.add(-weight, highest=there + abs(adult.load_ahead))
        for sign in (1.0, -1.0):
            mine = [(column, -sign * factor) for column, factor in duties[adult.id]]
            fair = [(column, sign * even * factor) for column, factor in total]
            day.program.bound([(off, 1.0), *mine, *fair], low=sign * adult.load_ahead)
    return 0.0


def share(day: WholeDay) -> float:
    """Led seats by which each subgroup falls short of its share of labelled students' blocks."""
    weight = day.problem.weights.share
    labels = {student.id: student.subgroup for student in day.problem.students if student.subgroup is not None}
    blocks: dict[str, int] = defaultdict(int)
    for student in day.problem.students:
        if student.subgroup is not None:
            blocks[student.subgroup] += len(student.blocks)
    total = sum(blocks.values())
    seats = [(seat, labels[student]) for student in labels for seat, _ in day.seats_of(student)]
    for group, there in blocks.items() if weight and total else ():
        short = day.program.add(-weight, highest=float(total))
        fair = [(seat, (label == group) - there / total) for seat, label in seats]
        day.program.bound([(short, 1.0), *fair], low=0.0)
    return 0.0


def group_time_due(day: WholeDay) -> float:
    """Each present student due for a small group or tutoring costs; the first seat in one wins that back."""
    weight = day.problem.weights.group_time_due
    groups = {SessionType.SMALL_GROUP, SessionType.TUTORING}
    due = [student.id for student in day.problem.students if student.group_time_due and student.blocks]
    for student in due:
        _once(day, weight, [(seat, 1.0) for seat, held in day.seats_of(student) if held.session_type in groups])
    return -weight * len(due)


TERMS: tuple[Callable[[WholeDay], float], ...] = (
    benefit, urgent, coverage, adult_time_due, relationships, repeat_groupmates, keep_together, perturbation, load,
    share, group_time_due,
)  # fmt: skip


def _once(day: WholeDay, points: float, terms: Terms) -> None:
    """Gives points if any of the columns is 1."""
    if points and terms:
        reached = day.program.add(points)
        day.program.bound([(reached, 1.0), *((column, -factor) for column, factor in terms)], high=0.0)


def _places(day: WholeDay) -> dict[tuple[str, ...], tuple[list[int], dict[str, list[int]]]]:
    """For each block, adult, skill and aim the columns of its sessions and of each student's seats.

    Kinds are together: an adult has one session in a block, so students who sit with the adult then sit together.
    """
    places: dict[tuple[str, ...], tuple[list[int], dict[str, list[int]]]] = {}
    for held, seats in day.seats.items():
        sessions, students = places.setdefault((held.block, held.adult, held.skill, held.aim), ([], defaultdict(list)))
        sessions.append(day.held[held])
        for student, seat in seats.items():
            students[student].append(seat)
    return places


def _cliques(pairs: set[tuple[str, str]]) -> set[frozenset[str]]:
    """Returns all largest sets of students of whom each two are a pair, and the pairs (Bron and Kerbosch 1973)."""
    near: dict[str, set[str]] = defaultdict(set)
    for one, other in pairs:
        near[one].add(other)
        near[other].add(one)
    found = {frozenset(pair) for pair in pairs}

    def grow(recent_groupmates: set[str], more: set[str], seen: set[str]) -> None:
        if not more and not seen:
            found.add(frozenset(recent_groupmates))
            return
        pivot = max(sorted(more | seen), key=lambda student: len(near[student] & more))
        for student in sorted(more - near[pivot]):
            grow(recent_groupmates | {student}, more & near[student], seen & near[student])
            more, seen = more - {student}, seen | {student}

    grow(set(), set(near), set())
    return found - {frozenset()}
