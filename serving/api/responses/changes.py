"""Converts what changing a plan does, and what was decided on it, to bodies of answers."""

from collections.abc import Iterable

from serving.grouping import (
    Bottleneck,
    Change,
    Evaluation,
    Move,
    Problem,
    Repair,
    Score,
    Seat,
    SeatOptions,
    Violation,
    WhyNot,
    find_violations,
)
from serving.plans.latecomer import Latecomer
from serving.plans.sessions import STORED_SESSIONS, to_session, to_session_seats
from serving.schemas.changes import (
    BlockingRulesOut,
    BlockOptionsOut,
    ChangeOut,
    EvaluationOut,
    ExhaustedResourceOut,
    ExplanationOut,
    MoveOut,
    RepairOut,
    ScoreImpactOut,
    SeatOptionOut,
    SeatOptionsOut,
    SeatPlaceOut,
    TermOut,
    ViolationOut,
)
from serving.schemas.decisions import DecisionOut
from serving.store.decisions import Decision


def to_terms(score: Score) -> list[TermOut]:
    """A score term by term."""
    return [TermOut.model_validate(term) for term in score.terms]


def to_violations(violations: Iterable[Violation]) -> list[ViolationOut]:
    """Broken rules; they name people by the ids of the caller's own sessions."""
    return [ViolationOut.model_validate(violation) for violation in violations]


def to_evaluation(recommendation_id: str, evaluation: Evaluation, score: Score, repair: Repair | None) -> EvaluationOut:
    """The evaluation of an edited plan whose ids are known, and its repair."""
    return EvaluationOut(
        recommendation_id=recommendation_id,
        keeps_rules=not evaluation.violations,
        violations=to_violations(evaluation.violations),
        score=score.total,
        terms=to_terms(score),
        score_impact=None
        if evaluation.score_impact is None
        else ScoreImpactOut.model_validate(evaluation.score_impact),
        changes=_to_changes(evaluation),
        repair=None
        if repair is None
        else RepairOut(
            sessions=to_session_seats(repair.sessions),
            score=repair.score.total,
            moved=repair.moved,
            at_least=repair.at_least,
            moves=[_to_move(move) for move in repair.moves],
        ),
        cut_by_clock=evaluation.cut_by_clock,
    )


def to_seat_options(
    recommendation_id: str, student_id: str, latecomer: Latecomer, found: SeatOptions
) -> SeatOptionsOut:
    """Every seat that one student could have, block by block."""
    labels = {block.id: block.label for block in latecomer.problem.blocks}
    return SeatOptionsOut(
        recommendation_id=recommendation_id,
        student_id=student_id,
        needs_from=latecomer.needs_from,
        blocks=[
            BlockOptionsOut(
                block_id=block_id,
                time=labels[block_id],
                options=[
                    SeatOptionOut(
                        session=to_session_seats([option.session])[0],
                        opened=option.opened,
                        score_impact=ScoreImpactOut.model_validate(option.score_impact),
                        sentence=option.sentence,
                    )
                    for option in options
                ],
            )
            for block_id, options in zip(latecomer.blocks, found.blocks, strict=True)
        ],
        best=None if found.best is None else [option.session.id for option in found.best],
        score_impact=None if found.score_impact is None else ScoreImpactOut.model_validate(found.score_impact),
        sessions=None if found.best is None else to_session_seats(found.sessions),
        cut_by_clock=found.cut_by_clock,
    )


def to_explanation(recommendation_id: str, found: WhyNot, bounds: Iterable[Bottleneck]) -> ExplanationOut:
    """What it takes to give a student a seat."""
    return ExplanationOut(
        recommendation_id=recommendation_id,
        possible=found.sessions is not None,
        sentence=found.sentence,
        score_impact=None if found.score_impact is None else ScoreImpactOut.model_validate(found.score_impact),
        moves=[_to_move(move) for move in found.moves],
        sessions=None if found.sessions is None else to_session_seats(found.sessions),
        blocking_rules=[BlockingRulesOut.model_validate(conflict) for conflict in found.conflicts],
        exhausted_resources=[
            ExhaustedResourceOut.model_validate(bound) for bound in bounds if bound.block == found.pin.block
        ],
    )


def to_decision(decision: Decision, problem: Problem) -> DecisionOut:
    """The decision on the plan of a day, with the hard rules that the decided sessions break."""
    bodies = STORED_SESSIONS.validate_json(decision.sessions)
    sessions = tuple(to_session(body) for body in bodies)
    return DecisionOut.model_validate(
        {
            "recommendation_id": decision.recommendation_id,
            "decision": decision.decision,
            "decided_at": decision.decided_at,
            "reasons": decision.reasons,
            "note": decision.note,
            "sessions": bodies,
            "violations": to_violations(find_violations(problem, sessions)) if sessions else [],
            "replaces": decision.replaces,
            "awaits_signature": decision.awaits_signature,
            "signed_at": decision.signed_at,
        }
    )


def _to_changes(evaluation: Evaluation) -> list[ChangeOut]:
    """Each move with its own evaluation; a single move is the whole edit, and those beyond the time have none."""
    changes: list[Change | None] = [*evaluation.changes]
    if len(evaluation.moves) == 1 and evaluation.score_impact is not None:
        changes = [Change(evaluation.moves[0], evaluation.score_impact, evaluation.violations, ())]
    changes += [None] * (len(evaluation.moves) - len(changes))
    return [
        ChangeOut(
            **dict(_to_move(move)),
            score_impact=None if change is None else ScoreImpactOut.model_validate(change.score_impact),
            fixes=[] if change is None else to_violations(change.fixes),
            breaks=[] if change is None else to_violations(change.breaks),
        )
        for move, change in zip(evaluation.moves, changes, strict=True)
    ]


def _to_move(move: Move) -> MoveOut:
    return MoveOut(
        student_id=move.student,
        block_id=move.block,
        before=_to_seat_place(move.before),
        after=_to_seat_place(move.after),
    )


def _to_seat_place(seat: Seat | None) -> SeatPlaceOut | None:
    if seat is None:
        return None
    return SeatPlaceOut(session_type=seat.session_type, skill_id=seat.skill, staff_id=seat.adult)
