"""Renders what was found as the bodies of answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from features.profiles.columns import FAMILIES
from features.roster import SkillMap, Team
from serving.api.responses.changes import to_terms
from serving.grouping import digest_text
from serving.models.forecasts import SkillForecast, describe_all_facts, explain_forecasts
from serving.models.snapshot import Snapshot
from serving.plans.needs import Candidate
from serving.plans.problem import skill_name
from serving.plans.recommend import Recommendation
from serving.plans.sessions import to_session_seats
from serving.schemas.common import ModelVersion, Provenance
from serving.schemas.forecasts import (
    Board,
    BoardRow,
    NeedOut,
    ReasonOut,
    SkillForecastOut,
    SkillRiskOut,
    StudentOut,
    StudentRisksOut,
    TeamForecasts,
)
from serving.schemas.recommendations import (
    AdultOut,
    AlternativeOut,
    RecommendationOut,
    RecommendationRequest,
    SeatOut,
    SessionOut,
    UnmetOut,
)

QUICK_CHECK = "not enough evidence: {missing} more first attempts on this skill would settle it"

Facts = Mapping[tuple[str, str], list[str]]
"""Facts by student and skill."""


def to_provenance(snapshot: Snapshot) -> Provenance:
    """What every figure of the snapshot rests on."""
    return Provenance(
        model=ModelVersion(
            run_id=snapshot.champion.run_id,
            struggle_version=snapshot.champion.versions["struggle"],
            mastery_version=snapshot.champion.versions["mastery"],
        ),
        data_as_of=snapshot.data_as_of,
        data_version=snapshot.data_version,
        profiles=snapshot.publication,
        live_events_through=snapshot.live_through,
    )


def to_forecasts(snapshot: Snapshot, skills: SkillMap, forecasts: Sequence[SkillForecast]) -> list[SkillForecastOut]:
    """Each forecast with its facts, its reasons, and what would settle it if it is not given."""
    enough = snapshot.struggle.thresholds.min_opportunities
    return [
        SkillForecastOut(
            skill_id=each.skill,
            skill=skill_name(skills, each.skill),
            status=each.status,
            struggle_risk=each.struggle_risk,
            mastery=each.mastery,
            opportunities=each.opportunities,
            last_practiced=each.last_practiced,
            facts=facts,
            reasons=[
                ReasonOut.model_validate(
                    {"family": why.family, "words": FAMILIES[why.family], "effect": why.effect, "weight": why.weight}
                )
                for why in reasons
            ],
            advice=(
                QUICK_CHECK.format(missing=max(1, enough - each.opportunities))
                if each.status == "not_enough_evidence"
                else None
            ),
        )
        for each, facts, reasons in zip(
            forecasts, describe_all_facts(snapshot, forecasts), explain_forecasts(snapshot, forecasts), strict=True
        )
    ]


def to_student(
    snapshot: Snapshot, student_id: str, team_id: str | None, skills: SkillMap, forecasts: Sequence[SkillForecast]
) -> StudentOut:
    """A student's profile with the forecasts of each skill; null is what was not observed."""
    facts = snapshot.student_facts.of(student_id)
    return StudentOut(
        student_id=student_id,
        team_id=team_id,
        responses=int(facts.get("student_responses", 0)),
        last_active=snapshot.student_facts.last_active_of(student_id),
        correct_share_10r=facts.get("correct_share_10r"),
        recent_responses_7d=facts.get("recent_responses_7d"),
        active_minutes_7d=facts.get("active_minutes_7d"),
        skills=to_forecasts(snapshot, skills, forecasts),
        provenance=to_provenance(snapshot),
    )


def to_team_forecasts(snapshot: Snapshot, team: Team, forecasts: Sequence[SkillForecast]) -> TeamForecasts:
    """The forecasts of the team's members, without facts and reasons."""
    skills: dict[str, list[SkillRiskOut]] = {student: [] for student in team.members}
    for each in forecasts:
        skills[each.student].append(
            SkillRiskOut(
                skill_id=each.skill,
                status=each.status,
                struggle_risk=each.struggle_risk,
                mastery=each.mastery,
                opportunities=each.opportunities,
                last_practiced=each.last_practiced,
            )
        )
    students = [StudentRisksOut(student_id=student, skills=found) for student, found in skills.items()]
    return TeamForecasts(team_id=team.team_id, students=students, provenance=to_provenance(snapshot))


