"""The kernel: one pass over a student's events, from state to state, with a row of columns before each response.

A profile is a fold over one student's events in time order. The same two functions serve training rows (the state
before each response), nightly profiles (the state at a moment) and live updates (today's events folded into last
night's state). Every step costs the same however long the history is.

Events of one student at the very same time were submitted together: none of them sees another's answer.
"""

import math
from enum import IntEnum

import numba as nb
import numpy as np

from features.profiles.rasch import ABILITY_VARIANCE

NO_TIME = np.iinfo(np.int64).min
"""Stands for a null time; NaT has the same bits."""

HOUR = 3_600_000_000
"""Microseconds; a pause of an hour or more ends a session, and only such pauses show in a column."""

HALF_LIFE = 7.0
"""Days after which recent work counts half; it fades over pauses of an hour or more, not within a session."""

PRIOR = 3.0
"""Responses that the expected share counts for in a smoothed share."""

STEP, STEP_DECAY = 0.35, 0.05
SKILL_STEP, SKILL_STEP_DECAY = 0.6, 0.1
"""Elo-style steps shrink as 1 / (1 + decay x responses): quick at first, steady later (Pelánek 2016)."""


class Column(IntEnum):
    """Positions of the columns in a row; `features.profiles.columns` says what each means."""

    STUDENT_RESPONSES = 0
    STUDENT_CORRECT_SHARE = 1
    STUDENT_CORRECT_EWM_05 = 2
    STUDENT_CORRECT_EWM_20 = 3
    STUDENT_RESIDUAL_EWM_05 = 4
    STUDENT_RESIDUAL_EWM_20 = 5
    STUDENT_ABILITY = 6
    CORRECT_SHARE_10R = 7
    STUDENT_STREAK = 8
    DAYS_SINCE_LAST_RESPONSE = 9
    SESSION_RESPONSES = 10
    RECENT_RESPONSES_7D = 11
    ACTIVE_MINUTES_7D = 12
    STUDENT_HINTS_EWM_10 = 13
    SKILL_OPPORTUNITIES = 14
    SKILL_CORRECT_SHARE = 15
    SKILL_CORRECT_EWM_20 = 16
    SKILL_CORRECT_EWM_50 = 17
    SKILL_RESIDUAL_EWM_20 = 18
    SKILL_ABILITY = 19
    SKILL_STREAK = 20
    SKILL_BEST_STREAK = 21
    SKILL_CORRECT_SHARE_5R = 22
    DAYS_SINCE_SKILL = 23
    RESPONSES_SINCE_SKILL = 24
    SKILL_FIRST_CORRECT = 25
    SKILL_HINTS_EWM_20 = 26
    WEAKEST_OPPORTUNITIES = 27
    WEAKEST_CORRECT_SHARE = 28
    WEAKEST_ABILITY = 29
    ITEM_RESPONSES = 30
    ITEM_LAST_CORRECT = 31
    DAYS_SINCE_ITEM = 32
    ITEM_EASE = 33
    SKILL_EASE = 34
    STINT_RESPONSES = 35
    STINT_CORRECT_SHARE = 36
    STINT_BEST_STREAK = 37
    PREVIOUS_STINT_RESPONSES = 38
    PREVIOUS_STINT_BEST_STREAK = 39
    STINTS = 40
    EXPECTED_CORRECT = 41
    SKILL = 42
    TRANSITION_EASE = 43
    RASCH_ITEM_LOGIT = 44
    RASCH_EXPECTED = 45
    ITEM_PAIR_RESIDUAL = 46
    ITEM_PAIR_RESPONSES = 47
    ITEM_KNOWN_RESPONSES = 48


COLUMNS = tuple(column.name.lower() for column in Column)
"""Column names in the order of a row."""


class Student(IntEnum):
    """Positions in a student's running state."""

    RESPONSES = 0
    CORRECT = 1
    EWM_05 = 2
    EWM_20 = 3
    RESIDUAL_05 = 4
    RESIDUAL_20 = 5
    ABILITY = 6
    LAST_TEN = 7
    STREAK = 8
    LAST_TIME = 9
    SESSION_RESPONSES = 10
    RECENT_RESPONSES = 11
    ACTIVE_MINUTES = 12
    HINTS = 13
    STINT_NODE = 14
    STINT_RESPONSES = 15
    STINT_CORRECT = 16
    STINT_STREAK = 17
    STINT_BEST = 18
    PREVIOUS_RESPONSES = 19
    PREVIOUS_BEST = 20
    STINTS = 21
    PREVIOUS_NODE = 22
    RASCH_ABILITY = 23
    RASCH_PRECISION = 24
    LAST_ITEM = 25


