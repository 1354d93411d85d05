"""Renders what changing a plan does, and what was decided on it, as the bodies of answers."""

from collections.abc import Iterable

from pydantic import TypeAdapter

from serving.grouping import (
    Bottleneck,
    Change,
    Evaluation,
    Move,
    Problem,
    Repair,
    Score,
    ScoreImpact,
    Seat,
    SeatOptions,
    Violation,
    WhyNot,
    find_violations,
)
from serving.plans.sessions import to_session, to_session_seats
from serving.schemas.changes import (
    BlockingRulesOut,
    BlockPlacesOut,
    ChangeOut,
    EvaluationOut,
    ExhaustedResourceOut,
    ExplanationOut,
    MoveOut,
    PlacementsOut,
    PlaceOut,
    PriceOut,
    RepairOut,
    SeatPlaceOut,
    TermChangeOut,
    TermOut,
    ViolationOut,
)
from serving.schemas.decisions import DecisionOut
from serving.schemas.sessions import SessionIn, SessionSeats
from serving.store.decisions import Decision

SEATS = TypeAdapter(list[SessionSeats])


def to_terms(score: Score) -> list[TermOut]:
    """A score term by term."""
    return [
        TermOut(name=each.name, value=each.value, weight=each.weight, points=each.points, sentence=each.sentence)
        for each in score.terms
    ]


def to_violations(violations: Iterable[Violation]) -> list[ViolationOut]:
    """Broken rules, with the ids that the caller's own sessions name."""
    return [ViolationOut(rule=each.rule, sentence=each.sentence) for each in violations]


def to_price(price: ScoreImpact) -> PriceOut:
    """What a change does to the score."""
    terms = [
        TermChangeOut(name=each.name, value=each.value, points=each.points, sentence=each.sentence)
        for each in price.terms
    ]
    return PriceOut(points=price.points, terms=terms, sentence=price.sentence)


def to_moves(moves: Iterable[Move]) -> list[MoveOut]:
    """Seats that differ."""
    return [MoveOut.model_validate(_move(each)) for each in moves]


def to_evaluation(recommendation_id: str, judged: Evaluation, score: Score, repair: Repair | None) -> EvaluationOut:
    """What there is to say of an edited plan whose ids are known, and its repair."""
    return EvaluationOut(
        recommendation_id=recommendation_id,
        keeps_rules=not judged.violations,
        violations=to_violations(judged.violations),
        score=score.total,
        terms=to_terms(score),
        price=None if judged.score_impact is None else to_price(judged.score_impact),
        changes=[
            ChangeOut.model_validate(
                _move(move)
                | {
                    "price": None if change is None else to_price(change.score_impact),
                    "fixes": [] if change is None else to_violations(change.fixes),
                    "breaks": [] if change is None else to_violations(change.breaks),
                }
            )
            for move, change in _changes(judged)
        ],
        repair=None if repair is None else _repair(repair),
    )


def to_placements(
    recommendation_id: str, problem: Problem, student: str, needs_from: str, ranked: SeatOptions, asked: Iterable[str]
) -> PlacementsOut:
    """All places of one student, block by block."""
    labels = {block.id: block.label for block in problem.blocks}
    return PlacementsOut.model_validate(
        {
            "recommendation_id": recommendation_id,
            "student_id": student,
            "needs_from": needs_from,
            "blocks": [
                BlockPlacesOut(
                    block_id=block,
                    time=labels[block],
                    places=[
                        PlaceOut(
                            session=to_session_seats([place.session])[0],
                            opened=place.opened,
                            price=to_price(place.score_impact),
                            sentence=place.sentence,
                        )
                        for place in places
                    ],
                )
                for block, places in zip(asked, ranked.blocks, strict=True)
            ],
            "best": None if ranked.best is None else [place.session.id for place in ranked.best],
            "price": None if ranked.score_impact is None else to_price(ranked.score_impact),
            "sessions": None if ranked.best is None else to_session_seats(ranked.sessions),
        }
    )


def to_explanation(recommendation_id: str, found: WhyNot, bounds: Iterable[Bottleneck]) -> ExplanationOut:
    """What it takes to put a student somewhere."""
    return ExplanationOut(
        recommendation_id=recommendation_id,
        possible=found.sessions is not None,
        sentence=found.sentence,
        price=None if found.score_impact is None else to_price(found.score_impact),
        moves=to_moves(found.moves),
        sessions=None if found.sessions is None else to_session_seats(found.sessions),
        blocking_rules=[
            BlockingRulesOut(rules=list(each.rules), sentence=each.sentence, proven=each.proven)
            for each in found.conflicts
        ],
        exhausted_resources=[
            ExhaustedResourceOut(resource=each.resource, used=each.used, there=each.there, sentence=each.sentence)
            for each in bounds
            if each.block == found.pin.block
        ],
    )


def to_decision(decision: Decision, problem: Problem) -> DecisionOut:
    """What was decided on the plan of a day, with the hard rules that the decided sessions break."""
    sessions = SEATS.validate_json(decision.sessions)
    held = tuple(to_session(SessionIn.model_validate(session.model_dump())) for session in sessions)
    return DecisionOut.model_validate(
        {
            "recommendation_id": decision.recommendation_id,
            "decision": decision.decision,
            "decided_at": decision.decided_at,
            "reasons": decision.reasons,
            "note": decision.note,
            "sessions": sessions,
            "violations": to_violations(find_violations(problem, held)) if held else [],
            "replaces": decision.replaces,
        }
    )


def _changes(judged: Evaluation) -> Iterable[tuple[Move, Change | None]]:
    """Each move with its judgement; a single one is the whole edit, and too many are not judged one by one."""
    changes: list[Change | None] = [*judged.changes]
    if len(judged.moves) == 1 and judged.score_impact is not None:
        changes = [Change(judged.moves[0], judged.score_impact, judged.violations, ())]
    return zip(judged.moves, changes or [None] * len(judged.moves), strict=True)


def _repair(repair: Repair) -> RepairOut:
    return RepairOut(
        sessions=to_session_seats(repair.sessions),
        score=repair.score.total,
        moved=repair.moved,
        at_least=repair.at_least,
        moves=to_moves(repair.moves),
    )


def _move(move: Move) -> dict[str, object]:
    return {
        "student_id": move.student,
        "block_id": move.block,
        "before": _place(move.before),
        "after": _place(move.after),
    }


def _place(seat: Seat | None) -> SeatPlaceOut | None:
    return (
        None if seat is None else SeatPlaceOut(session_type=seat.session_type, skill_id=seat.skill, staff_id=seat.adult)
    )
