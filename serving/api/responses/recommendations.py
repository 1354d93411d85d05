"""Converts forecasts, boards and plans to bodies of answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from features.profiles.columns import FAMILIES
from features.roster import SkillMap, Team
from serving.api.responses.changes import to_terms
from serving.api.responses.teaching import to_teach
from serving.grouping import Session, digest_text
from serving.models.forecasts import SkillForecast, describe_all_facts, explain_forecasts
from serving.models.snapshot import Snapshot
from serving.models.status import Status
from serving.plans.exploration import Exploration
from serving.plans.need.needs import Candidate
from serving.plans.need.teaching import plan_teaching
from serving.plans.problem import skill_name
from serving.plans.recommend import Recommendation
from serving.plans.rooms import name_room
from serving.plans.rules.policy import load_policy
from serving.plans.sessions import to_session_seats
from serving.plans.watch import watch_intervention
from serving.schemas.common import ModelVersion, Provenance
from serving.schemas.forecasts import (
    Board,
    BoardRow,
    EvidenceOut,
    NeedOut,
    ReasonOut,
    SkillForecastOut,
    SkillRiskOut,
    StudentOut,
    StudentRisksOut,
    TeamForecasts,
)
from serving.schemas.recommendations import (
    AlternativeOut,
    ExplorationOut,
    FocusNoteOut,
    NoteOut,
    RecommendationOut,
    RecommendationRequest,
    UnmetOut,
    WatchOut,
)
from serving.schemas.sessions import AdultOut, SeatOut, SessionOut, TeachOut
from serving.store.roster_cache import TeamSnapshot

NOT_ENOUGH = "not enough evidence"
FROM_ELSEWHERE = NoteOut(
    rule_id=None,
    students=[],
    sentence="Forecasts rest on rules learned elsewhere until your own data suffice; look twice at what surprises you.",
)
"""Stands once in every plan that a prior model made."""

CONTRADICTED = "the forecast contradicts the answers, and nothing that is known explains why"


def to_provenance(snapshot: Snapshot) -> Provenance:
    """The models and data that every figure of the snapshot rests on."""
    return Provenance(
        model=ModelVersion(
            run_id=snapshot.champion.run_id,
            struggle_version=snapshot.champion.versions["struggle"],
            mastery_version=snapshot.champion.versions["mastery"],
            kind=snapshot.kind,
        ),
        data_as_of=snapshot.data_as_of,
        data_version=snapshot.data_version,
        profiles=snapshot.publication,
        live_events_through=snapshot.live_through,
    )


def to_forecasts(snapshot: Snapshot, skills: SkillMap, forecasts: Sequence[SkillForecast]) -> list[SkillForecastOut]:
    """Each forecast with its facts and reasons, or with the quick check that would settle it."""
    return [
        SkillForecastOut(
            skill_id=forecast.skill,
            skill=skill_name(skills, forecast.skill),
            status=forecast.status,
            struggle_risk=forecast.struggle_risk,
            mastery=forecast.mastery,
            opportunities=forecast.opportunities,
            last_practiced=forecast.last_practiced,
            facts=facts,
            reasons=[
                ReasonOut.model_validate(
                    {
                        "family": reason.family,
                        "words": FAMILIES[reason.family],
                        "effect": reason.effect,
                        "weight": reason.weight,
                    }
                )
                for reason in reasons
            ],
            advice=_advise(forecast, skill_name(skills, forecast.skill)),
        )
        for forecast, facts, reasons in zip(
            forecasts, describe_all_facts(snapshot, forecasts), explain_forecasts(snapshot, forecasts), strict=True
        )
    ]


def _advise(forecast: SkillForecast, skill: str) -> str | None:
    if forecast.missing == 0:
        return None
    questions = "1 question" if forecast.missing == 1 else f"{forecast.missing} questions"
    return f"{CONTRADICTED if forecast.contradicted else NOT_ENOUGH}: {questions} on {skill} would settle it"


def to_student(
    snapshot: Snapshot,
    student_id: str,
    team_id: str | None,
    roster: TeamSnapshot,
    forecasts: Sequence[SkillForecast],
) -> StudentOut:
    """A student's profile with a forecast for each skill; what was not observed is null."""
    totals = [
        EvidenceOut(
            skill_id=skill,
            skill=skill_name(roster.skills, skill),
            source=total.source,
            occurred_at=total.occurred_at,
            mastery=total.mastery,
            uncertainty=total.uncertainty,
            words=total.describe(),
        )
        for (student, skill), total in sorted(roster.evidence.items())
        if student == student_id
    ]
    facts = snapshot.student_facts.of(student_id)
    return StudentOut(
        student_id=student_id,
        team_id=team_id,
        responses=int(facts.get("student_responses", 0)),
        last_active=snapshot.student_facts.last_active_of(student_id),
        correct_share_10r=facts.get("correct_share_10r"),
        recent_responses_7d=facts.get("recent_responses_7d"),
        active_minutes_7d=facts.get("active_minutes_7d"),
        skills=to_forecasts(snapshot, roster.skills, forecasts),
        totals=totals,
        provenance=to_provenance(snapshot),
    )