class Skill(IntEnum):
    """Positions in the running state of one student on one skill node."""

    RESPONSES = 0
    CORRECT = 1
    EWM_20 = 2
    EWM_50 = 3
    RESIDUAL = 4
    ABILITY = 5
    STREAK = 6
    BEST = 7
    LAST_FIVE = 8
    LAST_TIME = 9
    LAST_INDEX = 10
    FIRST_CORRECT = 11
    HINTS = 12


class Item(IntEnum):
    """Positions in the running state of one student on one item."""

    RESPONSES = 0
    LAST_CORRECT = 1
    LAST_TIME = 2


STUDENT_SIZE, SKILL_SIZE, ITEM_SIZE = len(Student), len(Skill), len(Item)
"""numba compiles a length that is a constant, not the length of an enum."""

OWNER, ROW = 0, 1
"""Each skill and item has the student whose state was opened last, and the row where that state is."""

MEAN, EASE, RASCH_LOGIT, KNOWN = 0, 1, 2, 3
"""Each item has side by side in memory its share correct, the logit of that, its Rasch logit, and its responses."""

_entry = nb.njit(cache=True, error_model="numpy")
"""Compiles a function that Python calls; its machine code is kept, with all that it calls."""

_inlined = nb.njit(inline="always")
"""Compiles a function as part of each caller."""


@_inlined
def _copy_row(into, source):
    """Copies a row element by element: numba compiles the assignment of a whole row, which may raise, for seconds."""
    for at in range(len(source)):
        into[at] = source[at]


@_inlined
def _days_between(earlier: float, now: int) -> float:
    """Days from a state's time to now in whole hours; NaN when either is unknown."""
    if now == NO_TIME or math.isnan(earlier):
        return math.nan
    return math.floor((now - earlier) / HOUR) / 24.0


@_inlined
def _share_of_bits(bits: float, count: float, window: int) -> float:
    """The share of ones among the last `window` answers; NaN without any."""
    if count == 0.0:
        return math.nan
    left = int(bits)  # at most ten bits: added up in parallel, pairs, then fours, then eights
    left -= (left >> 1) & 0x5555
    left = (left & 0x3333) + ((left >> 2) & 0x3333)
    left = (left + (left >> 4)) & 0x0F0F
    return ((left + (left >> 8)) & 0x1F) / min(count, float(window))


@_inlined
def start_student(student, global_mean):
    """Fills the state of a student nobody has seen."""
    student[:] = 0.0
    student[Student.EWM_05] = global_mean
    student[Student.EWM_20] = global_mean
    student[Student.LAST_TIME] = math.nan
    student[Student.HINTS] = math.nan
    student[Student.ACTIVE_MINUTES] = math.nan
    student[Student.STINT_NODE] = -1.0
    student[Student.PREVIOUS_BEST] = math.nan
    student[Student.PREVIOUS_NODE] = -1.0
    student[Student.RASCH_PRECISION] = 1.0 / ABILITY_VARIANCE
    student[Student.LAST_ITEM] = -1.0


@_inlined
def start_skill(skill, node_mean):
    """Fills the state of a student on a skill never practiced."""
    skill[:] = 0.0
    skill[Skill.EWM_20] = node_mean
    skill[Skill.EWM_50] = node_mean
    skill[Skill.LAST_TIME] = math.nan
    skill[Skill.FIRST_CORRECT] = math.nan
    skill[Skill.HINTS] = math.nan


@_inlined
def start_item(item):
    """Fills the state of a student on an item never answered."""
    item[Item.RESPONSES] = 0.0
    item[Item.LAST_CORRECT] = math.nan
    item[Item.LAST_TIME] = math.nan


@_inlined
def _expect_by_ability(student, rasch_logit):
    """The Rasch model's probability of a correct answer, at the student's ability of the moment."""
    return 1.0 / (1.0 + math.exp(-(student[Student.RASCH_ABILITY] + rasch_logit)))


@_inlined
def _answer_rasch(student, correct, by_ability):
    """Moves the student's ability in the Rasch model by one Newton step towards its mode."""
    student[Student.RASCH_PRECISION] += by_ability * (1.0 - by_ability)
    student[Student.RASCH_ABILITY] += (correct - by_ability) / student[Student.RASCH_PRECISION]


