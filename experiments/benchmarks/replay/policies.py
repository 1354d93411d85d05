"""What plans a day of the replay: our planner, and rules that a school can follow without it.

Every policy has the same adults, rooms, blocks and hard rules. The rules without forecasts know plain facts of all
skills practiced recently, and no list of needs of ours. A rule that names who needs help is carried out as a
teacher-leader does (`planner.days.teacher_greedy`): the skill first that most of them need, the others in its group
who need the skill while there is room. As they are known, these rules look at each day alone; with a memory (`rested`)
they put whom they seated lately behind those who waited.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from experiments.benchmarks.planner.baselines import plan_baseline
from experiments.benchmarks.planner.days.run import StatedDay
from experiments.benchmarks.planner.days.teacher_greedy import find_urgent_or_lost, plan_greedily
from experiments.benchmarks.replay.mornings import Fact, Morning, Pair
from features.roster import Team
from serving.grouping import Budget, Need, Problem, Session, Skill
from serving.grouping.solve import find_sessions

OURS = "regroup"

BUDGET = Budget(seatings=1, bound_rounds=0)
"""Of our search, in rounds, so that plans are the same everywhere."""

KOLIBRI_WRONG = 4
"""Wrong answers on an exercise with which Kolibri's coaches are told that a learner needs help."""

REST_DAYS = 5
"""School days after a seat for which a rule with a memory puts the same student and skill behind those who waited."""

RESTED = " rested"
"""What follows the name of a rule with a memory."""


@dataclass(frozen=True)
class Choices:
    """What of the rules is to be chosen, on earlier days than those that are reported.

    Attributes:
        most: Students in a group.
        leads: Adults who lead at once, while the others supervise.
        wrong_in_a_row: Wrong answers in a row that ask for help.
        low_score: Last score below which a student needs help, 0-1.
    """

    most: int = 8
    leads: int = 2
    wrong_in_a_row: int = 2
    low_score: float = 0.6


def list_choices() -> dict[str, Choices]:
    """Returns all that is tried on earlier days, by what is chosen."""
    tried = [Choices(most, leads) for most in (5, 6, 8) for leads in (2, 3)]
    tried += [Choices(wrong_in_a_row=wrong, low_score=low) for wrong, low in ((1, 0.4), (3, 0.8))]
    return {" ".join(f"{name}={value}" for name, value in vars(one).items()): one for one in tried}


Plans = Callable[[StatedDay, Morning], tuple[Session, ...]]
"""Plans a day; raises `InfeasibleError` where it finds no plan."""


def list_policies(choices: Choices) -> dict[str, Plans]:
    """Returns every policy by name, ours first; rules that name who needs help also with a memory of their own."""
    rules: dict[str, Callable[[Fact], bool]] = {
        "last_score": lambda fact: fact.last_score < choices.low_score,
        "wrong_in_a_row": lambda fact: fact.wrong_in_a_row >= choices.wrong_in_a_row,
        "kolibri_4_wrong": lambda fact: fact.wrong >= KOLIBRI_WRONG,
    }
    found: dict[str, Plans] = {
        OURS: lambda stated, _: find_sessions(stated.problem, BUDGET).sessions,
        "random": _form_groups("random"),
        "score_bands": _form_groups("bands"),
        "k_means": _form_groups("clusters"),
    }
    for rest, after in ((0, ""), (REST_DAYS, RESTED)):
        found |= {f"{name}{after}": _help(choices, rule, rest) for name, rule in rules.items()}
        found[f"teacher_greedy{after}"] = _help_urgent(choices, rest)
    return found


def state_by_facts(problem: Problem, facts: Mapping[Pair, Fact]) -> Problem:
    """Returns a day whose needs are what plain facts say: 1 less the last score, on every skill practiced recently."""
    skills = sorted({skill for _, skill in facts})
    needs = tuple(
        Need(student, skill, need=1.0 - fact.last_score)
        for (student, skill), fact in sorted(facts.items())
        if fact.last_score < 1.0
    )
    return replace(problem, skills=tuple(Skill(skill, skill) for skill in skills), needs=needs)


def _form_groups(name: str) -> Plans:
    return lambda stated, morning: plan_baseline(state_by_facts(stated.problem, morning.facts), name, stated.number)


def find_rested(team: Team, rest: int) -> set[Pair]:
    """Returns the pairs of student and skill with a seat on one of the last so many school days on record."""
    days = sorted({past.date for past in team.past_sessions})[-rest:] if rest else []
    return {
        (student, past.skill_id or "") for past in team.past_sessions if past.date in days for student in past.students
    }


def _help_urgent(choices: Choices, rest: int) -> Plans:
    def plan(stated: StatedDay, _: Morning) -> tuple[Session, ...]:
        named = find_urgent_or_lost(stated.forecasts) - find_rested(stated.team, rest)
        return plan_greedily(stated.problem, named, choices.most, choices.leads)

    return plan


def _help(choices: Choices, needs_help: Callable[[Fact], bool], rest: int) -> Plans:
    def plan(stated: StatedDay, morning: Morning) -> tuple[Session, ...]:
        named = {pair for pair, fact in morning.facts.items() if needs_help(fact)}
        named -= find_rested(stated.team, rest)
        return plan_greedily(state_by_facts(stated.problem, morning.facts), named, choices.most, choices.leads)

    return plan