def to_team_forecasts(
    snapshot: Snapshot, team: Team, skills: SkillMap, forecasts: Sequence[SkillForecast]
) -> TeamForecasts:
    """The forecasts of the team's members, without facts and reasons."""
    risks: dict[str, list[SkillRiskOut]] = {student: [] for student in team.members}
    for forecast in forecasts:
        risks[forecast.student].append(
            SkillRiskOut(
                skill_id=forecast.skill,
                skill=skill_name(skills, forecast.skill),
                status=forecast.status,
                struggle_risk=forecast.struggle_risk,
                mastery=forecast.mastery,
                opportunities=forecast.opportunities,
                last_practiced=forecast.last_practiced,
            )
        )
    students = [StudentRisksOut(student_id=student, skills=of_one) for student, of_one in risks.items()]
    return TeamForecasts(team_id=team.team_id, students=students, provenance=to_provenance(snapshot))


def to_board(
    snapshot: Snapshot,
    team: Team,
    skills: SkillMap,
    candidates: Sequence[Candidate],
    forecasts: Sequence[SkillForecast],
) -> Board:
    """The team's students with their needs, strengths and last adult-led session, the greatest need first."""
    facts = gather_facts(snapshot, candidates)
    needs: dict[str, list[NeedOut]] = {student: [] for student in team.members}
    for candidate in candidates:
        need = candidate.need
        needs[need.student].append(
            NeedOut(
                skill_id=need.skill,
                skill=skill_name(skills, need.skill),
                status=status_of(candidate),
                need=need.need,
                purpose=need.purpose,
                because_of=need.because_of,
                struggle_risk=need.struggle_risk,
                mastery=need.mastery,
                readiness=need.readiness,
                weight=need.weight,
                facts=facts[need.student, need.skill],
            )
        )
    strengths: dict[str, list[str]] = {student: [] for student in team.members}
    for forecast in forecasts:
        if forecast.status == "proficient" and forecast.recent:
            strengths[forecast.student].append(skill_name(skills, forecast.skill))
    last_seen = {
        student: session.date
        for session in sorted(team.past_sessions, key=lambda session: session.date)
        if session.staff_id is not None
        for student in session.students
    }
    watched = watch_intervention(team, candidates, load_policy())
    rows = [
        BoardRow(
            student_id=student,
            needs=needs[student],
            strengths=sorted(strengths[student]),
            only_intervention_days=watched.get(student),
            last_seen_by_adult=last_seen.get(student),
        )
        for student in team.members
    ]
    rows.sort(key=lambda row: (-max((need.need for need in row.needs), default=-1.0), row.student_id))
    return Board(team_id=team.team_id, students=rows, provenance=to_provenance(snapshot))