@_inlined
def _transition(stint_node, previous_node, node):
    """The transition that a response on `node` is part of: the node before it, and whether its run starts here.

    Skill in the upper half, twice the node of the run before (-1: none, moved up by one) plus one at the start below.
    """
    starts = stint_node != node
    before = stint_node if starts else previous_node
    return (np.int64(node) << 32) | ((np.int64(before) + 1) << 1) | np.int64(starts)


@_inlined
def _slot_of(transition, table_key):
    """Where both halves of a transition, within the run and at its start, are in the table; else an empty slot."""
    wanted = transition >> 1
    last = len(table_key) - 1  # the size is a power of two
    slot = (wanted ^ (wanted >> 29)) * 0x1E3779B97F4A7C15 >> 20 & last  # Fibonacci hashing
    while table_key[slot] != wanted and table_key[slot] >= 0:
        slot = (slot + 1) & last
    return slot


@_entry
def build_transition_table(transition, ease, place_ease):
    """A hash table of how often others are right at each transition, so that finding one never takes a search.

    Args:
        transition: As `find_transitions` writes them, each once.
        ease: Logit of the share correct of each.
        place_ease: The same per node, within a run (0) and at its start (1), for halves that were never seen.

    Returns:
        The keys, without their last bit and -1 where a slot is empty, and one row of two logits per slot.
    """
    size = 16
    while size < len(transition):  # most come in two halves that share a slot
        size *= 2
    table_key = np.full(size, -1, np.int64)
    table_ease = np.zeros((size, 2))
    for at in range(len(transition)):
        slot = _slot_of(transition[at], table_key)
        if table_key[slot] < 0:
            table_key[slot] = transition[at] >> 1
            _copy_row(table_ease[slot], place_ease[transition[at] >> 32])
        table_ease[slot, transition[at] & 1] = ease[at]
    return table_key, table_ease


@_inlined
def _ease_at(slot, transition, table_key, table_ease, place_ease):
    """How often others are right at this transition; where it was never seen, at this place of a run on the skill."""
    if table_key[slot] < 0:
        return place_ease[transition >> 32, transition & 1]
    return table_ease[slot, transition & 1]


@_entry
def find_transitions(event_start, time, item, correct, node, out):
    """Writes the transition that each first attempt is part of, as `fold_events` will see it; -1 for other events."""
    for who in range(len(event_start) - 1):
        stint = -1
        previous = -1
        begin = event_start[who]
        stop = event_start[who + 1]
        while begin < stop:
            end = begin + 1
            while end < stop and time[end] == time[begin] and time[begin] != NO_TIME:
                end += 1
            for event in range(begin, end):
                answered = correct[event] >= 0 and item[event] >= 0
                out[event] = _transition(stint, previous, node[event]) if answered else -1
            for event in range(begin, end):
                if correct[event] >= 0 and item[event] >= 0 and node[event] != stint:
                    previous = stint
                    stint = node[event]
            begin = end


PAIR = np.dtype([("key", np.int64), ("residual", np.float32), ("responses", np.float32)])
"""A slot of the hash table of item pairs; all of it lies in one line of the processor's cache."""


@_inlined
def _find_pairs(begin, stop, time, item, correct, last_item, right, pair):
    """Writes the item pair that each first attempt of one student is part of, from the first place of `pair` on.

    An item pair is the item in the upper half; below it twice the item answered before (-1: none, moved up by one),
    plus one if that was correct. Other events get -1.
    """
    next_item = last_item
    next_right = right
    for event in range(begin, stop):
        if event == begin or time[event] != time[event - 1] or time[event] == NO_TIME:  # answers of a moment are hidden
            last_item = next_item
            right = next_right
        pair[event - begin] = -1
        if correct[event] >= 0 and item[event] >= 0:
            pair[event - begin] = (np.int64(item[event]) << 32) | ((last_item + 1) << 1) | right
            next_item = np.int64(item[event])
            next_right = np.int64(correct[event])


@_inlined
def _first_slot(pair, pairs):
    """Where an item pair would be in an empty table."""
    return (pair ^ (pair >> 29)) * 0x1E3779B97F4A7C15 >> 20 & (len(pairs) - 1)  # Fibonacci hashing; a power of two


@_inlined
def _slot_of_pair(pair, pairs):
    """Where an item pair is in the table; else an empty slot."""
    slot = _first_slot(pair, pairs)
    while pairs[slot].key != pair and pairs[slot].key >= 0:
        slot = (slot + 1) & (len(pairs) - 1)
    return slot


