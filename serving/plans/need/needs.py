"""Which skills each student could work on today, what for, and how much each is needed."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from features.events.evidence import Evidence, Of
from features.roster import SkillMap, Team
from serving.grouping import Need, Purpose
from serving.models.forecasts import SkillForecast, forecast_students
from serving.models.snapshot import Snapshot
from serving.plans.rules.policy import NeedPolicy
from serving.store.roster_cache import TeamSnapshot


@dataclass(frozen=True)
class Candidate:
    """A need, and the forecast that it comes from.

    Attributes:
        forecast: Null for a skill of which no answer of the student is known.
        evidence: What a total says where there are too few answers for a forecast; null where it does not count.
        catch_up: Whether most of the team is proficient in the skill, so that its groups are the lowest in need.
    """

    need: Need
    forecast: SkillForecast | None
    catch_up: bool = False
    evidence: Evidence | None = None


def find_candidates(
    snapshot: Snapshot, team: Team, roster: TeamSnapshot, policy: NeedPolicy, recent_days: int, max_candidates: int
) -> Sequence[Candidate]:
    """The candidates of a team by the snapshot's forecasts, computed once for each version of the roster.

    Args:
        snapshot: Models and profiles.
        team: The team.
        roster: The snapshot that the team is part of, with the skills.
        policy: Chances where no forecast is given, and priorities.
        recent_days: Days for which practice counts as recent.
        max_candidates: Candidates per student.
    """

    def compute() -> Sequence[Candidate]:
        forecasts = forecast_students(snapshot, team.members, recent_days)
        as_of = snapshot.data_as_of
        return tuple(list_candidates(team, roster.skills, forecasts, policy, max_candidates, as_of, roster.evidence))

    key = "candidates", team.team_id, policy, recent_days, max_candidates
    known_by = roster.version, team.members, tuple(team.focus.items()), team.past_sessions
    return snapshot.cache.get(key, compute, version=known_by)


def list_candidates(
    team: Team,
    skills: SkillMap,
    forecasts: Sequence[SkillForecast],
    policy: NeedPolicy,
    max_candidates: int,
    as_of: datetime | None = None,
    evidence: Mapping[Of, Evidence] | None = None,
) -> list[Candidate]:
    """The skills that each student needs most and what for, the most needed first; every member has at least one.

    Need = chance of not getting there alone x priority. Where the team names no unit, it fades with the days since the
    skill was practiced last, and rests after a session with an adult until the student answers on the skill again:
    whether it helped is not known before, and others wait.

    - The chance is the struggle risk: to `reteach` a skill in which the student is not yet proficient, for
      `guided_practice` of one that is being learned, for `review` of one in which the student no longer is proficient.
    - Where no forecast is given, or the failure is long ago, a `check_in` comes first.
    - A skill not begun of the team's current work is to `introduce`, where its prerequisites are ready.
    - Skills in which the student is proficient are to `extend`, so that everybody shares something with others; the
      likelier two wrong answers in a row are, the more, so that what the student knows by heart comes last. Who
      needs nothing in the current work, and nothing urgent, may as well be introduced to what comes after it or, with
      nothing known at all, check in on the current work.

    Listed are skills practiced recently, of the current work or no longer proficient, and others at an urgent risk;
    urgent needs come first. A need whose prerequisite is at an urgent risk itself moves to that prerequisite, which
    says because of which skill. The priority is that of the current unit, or without one the share of the team that
    practiced the skill lately relative to the skill most practiced; elsewhere, and where more, it grows with the risk
    from a least one to 1.
    Where there are too few answers for a forecast, a total of another product counts: need = 1 - mastery, to `reteach`
    where it is below a half even with its uncertainty, else to `check_in`; none from a mastery of .8 (`policy.toml`).
    A need is urgent at an urgent risk, less so where the student no longer is proficient but not far from it, and as
    urgent as the skill because of which it moved to a prerequisite. Where the team names no unit, it is so by degrees.
    A skill in which most of the members with evidence are proficient is one to catch up on.

    Args:
        team: Members and current unit.
        skills: Prerequisites.
        forecasts: Forecasts of the team's members.
        policy: Chances where no forecast is given, and priorities.
        max_candidates: Candidates per student.
        as_of: Moment of the forecasts, UTC; null without a clock, and then no failure is long ago.
        evidence: What totals of other products say.
    """
    catch_up = _mostly_proficient(forecasts, policy.catch_up_share)
    by_student: dict[str, dict[str, SkillForecast]] = defaultdict(dict)
    for forecast in forecasts:
        by_student[forecast.student][forecast.skill] = forecast
    work = _CurrentWork.of(team, skills, forecasts, policy)
    found = []
    told: dict[str, dict[str, Evidence]] = defaultdict(dict)
    for (student, skill), total in (evidence or {}).items():
        if as_of is None or total.occurred_at >= as_of - timedelta(days=policy.total_days):
            told[student][skill] = total
    taught: dict[str, dict[str, date]] = defaultdict(dict)
    for past in team.past_sessions:  # oldest first
        if past.staff_id is not None and past.skill_id is not None:
            for student in past.students:
                taught[student][past.skill_id] = past.date
    for student in team.members:
        known = by_student[student]
        of_student = _Student(student, known, skills, work, policy, as_of, told[student], taught[student])
        drafts = sorted(of_student.find(), key=lambda draft: (-draft.urgent, -draft.need, draft.skill))
        found += [of_student.choose(draft, catch_up) for draft in drafts[:max_candidates]]
    return found


class _Draft(NamedTuple):
    """A need that may become a candidate; attributes are those of `Need` and `Candidate`."""

    skill: str
    purpose: Purpose
    need: float
    weight: float
    forecast: SkillForecast | None = None
    evidence: Evidence | None = None
    urgent: float = 0.0
    because_of: str | None = None


@dataclass(frozen=True)
class _CurrentWork:
    """What the team works on now.

    Attributes:
        skills: The current unit, or without one the skills that enough of the team practiced lately.
        weights: Priority of these skills, and of others that somebody practiced lately.
        least: Priority of all others.
        named: Whether it is a unit that the team named.
    """

    skills: frozenset[str]
    weights: Mapping[str, float]
    least: float
    named: bool = False

    @classmethod
    def of(cls, team: Team, skills: SkillMap, forecasts: Sequence[SkillForecast], policy: NeedPolicy) -> "_CurrentWork":
        if team.focus:
            return cls(frozenset(team.focus), team.focus, policy.outside_focus, named=True)
        practiced = Counter(forecast.skill for forecast in forecasts if forecast.recent)
        if not practiced:
            first = (skills.skills.keys() | _required(skills)) - skills.requires.keys()
            return cls(frozenset(first), {}, policy.least_weight)
        most = max(practiced.values())
        enough = min(most, policy.next_share * len(team.members))
        weights = {skill: count / most for skill, count in practiced.items()}
        current = (skill for skill, count in practiced.items() if count >= enough)
        return cls(frozenset(current), weights, policy.least_weight)


@dataclass(frozen=True)
class _Student:
    """One student's needs in the making.

    Attributes:
        as_of: Moment of the forecasts, UTC; null without a clock.
        told: What totals say of skills.
        taught: The last day of a session with an adult, by skill.
    """

    student: str
    known: Mapping[str, SkillForecast]
    skills: SkillMap
    work: _CurrentWork
    policy: NeedPolicy
    as_of: datetime | None
    told: Mapping[str, Evidence]
    taught: Mapping[str, date]

    def find(self) -> list[_Draft]:
        """Returns all that is needed, in any order."""
        needed = self._redirect(
            forecast
            for forecast in self.known.values()
            if forecast.status not in {"proficient", "not_begun"}
            and (self._is_current(forecast) or forecast.status == "review_due" or self._is_urgent(forecast))
            and not self._is_told(forecast.skill)
        )
        listed = [*needed, *self._heed_totals(), *self._introduce(self.work.skills)]
        drafts = [draft for draft in listed if draft.need > 0]
        occupied = any(
            draft.skill in self.work.skills or (draft.forecast and self._is_urgent(draft.forecast)) for draft in drafts
        )
        # with needs that few share there may be no group for the student
        more = self._extend() if occupied else self._find_something()
        known = {draft.skill for draft in drafts}
        return [*drafts, *(draft for draft in more if draft.skill not in known)]

    def choose(self, draft: _Draft, catch_up: Collection[str]) -> Candidate:
        """Returns the candidate of a draft; most drafts never become one.

        Args:
            draft: One of those that were found.
            catch_up: Skills in which most of the team is proficient.
        """
        forecast = self.known.get(draft.skill)
        need = Need(
            student=self.student,
            skill=draft.skill,
            need=draft.need,
            struggle_risk=None if forecast is None else forecast.struggle_risk,
            mastery=None if forecast is None else forecast.mastery,
            readiness=self._readiness(draft.skill),
            weight=draft.weight,
            purpose=draft.purpose,
            because_of=draft.because_of,
            urgent=draft.urgent,
        )
        return Candidate(need, draft.forecast, draft.skill in catch_up, draft.evidence)

    def _redirect(self, forecasts: Iterable[SkillForecast]) -> Iterator[_Draft]:
        """Yields the needs, each on the skill to work on first; of those that meet there, the greatest says why."""
        first: dict[str, list[_Draft]] = defaultdict(list)
        for forecast in forecasts:
            first[self._first_of(forecast.skill)].append(self._judge(forecast))
        for skill, drafts in first.items():
            greatest = max(drafts, key=lambda draft: (draft.need, draft.skill == skill))
            judged = self._judge(self.known[skill])
            if greatest.skill != skill:
                judged = judged._replace(need=greatest.need, because_of=greatest.skill)
            yield judged._replace(urgent=max(draft.urgent for draft in (judged, *drafts)))

    def _first_of(self, skill: str) -> str:
        """Returns the skill itself, or the prerequisite at the greatest urgent risk, and so on from there."""
        required = (self.known[required] for required in self.skills.requires.get(skill, ()) if required in self.known)
        weak = [(forecast.struggle_risk or 0.0, forecast.skill) for forecast in required if self._is_urgent(forecast)]
        return self._first_of(max(weak)[1]) if weak else skill

    def _judge(self, forecast: SkillForecast) -> _Draft:
        risk = forecast.struggle_risk
        long_ago = not forecast.forgotten and self._days_since(forecast) > self.policy.check_in_after_days
        if risk is None or long_ago:
            purpose = Purpose.CHECK_IN
        elif forecast.status == "review_due":
            purpose = Purpose.REVIEW
        else:
            purpose = Purpose.RETEACH if forecast.status == "not_yet_proficient" else Purpose.GUIDED_PRACTICE
        chance = self.policy.check_in if risk is None else risk * (self.policy.long_ago if long_ago else 1.0)
        urgent = self._weigh_urgent(forecast)
        return self._draft(forecast.skill, purpose, chance, risk or 0.0, forecast=forecast, urgent=urgent)

    def _weigh_urgent(self, forecast: SkillForecast) -> float:
        """How urgent it is to support a student on a skill, 0-1.

        Where the team names no unit, what students practice says what comes next: who has tried often is at risk to go
        on without getting there, and what was practiced long ago hardly comes back soon.
        """
        risk = forecast.struggle_risk
        if self.work.named or risk is None:
            return 1.0 if self._is_urgent(forecast) else self._weigh_lost(forecast)
        tried = min(1.0, (1 + forecast.opportunities) / self.policy.often_tried)
        return min(1.0, risk / self.policy.full_risk) * tried * self._left_of(forecast.skill)

    def _weigh_lost(self, forecast: SkillForecast) -> float:
        """How urgent it is to bring back a proficiency that was lost, while a session may well do so."""
        if forecast.status != "review_due" or forecast.mastery is None:
            return 0.0
        within_reach = self.policy.review_from <= forecast.mastery < self.policy.review_until
        return self.policy.urgent_review if within_reach else 0.0

    def _left_of(self, skill: str) -> float:
        """The share of a need that is left by what was practiced and taught lately, where the team names no unit."""
        forecast = self.known.get(skill)
        if self.work.named or self.as_of is None:
            return 1.0
        answered = None if forecast is None else forecast.last_practiced
        taught = self.taught.get(skill)
        rests = taught is not None and (answered is None or answered.date() < taught)
        faded = 1.0 if forecast is None else 0.5 ** (self._days_since(forecast) / self.policy.fading_days)
        return float(faded * (self.policy.taught_lately if rests else 1.0))

    def _days_since(self, forecast: SkillForecast) -> float:
        """Days since the skill was practiced last; 0 where that is not known."""
        if self.as_of is None or forecast.last_practiced is None:
            return 0.0
        return (self.as_of - forecast.last_practiced) / timedelta(days=1)

    def _heed_totals(self) -> Iterator[_Draft]:
        """Yields needs of skills of which only a total says anything."""
        for skill, total in self.told.items():
            if not self._is_told(skill) or total.mastery >= self.policy.total_mastered:
                continue
            weak = total.mastery + total.uncertainty < self.policy.total_weak
            purpose, chance = Purpose.RETEACH if weak else Purpose.CHECK_IN, 1.0 - total.mastery
            risk = chance if weak else 0.0
            yield self._draft(skill, purpose, chance, risk, forecast=self.known.get(skill), evidence=total)

    def _introduce(self, among: Iterable[str]) -> list[_Draft]:
        return [
            self._draft(skill, Purpose.INTRODUCE, self.policy.introduce)
            for skill in sorted(among)
            if not self._has_begun(skill) and self._may_begin(skill)
        ]

    def _find_something(self) -> list[_Draft]:
        """Returns what is left for a student who needs nothing much, or of whom nothing is known.

        A next skill that nobody shares makes no group, so what is known is extended beside it.
        """
        extended = self._extend()
        if not any(draft.skill in self.work.skills for draft in extended):
            extended = [*self._introduce(self.skills.requires), *extended]
        return extended or [
            self._draft(skill, Purpose.CHECK_IN, self.policy.check_in, forecast=self.known.get(skill))
            for skill in sorted(self.work.skills)
        ]

    def _extend(self) -> list[_Draft]:
        """Returns the skills in which the student is proficient; what is least sure is needed most, in any unit."""
        drafts = []
        for forecast in self.known.values():
            if forecast.status == "proficient":
                unsure = None if forecast.mastery is None else 1.0 - forecast.mastery
                chance = self.policy.extend if unsure is None else self.policy.unsure * unsure**2
                drafts.append(self._draft(forecast.skill, Purpose.EXTEND, chance, unsure or 0.0, forecast=forecast))
        return drafts

    def _draft(
        self,
        skill: str,
        purpose: Purpose,
        chance: float,
        risk: float = 0.0,
        *,
        forecast: SkillForecast | None = None,
        evidence: Evidence | None = None,
        urgent: float = 0.0,
    ) -> _Draft:
        weight = max(self.work.weights.get(skill, 0.0), self.work.least + (1.0 - self.work.least) * risk)
        return _Draft(skill, purpose, chance * weight * self._left_of(skill), weight, forecast, evidence, urgent)

    def _readiness(self, skill: str) -> float:
        required = (self.known[required] for required in self.skills.requires.get(skill, ()) if required in self.known)
        return min((forecast.mastery for forecast in required if forecast.mastery is not None), default=1.0)

    def _has_begun(self, skill: str) -> bool:
        return skill in self.told or (skill in self.known and self.known[skill].status != "not_begun")

    def _is_told(self, skill: str) -> bool:
        """Whether a total counts, since there are too few answers for a forecast."""
        return skill in self.told and (skill not in self.known or self.known[skill].struggle_risk is None)

    def _may_begin(self, skill: str) -> bool:
        required = self.skills.requires.get(skill, ())
        return all(
            self.told[skill].mastery >= self.policy.total_mastered
            if self._is_told(skill)
            else skill in self.known and (self.known[skill].status == "proficient" or self.known[skill].forgotten)
            for skill in required
        )

    def _is_current(self, forecast: SkillForecast) -> bool:
        return forecast.recent or forecast.skill in self.work.skills

    def _is_urgent(self, forecast: SkillForecast) -> bool:
        return (
            forecast.status != "proficient"
            and forecast.struggle_risk is not None
            and forecast.struggle_risk >= self.policy.urgent_risk
        )


def _mostly_proficient(forecasts: Sequence[SkillForecast], share: float) -> set[str]:
    known = Counter(forecast.skill for forecast in forecasts if forecast.status != "thin_evidence")
    proficient = Counter(forecast.skill for forecast in forecasts if forecast.status == "proficient")
    return {skill for skill, count in proficient.items() if count >= share * known[skill]}


def _required(skills: SkillMap) -> set[str]:
    return {required for each in skills.requires.values() for required in each}
