"""What plans a day of the replay: our planner, and rules that a school can follow without it.

Every policy has the same adults, rooms, blocks and hard rules. The rules without forecasts know plain facts of all
skills practiced recently, and no list of needs of ours. A rule that names who needs help is carried out as a
teacher-leader does (`planner.days.teacher_greedy`): the skill first that most of them need, the others in its group
who need the skill while there is room.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from experiments.benchmarks.planner.baselines import plan_baseline
from experiments.benchmarks.planner.days.run import StatedDay
from experiments.benchmarks.planner.days.teacher_greedy import plan_greedily
from experiments.benchmarks.replay.mornings import Fact, Morning, Pair
from features.roster import Team
from serving.grouping import Budget, Need, Problem, Session, Skill
from serving.grouping.solve import find_sessions
from serving.plans.policy import load_policy

OURS = "regroup"

BUDGET = Budget(seatings=1, bound_rounds=0)
"""Of our search, in rounds, so that plans are the same everywhere."""

KOLIBRI_WRONG = 4
"""Wrong answers on an exercise with which Kolibri's coaches are told that a learner needs help."""


@dataclass(frozen=True)
class Choices:
    """What of the rules is to be chosen, on earlier days than those that are reported.

    Attributes:
        most: Students in a group.
        leads: Adults who lead at once, the others supervise.
        wrong_in_a_row: Wrong answers in a row that ask for help.
        low_score: Last score below which a student needs help, 0-1.
        rest: School days after a seat for which the same student and skill come after those who waited.
    """

    most: int = 6
    leads: int = 2
    wrong_in_a_row: int = 2
    low_score: float = 0.6
    rest: int = 5


def list_choices() -> dict[str, Choices]:
    """Returns all that is tried on earlier days, by what is chosen: group and leads first, then what each rule asks."""
    groups = [(most, leads, rest) for most in (6, 8) for leads in (2, 3) for rest in (0, 5, 10)]
    tried = [Choices(most, leads, rest=rest) for most, leads, rest in groups]
    tried += [Choices(wrong_in_a_row=wrong, low_score=low) for wrong, low in ((1, 0.4), (3, 0.8))]
    return {" ".join(f"{name}={value}" for name, value in vars(one).items()): one for one in tried}


Plans = Callable[[StatedDay, Morning], tuple[Session, ...]]
"""Plans a day; raises `InfeasibleError` where it finds no plan."""


def list_policies(choices: Choices) -> dict[str, Plans]:
    """Returns every policy by name, ours first."""
    return {
        OURS: lambda stated, _: find_sessions(stated.problem, BUDGET).sessions,
        "random": _form_groups("random"),
        "score_bands": _form_groups("bands"),
        "last_score": _help(choices, lambda fact: fact.last_score < choices.low_score),
        "wrong_in_a_row": _help(choices, lambda fact: fact.wrong_in_a_row >= choices.wrong_in_a_row),
        "kolibri_4_wrong": _help(choices, lambda fact: fact.wrong >= KOLIBRI_WRONG),
        "k_means": _form_groups("clusters"),
        "teacher_greedy": _help_urgent(choices),
    }


def find_urgent(stated: StatedDay) -> set[Pair]:
    """Returns the pairs of student and skill that are urgent by the morning's forecasts."""
    risk = load_policy().need.urgent_risk
    return {
        (forecast.student, forecast.skill)
        for forecast in stated.forecasts
        if forecast.status == "review_due"
        or (forecast.status != "proficient" and forecast.struggle_risk is not None and forecast.struggle_risk >= risk)
    }


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


def _help_urgent(choices: Choices) -> Plans:
    def plan(stated: StatedDay, _: Morning) -> tuple[Session, ...]:
        named = find_urgent(stated) - find_rested(stated.team, choices.rest)
        return plan_greedily(stated.problem, named, choices.most, choices.leads)

    return plan


def _help(choices: Choices, needs_help: Callable[[Fact], bool]) -> Plans:
    def plan(stated: StatedDay, morning: Morning) -> tuple[Session, ...]:
        named = {pair for pair, fact in morning.facts.items() if needs_help(fact)}
        named -= find_rested(stated.team, choices.rest)
        return plan_greedily(state_by_facts(stated.problem, morning.facts), named, choices.most, choices.leads)

    return plan