@_entry
def build_pair_table(pair, residual, responses):
    """A hash table of item pairs, at most a third full, so that most of those it does not hold meet an empty slot.

    Args:
        pair: As `find_pairs` writes them, each once.
        residual: What to say of each.
        responses: First attempts of each.

    Returns:
        Slots of `PAIR`; the key of an empty one is -1.
    """
    size = 16
    while size < 3 * len(pair):
        size *= 2
    pairs = np.empty(size, PAIR)
    for slot in range(size):
        pairs[slot].key = -1
        pairs[slot].residual = 0.0
        pairs[slot].responses = 0.0
    for at in range(len(pair)):
        slot = _slot_of_pair(pair[at], pairs)
        pairs[slot].key = pair[at]
        pairs[slot].residual = residual[at]
        pairs[slot].responses = responses[at]
    return pairs


@_entry
def find_pairs(event_start, time, item, correct, rasch_item_logit, pair, residual):
    """Writes of each first attempt its item pair and what it is beyond `rasch_expected`, as `fold_events` sees both.

    For other events the pair is -1 and the residual means nothing.
    """
    student = np.empty(STUDENT_SIZE, np.float64)
    for who in range(len(event_start) - 1):
        start_student(student, 0.5)
        begin = event_start[who]
        stop = event_start[who + 1]
        _find_pairs(begin, stop, time, item, correct, -1, 0, pair[begin:stop])
        while begin < stop:
            end = begin + 1
            while end < stop and time[end] == time[begin] and time[begin] != NO_TIME:
                end += 1
            for event in range(begin, end):
                if pair[event] >= 0:
                    residual[event] = correct[event] - _expect_by_ability(student, rasch_item_logit[item[event]])
            for event in range(begin, end):
                if pair[event] >= 0:
                    expected = _expect_by_ability(student, rasch_item_logit[item[event]])
                    _answer_rasch(student, float(correct[event]), expected)
            begin = end