def to_board(
    snapshot: Snapshot,
    team: Team,
    skills: SkillMap,
    candidates: Sequence[Candidate],
    forecasts: Sequence[SkillForecast],
) -> Board:
    """The team's students with their needs, strengths and last led session, the greatest need first."""
    facts = gather_facts(snapshot, candidates)
    needs: dict[str, list[NeedOut]] = {student: [] for student in team.members}
    for each in candidates:
        need = each.need
        needs[need.student].append(
            NeedOut(
                skill_id=need.skill,
                skill=skill_name(skills, need.skill),
                need=need.need,
                struggle_risk=need.struggle_risk,
                mastery=need.mastery,
                readiness=need.readiness,
                weight=need.weight,
                facts=facts[need.student, need.skill],
            )
        )
    strengths: dict[str, list[str]] = {student: [] for student in team.members}
    for forecast in forecasts:
        if forecast.status == "mastered" and forecast.recent:
            strengths[forecast.student].append(skill_name(skills, forecast.skill))
    seen = {
        student: session.date
        for session in sorted(team.past_sessions, key=lambda past: past.date)
        if session.staff_id is not None
        for student in session.students
    }
    rows = [
        BoardRow(
            student_id=student,
            needs=needs[student],
            strengths=sorted(strengths[student]),
            last_seen_by_adult=seen.get(student),
        )
        for student in team.members
    ]
    rows.sort(key=lambda row: (-max((need.need for need in row.needs), default=-1.0), row.student_id))
    return Board(team_id=team.team_id, students=rows, provenance=to_provenance(snapshot))


def to_recommendation(
    identity: str,
    created_at: datetime,
    request: RecommendationRequest,
    team: Team,
    skills: SkillMap,
    snapshot: Snapshot,
    found: Recommendation,
) -> RecommendationOut:
    """The plan as a scheduling tool reads it."""
    facts = gather_facts(snapshot, found.candidates)
    times = {block.id: block.label for block in found.problem.blocks}
    roles = {adult.id: adult.role for adult in found.problem.adults}
    why_session = {reason.session: reason.sentence for reason in found.plan.session_reasons}
    seats: dict[str, list[SeatOut]] = {session.id: [] for session in found.plan.sessions}
    skill_of = {session.id: session.skill for session in found.plan.sessions}
    for reason in found.plan.seat_reasons:
        skill = skill_of[reason.session]
        seats[reason.session].append(
            SeatOut(
                student_id=reason.student,
                why=reason.sentence,
                facts=facts.get((reason.student, skill), []) if skill is not None else [],
                need=reason.need,
                struggle_risk=reason.struggle_risk,
                mastery=reason.mastery,
                benefit=reason.benefit,
            )
        )
    return RecommendationOut(
        id=identity,
        created_at=created_at,
        team_id=team.team_id,
        date=request.date,
        seed=request.seed,
        previous=request.previous,
        problem_hash=digest_text(found.canonical),
        status=found.plan.status,
        cut_by_clock=found.plan.cut_by_clock,
        provenance=to_provenance(snapshot),
        score=found.plan.score.total,
        bound=found.plan.bound,
        proven_share=found.plan.proven_share,
        terms=to_terms(found.plan.score),
        sessions=[
            SessionOut(
                id=session.id,
                block_id=session.block,
                time=times[session.block],
                session_type=session.session_type,
                skill_id=session.skill,
                skill=None if session.skill is None else skill_name(skills, session.skill),
                adults=[AdultOut(staff_id=adult, role=roles[adult]) for adult in session.adults],
                room_id=session.room,
                students=seats[session.id],
                why=why_session[session.id],
            )
            for session in found.plan.sessions
        ],
        unmet=[
            UnmetOut(
                student_id=each.student, skill_id=each.skill, need=each.need, reason=each.reason, sentence=each.sentence
            )
            for each in found.plan.unmet
        ],
        alternatives=[
            AlternativeOut(
                sessions=to_session_seats(each.plan.sessions),
                score=each.plan.score.total,
                terms=to_terms(each.plan.score),
                lost=each.score_loss,
                apart=each.difference,
            )
            for each in found.others
        ],
    )


def gather_facts(snapshot: Snapshot, candidates: Sequence[Candidate]) -> Facts:
    """The facts behind each candidate; a skill not begun says so."""
    begun = [each.forecast for each in candidates if each.forecast is not None]
    facts = {(each.need.student, each.need.skill): ["not begun"] for each in candidates}
    facts |= {
        (each.student, each.skill): told for each, told in zip(begun, describe_all_facts(snapshot, begun), strict=True)
    }
    return facts