def to_recommendation(
    plan_id: str,
    created_at: datetime,
    request: RecommendationRequest,
    team: Team,
    skills: SkillMap,
    snapshot: Snapshot,
    found: Recommendation,
) -> RecommendationOut:
    """The plan with its reasons and everything that it rests on."""
    facts = gather_facts(snapshot, found.candidates)
    watched = watch_intervention(team, found.candidates, load_policy(), request.date)
    times = {block.id: block.label for block in found.problem.blocks}
    roles = {adult.id: adult.role for adult in found.problem.adults}
    session_reasons = {reason.session: reason for reason in found.plan.session_reasons}
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
                purpose=reason.purpose,
                struggle_risk=reason.struggle_risk,
                mastery=reason.mastery,
                benefit=reason.benefit,
            )
        )
    return RecommendationOut(
        id=plan_id,
        created_at=created_at,
        team_id=team.team_id,
        date=request.date,
        seed=request.seed,
        previous=request.previous,
        problem_hash=digest_text(found.canonical),
        status=found.plan.status,
        cut_by_clock=found.plan.cut_by_clock,
        provenance=to_provenance(snapshot),
        policy=found.policy.to_body(),
        exploration=_to_exploration(found.exploration),
        notes=[
            NoteOut(
                rule_id=note.rule_id,
                series_id=note.series_id,
                students=list(note.students),
                sentence=note.sentence,
            )
            for note in found.notes
        ]
        + ([FROM_ELSEWHERE] if snapshot.kind == "prior" else []),
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
                room=name_room(session.room, found.policy),
                students=seats[session.id],
                purpose=session_reasons[session.id].purpose,
                why=session_reasons[session.id].sentence,
                series_id=found.series_of(session),
                teach=_to_teach(snapshot, skills, session),
            )
            for session in found.plan.sessions
        ],
        focus_notes=[
            FocusNoteOut(
                kind=note.kind,
                skill_id=note.skill,
                skill=skill_name(skills, note.skill),
                needing=note.needing,
                not_ready=note.not_ready,
                first_skill_id=note.first,
                first_skill=None if note.first is None else skill_name(skills, note.first),
                sentence=note.sentence,
            )
            for note in found.focus_notes
        ],
        unmet=[
            UnmetOut(
                student_id=unmet.student,
                skill_id=unmet.skill,
                skill=None if unmet.skill is None else skill_name(skills, unmet.skill),
                need=unmet.need,
                reason=unmet.reason,
                sentence=unmet.sentence,
            )
            for unmet in found.plan.unmet
        ],
        watch=[
            WatchOut(
                student_id=student,
                days=days,
                sentence=f"All sessions with an adult on {days} days of the last {load_policy().history_days} were in "
                "intervention groups.",
            )
            for student, days in watched.items()
        ],
        alternatives=[
            AlternativeOut(
                sessions=to_session_seats(other.plan.sessions),
                score=other.plan.score.total,
                terms=to_terms(other.plan.score),
                score_loss=other.score_loss,
                difference=other.difference,
            )
            for other in found.others
        ],
    )


def _to_exploration(exploration: Exploration | None) -> ExplorationOut | None:
    if exploration is None:
        return None
    return ExplorationOut(
        plans=exploration.plans,
        probability=exploration.probability,
        within=exploration.within,
        score_loss=exploration.score_loss,
    )


def _to_teach(snapshot: Snapshot, skills: SkillMap, session: Session) -> TeachOut | None:
    """What to teach in a session; null online, and where the profiles do not say which items students answered."""
    answers = snapshot.answers
    if session.skill is None or answers is None:
        return None
    return to_teach(skills, plan_teaching(answers, session.skill, session.students))


def gather_facts(snapshot: Snapshot, candidates: Sequence[Candidate]) -> Mapping[tuple[str, str], list[str]]:
    """The facts behind the candidates, by student and skill; of a skill not begun, just that, or what a total says."""
    begun = [candidate.forecast for candidate in candidates if candidate.forecast is not None]
    facts = {(candidate.need.student, candidate.need.skill): ["not begun"] for candidate in candidates}
    found = zip(begun, describe_all_facts(snapshot, begun), strict=True)
    facts |= {(forecast.student, forecast.skill): known for forecast, known in found}
    for candidate in candidates:
        if candidate.evidence is not None:
            key = candidate.need.student, candidate.need.skill
            known = facts[key] if candidate.forecast is not None else []
            facts[key] = [candidate.evidence.describe(), *known]
    return facts


def status_of(candidate: Candidate) -> Status:
    """How the student stands on the skill; with nothing but a total, on thin evidence."""
    if candidate.forecast is None:
        return "not_begun" if candidate.evidence is None else "thin_evidence"
    return candidate.forecast.status