@_inlined
def write_row(
    row,
    student,
    skill,
    item,
    now,
    node,
    global_mean,
    node_mean,
    item_ease,
    node_ease,
    node_known,
    transition_ease,
    rasch_logit,
    by_ability,
    pair_residual,
    pair_responses,
    known_responses,
):
    """Writes every column of one response from the state before it, but for those of the weakest member."""
    responses = student[Student.RESPONSES]
    opportunities = skill[Skill.RESPONSES]
    pause = _days_between(student[Student.LAST_TIME], now)
    row[Column.STUDENT_RESPONSES] = responses
    row[Column.STUDENT_CORRECT_SHARE] = (student[Student.CORRECT] + PRIOR * global_mean) / (responses + PRIOR)
    row[Column.STUDENT_CORRECT_EWM_05] = student[Student.EWM_05]
    row[Column.STUDENT_CORRECT_EWM_20] = student[Student.EWM_20]
    row[Column.STUDENT_RESIDUAL_EWM_05] = student[Student.RESIDUAL_05]
    row[Column.STUDENT_RESIDUAL_EWM_20] = student[Student.RESIDUAL_20]
    row[Column.STUDENT_ABILITY] = student[Student.ABILITY]
    row[Column.CORRECT_SHARE_10R] = _share_of_bits(student[Student.LAST_TEN], responses, 10)
    row[Column.STUDENT_STREAK] = student[Student.STREAK]
    row[Column.DAYS_SINCE_LAST_RESPONSE] = pause
    row[Column.SESSION_RESPONSES] = (
        math.nan if now == NO_TIME else (student[Student.SESSION_RESPONSES] if pause == 0.0 else 0.0)
    )
    fade = math.exp2(-pause / HALF_LIFE) if pause > 0.0 else 1.0
    row[Column.RECENT_RESPONSES_7D] = math.nan if now == NO_TIME else student[Student.RECENT_RESPONSES] * fade
    row[Column.ACTIVE_MINUTES_7D] = math.nan if now == NO_TIME else student[Student.ACTIVE_MINUTES] * fade
    row[Column.STUDENT_HINTS_EWM_10] = student[Student.HINTS]
    row[Column.SKILL_OPPORTUNITIES] = opportunities
    row[Column.SKILL_CORRECT_SHARE] = (skill[Skill.CORRECT] + PRIOR * node_mean) / (opportunities + PRIOR)
    row[Column.SKILL_CORRECT_EWM_20] = skill[Skill.EWM_20]
    row[Column.SKILL_CORRECT_EWM_50] = skill[Skill.EWM_50]
    row[Column.SKILL_RESIDUAL_EWM_20] = skill[Skill.RESIDUAL]
    # the two abilities share an answer's surprise, so that only their sum never rises after a wrong answer
    ability = student[Student.ABILITY] + skill[Skill.ABILITY]
    row[Column.SKILL_ABILITY] = ability
    row[Column.SKILL_STREAK] = skill[Skill.STREAK]
    row[Column.SKILL_BEST_STREAK] = skill[Skill.BEST]
    row[Column.SKILL_CORRECT_SHARE_5R] = _share_of_bits(skill[Skill.LAST_FIVE], opportunities, 5)
    row[Column.DAYS_SINCE_SKILL] = _days_between(skill[Skill.LAST_TIME], now)
    row[Column.RESPONSES_SINCE_SKILL] = responses - skill[Skill.LAST_INDEX] if opportunities > 0.0 else math.nan
    row[Column.SKILL_FIRST_CORRECT] = skill[Skill.FIRST_CORRECT]
    row[Column.SKILL_HINTS_EWM_20] = skill[Skill.HINTS]
    row[Column.WEAKEST_OPPORTUNITIES] = opportunities
    row[Column.WEAKEST_CORRECT_SHARE] = row[Column.SKILL_CORRECT_SHARE]
    row[Column.WEAKEST_ABILITY] = ability
    row[Column.ITEM_RESPONSES] = item[Item.RESPONSES]
    row[Column.ITEM_LAST_CORRECT] = item[Item.LAST_CORRECT]
    row[Column.DAYS_SINCE_ITEM] = _days_between(item[Item.LAST_TIME], now)
    row[Column.ITEM_EASE] = item_ease
    row[Column.SKILL_EASE] = node_ease
    same = student[Student.STINT_NODE] == node
    stint = student[Student.STINT_RESPONSES] if same else 0.0
    row[Column.STINT_RESPONSES] = stint
    row[Column.STINT_CORRECT_SHARE] = student[Student.STINT_CORRECT] / stint if stint > 0.0 else math.nan
    row[Column.STINT_BEST_STREAK] = student[Student.STINT_BEST] if same else 0.0
    previous_best = student[Student.PREVIOUS_BEST]
    if not same and student[Student.STINTS] > 0.0:
        previous_best = student[Student.STINT_BEST]
    row[Column.PREVIOUS_STINT_RESPONSES] = student[Student.PREVIOUS_RESPONSES if same else Student.STINT_RESPONSES]
    row[Column.PREVIOUS_STINT_BEST_STREAK] = previous_best
    row[Column.STINTS] = student[Student.STINTS]
    logit = ability + item_ease
    expected = 1.0 / (1.0 + math.exp(-logit))
    row[Column.EXPECTED_CORRECT] = expected
    row[Column.SKILL] = node if node_known else math.nan
    row[Column.TRANSITION_EASE] = transition_ease
    row[Column.RASCH_ITEM_LOGIT] = rasch_logit
    row[Column.RASCH_EXPECTED] = by_ability
    row[Column.ITEM_PAIR_RESIDUAL] = pair_residual
    row[Column.ITEM_PAIR_RESPONSES] = pair_responses
    row[Column.ITEM_KNOWN_RESPONSES] = known_responses
    return expected


@_inlined
def _weigh_member(row, overall, member, member_mean, first):
    """Lets one member of a combination lower the columns of the weakest."""
    opportunities = member[Skill.RESPONSES]
    share = (member[Skill.CORRECT] + PRIOR * member_mean) / (opportunities + PRIOR)
    if first or opportunities < row[Column.WEAKEST_OPPORTUNITIES]:
        row[Column.WEAKEST_OPPORTUNITIES] = opportunities
    if first or share < row[Column.WEAKEST_CORRECT_SHARE]:
        row[Column.WEAKEST_CORRECT_SHARE] = share
    ability = overall + member[Skill.ABILITY]
    if first or ability < row[Column.WEAKEST_ABILITY]:
        row[Column.WEAKEST_ABILITY] = ability


@_inlined
def _pass_time(student, now, duration):
    """Moves a student's clock to an event; activities and retries do only this."""
    if now != NO_TIME:
        last = student[Student.LAST_TIME]
        pause = _days_between(last, now)
        if pause > 0.0 or math.isnan(last):
            student[Student.SESSION_RESPONSES] = 0.0
        if pause > 0.0:
            fade = math.exp2(-pause / HALF_LIFE)
            student[Student.RECENT_RESPONSES] *= fade
            student[Student.ACTIVE_MINUTES] *= fade
        student[Student.LAST_TIME] = now
    if not math.isnan(duration):
        minutes = student[Student.ACTIVE_MINUTES]
        student[Student.ACTIVE_MINUTES] = duration / 60.0 + (0.0 if math.isnan(minutes) else minutes)


@_inlined
def _ewm_or_first(mean, value, rate):
    """An exponential average that starts at its first value."""
    return value if math.isnan(mean) else mean + rate * (value - mean)


@_inlined
def _answer_student(student, item, node, correct, hinted, residual, surprise, by_ability):
    """Counts one first attempt in a student's state."""
    _answer_rasch(student, correct, by_ability)
    student[Student.LAST_ITEM] = item
    responses = student[Student.RESPONSES]
    student[Student.RESPONSES] = responses + 1.0
    student[Student.CORRECT] += correct
    student[Student.EWM_05] += 0.05 * (correct - student[Student.EWM_05])
    student[Student.EWM_20] += 0.20 * (correct - student[Student.EWM_20])
    student[Student.RESIDUAL_05] += 0.05 * (residual - student[Student.RESIDUAL_05])
    student[Student.RESIDUAL_20] += 0.20 * (residual - student[Student.RESIDUAL_20])
    student[Student.ABILITY] += STEP / (1.0 + STEP_DECAY * responses) * surprise
    student[Student.LAST_TEN] = float(((int(student[Student.LAST_TEN]) << 1) | int(correct)) & 1023)
    streak = student[Student.STREAK]
    student[Student.STREAK] = (max(streak, 0.0) + 1.0) if correct else (min(streak, 0.0) - 1.0)
    student[Student.SESSION_RESPONSES] += 1.0
    student[Student.RECENT_RESPONSES] += 1.0
    if not math.isnan(hinted):
        student[Student.HINTS] = _ewm_or_first(student[Student.HINTS], hinted, 0.10)
    if student[Student.STINT_NODE] != node:
        if student[Student.STINTS] > 0.0:
            student[Student.PREVIOUS_RESPONSES] = student[Student.STINT_RESPONSES]
            student[Student.PREVIOUS_BEST] = student[Student.STINT_BEST]
            student[Student.PREVIOUS_NODE] = student[Student.STINT_NODE]
        student[Student.STINT_NODE] = node
        student[Student.STINT_RESPONSES] = 0.0
        student[Student.STINT_CORRECT] = 0.0
        student[Student.STINT_STREAK] = 0.0
        student[Student.STINT_BEST] = 0.0
        student[Student.STINTS] += 1.0
    student[Student.STINT_RESPONSES] += 1.0
    student[Student.STINT_CORRECT] += correct
    student[Student.STINT_STREAK] = (student[Student.STINT_STREAK] + 1.0) * correct
    student[Student.STINT_BEST] = max(student[Student.STINT_BEST], student[Student.STINT_STREAK])


@_inlined
def _answer_skill(skill, now, index, correct, hinted, residual, surprise):
    """Counts one first attempt in the state of a skill."""
    opportunities = skill[Skill.RESPONSES]
    if opportunities == 0.0:
        skill[Skill.FIRST_CORRECT] = correct
    skill[Skill.RESPONSES] = opportunities + 1.0
    skill[Skill.CORRECT] += correct
    skill[Skill.EWM_20] += 0.20 * (correct - skill[Skill.EWM_20])
    skill[Skill.EWM_50] += 0.50 * (correct - skill[Skill.EWM_50])
    skill[Skill.RESIDUAL] += 0.20 * (residual - skill[Skill.RESIDUAL])
    skill[Skill.ABILITY] += SKILL_STEP / (1.0 + SKILL_STEP_DECAY * opportunities) * surprise
    skill[Skill.STREAK] = (skill[Skill.STREAK] + 1.0) * correct
    skill[Skill.BEST] = max(skill[Skill.BEST], skill[Skill.STREAK])
    skill[Skill.LAST_FIVE] = float(((int(skill[Skill.LAST_FIVE]) << 1) | int(correct)) & 31)
    if now != NO_TIME:
        skill[Skill.LAST_TIME] = now
    skill[Skill.LAST_INDEX] = index
    if not math.isnan(hinted):
        skill[Skill.HINTS] = _ewm_or_first(skill[Skill.HINTS], hinted, 0.20)


@_inlined
def _answer_item(item, now, correct):
    """Counts one first attempt in the state of an item."""
    item[Item.RESPONSES] += 1.0
    item[Item.LAST_CORRECT] = correct
    if now != NO_TIME:
        item[Item.LAST_TIME] = now


@_inlined
def _claim(code, held, student, used, out_codes):
    """The row that holds a student's state on a skill or item, and whether it had to be opened."""
    if held[code, OWNER] == student:
        return held[code, ROW], used, False
    held[code, OWNER] = student
    held[code, ROW] = used
    out_codes[used] = code
    return used, used + 1, True


@_entry
def fold_events(
    event_start,
    time,
    item,
    correct,
    hints,
    duration,
    event_node,
    member_start,
    members,
    global_mean,
    node_mean,
    node_ease,
    node_known,
    item_level,
    table_key,
    table_ease,
    place_ease,
    pairs,
    old_student,
    old_skill_start,
    old_skill_node,
    old_skill,
    old_item_start,
    old_item_code,
    old_item,
    out,
    student,
    skill_start,
    skill_node,
    skill,
    item_start,
    item_code,
    item_state,
):
    """Folds events, sorted by student and time, into states; writes a row of columns before each event.

    `correct` is 1 or 0 for a first attempt and -1 for everything that only passes time. `out` has a row per event,
    or no rows when only the states are wanted. The states of students without events are carried over.
    """
    students = len(event_start) - 1
    node_held = np.full((len(node_mean), 2), -1, np.int32)
    item_held = np.full((len(item_level), 2), -1, np.int32)
    no_item = np.empty(ITEM_SIZE, np.float64)
    start_item(no_item)
    fresh_skill = np.empty(SKILL_SIZE, np.float64)
    skills_used = 0
    items_used = 0
    emit = len(out) > 0
    longest = 0
    for who in range(students if emit else 0):
        longest = max(longest, event_start[who + 1] - event_start[who])
    pair = np.empty(longest, np.int64)
    in_first_slot = np.empty(longest, np.int64)
    expected = 0.5
    by_ability = 0.5
    held_transition = np.int64(-1)
    slot = np.int64(0)
    for who in range(students):
        skill_start[who] = skills_used
        item_start[who] = items_used
        me = student[who]
        if who < len(old_student):
            _copy_row(me, old_student[who])
            for row in range(old_skill_start[who], old_skill_start[who + 1]):
                at, skills_used, _ = _claim(old_skill_node[row], node_held, who, skills_used, skill_node)
                _copy_row(skill[at], old_skill[row])
            for row in range(old_item_start[who], old_item_start[who + 1]):
                at, items_used, _ = _claim(old_item_code[row], item_held, who, items_used, item_code)
                _copy_row(item_state[at], old_item[row])
        else:
            start_student(me, global_mean)
        begin = event_start[who]
        first = begin
        stop = event_start[who + 1]
        if emit:
            last_right = np.int64(me[Student.STREAK] > 0.0)
            _find_pairs(begin, stop, time, item, correct, np.int64(me[Student.LAST_ITEM]), last_right, pair)
            for at in range(stop - begin):  # in a loop without a branch the processor waits for many slots at once
                in_first_slot[at] = pairs[_first_slot(pair[at], pairs)].key
        while begin < stop:
            end = begin + 1
            while end < stop and time[end] == time[begin] and time[begin] != NO_TIME:
                end += 1
            if emit:
                for event in range(begin, end):
                    code = item[event]
                    if correct[event] < 0 or code < 0:
                        out[event] = math.nan
                        continue
                    node = event_node[event]
                    if node_held[node, OWNER] == who:
                        mine = skill[node_held[node, ROW]]
                    else:
                        start_skill(fresh_skill, node_mean[node])
                        mine = fresh_skill
                    its = item_state[item_held[code, ROW]] if item_held[code, OWNER] == who else no_item
                    row = out[event]
                    transition = _transition(me[Student.STINT_NODE], me[Student.PREVIOUS_NODE], node)
                    if transition >> 1 != held_transition:  # all of a run share a slot
                        held_transition = transition >> 1
                        slot = _slot_of(transition, table_key)
                    ease = _ease_at(slot, transition, table_key, table_ease, place_ease)
                    by_ability = _expect_by_ability(me, item_level[code, RASCH_LOGIT])
                    at = event - first
                    pair_residual = pair_responses = np.float32(0.0)  # what is said of a rare pair
                    if in_first_slot[at] >= 0:
                        pair_slot = _slot_of_pair(pair[at], pairs)
                        pair_residual = pairs[pair_slot].residual
                        pair_responses = pairs[pair_slot].responses
                    expected = write_row(
                        row, me, mine, its, time[event], node,
                        global_mean, node_mean[node], item_level[code, EASE], node_ease[node], node_known[node], ease,
                        item_level[code, RASCH_LOGIT], by_ability, pair_residual, pair_responses,
                        item_level[code, KNOWN],
                    )  # fmt: skip
                    if member_start[node + 1] - member_start[node] > 1:
                        for m in range(member_start[node], member_start[node + 1]):
                            member = members[m]
                            if node_held[member, OWNER] == who:
                                mine = skill[node_held[member, ROW]]
                            else:
                                start_skill(fresh_skill, node_mean[member])
                                mine = fresh_skill
                            _weigh_member(row, me[Student.ABILITY], mine, node_mean[member], m == member_start[node])
            for event in range(begin, end):
                _pass_time(me, time[event], duration[event])
                code = item[event]
                if correct[event] < 0 or code < 0:
                    continue
                node = event_node[event]
                answer = float(correct[event])
                hinted = hints[event] if math.isnan(hints[event]) else min(hints[event], 1.0)
                at, skills_used, opened = _claim(node, node_held, who, skills_used, skill_node)
                if opened:
                    start_skill(skill[at], node_mean[node])
                if not emit or end - begin > 1:
                    logit = me[Student.ABILITY] + skill[at, Skill.ABILITY] + item_level[code, EASE]
                    expected = 1.0 / (1.0 + math.exp(-logit))
                    by_ability = _expect_by_ability(me, item_level[code, RASCH_LOGIT])
                surprise = answer - expected
                residual = answer - item_level[code, MEAN]
                index = me[Student.RESPONSES]
                _answer_student(me, code, node, answer, hinted, residual, surprise, by_ability)
                _answer_skill(skill[at], time[event], index, answer, hinted, residual, surprise)
                if member_start[node + 1] - member_start[node] > 1:
                    for m in range(member_start[node], member_start[node + 1]):
                        member = members[m]
                        at, skills_used, opened = _claim(member, node_held, who, skills_used, skill_node)
                        if opened:
                            start_skill(skill[at], node_mean[member])
                        _answer_skill(skill[at], time[event], index, answer, hinted, residual, surprise)
                at, items_used, opened = _claim(code, item_held, who, items_used, item_code)
                if opened:
                    start_item(item_state[at])
                _answer_item(item_state[at], time[event], answer)
            begin = end
    skill_start[students] = skills_used
    item_start[students] = items_used


@_entry
def read_skills(
    now,
    student,
    skill_start,
    skill_node,
    skill,
    member_start,
    members,
    global_mean,
    node_mean,
    node_ease,
    rasch_node_logit,
    node_known,
    table_key,
    table_ease,
    place_ease,
    out,
):
    """Writes one row per student and practiced skill: what `fold_events` would write for an average item now."""
    no_item = np.empty(ITEM_SIZE, np.float64)
    start_item(no_item)
    fresh_skill = np.empty(SKILL_SIZE, np.float64)
    for who in range(len(student)):
        for at in range(skill_start[who], skill_start[who + 1]):
            node = skill_node[at]
            transition = _transition(student[who, Student.STINT_NODE], student[who, Student.PREVIOUS_NODE], node)
            slot = _slot_of(transition, table_key)
            ease = _ease_at(slot, transition, table_key, table_ease, place_ease)
            write_row(
                out[at], student[who], skill[at], no_item, now, node,
                global_mean, node_mean[node], node_ease[node], node_ease[node], node_known[node], ease,
                rasch_node_logit[node], _expect_by_ability(student[who], rasch_node_logit[node]),
                0.0, 0.0, 0.0,
            )  # fmt: skip
            if member_start[node + 1] - member_start[node] > 1:
                for m in range(member_start[node], member_start[node + 1]):
                    found = False
                    for row in range(skill_start[who], skill_start[who + 1]):
                        if skill_node[row] == members[m]:
                            _weigh_member(
                                out[at],
                                student[who, Student.ABILITY],
                                skill[row],
                                node_mean[members[m]],
                                m == member_start[node],
                            )
                            found = True
                    if not found:
                        start_skill(fresh_skill, node_mean[members[m]])
                        _weigh_member(
                            out[at],
                            student[who, Student.ABILITY],
                            fresh_skill,
                            node_mean[members[m]],
                            m == member_start[node],
                        )


@_entry
def read_students(now, student, global_mean, out):
    """Writes one row per student: what `write_row` says of the student alone; the columns of skills mean nothing."""
    no_item = np.empty(ITEM_SIZE, np.float64)
    start_item(no_item)
    no_skill = np.empty(SKILL_SIZE, np.float64)
    start_skill(no_skill, global_mean)
    for who in range(len(student)):
        write_row(
            out[who], student[who], no_skill, no_item, now, -1, global_mean, global_mean, 0.0, 0.0, False,
            0.0, 0.0, 0.5, 0.0, 0.0, 0.0,
        )  # fmt: skip
