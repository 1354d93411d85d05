"""Every plan that was returned, kept with all that it rests on."""

from datetime import datetime

from sqlalchemy import insert, select

from features.database import Database
from serving.schemas.recommendations import RecommendationOut
from serving.store.tables import RECOMMENDATION_STUDENTS, RECOMMENDATIONS


def save_recommendation(
    database: Database, answer: RecommendationOut, request: str, problem: str, created_at: datetime
) -> None:
    """Keeps a plan before it is returned.

    Args:
        database: Of the service.
        answer: The plan.
        request: JSON of the body that asked for it.
        problem: The day as an open instance.
        created_at: In UTC.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    seated = {seat.student_id for session in answer.sessions for seat in session.students}
    with database.changing() as connection:
        connection.execute(
            insert(RECOMMENDATIONS).values(
                id=answer.id,
                created_at=created_at,
                team_id=answer.team_id,
                problem_hash=answer.problem_hash,
                request=request,
                answer=answer.model_dump_json(),
                problem=problem,
            )
        )
        if seated:
            rows = [{"recommendation_id": answer.id, "student_id": student} for student in sorted(seated)]
            connection.execute(insert(RECOMMENDATION_STUDENTS), rows)


def find_recommendation(database: Database, identity: str) -> RecommendationOut | None:
    """The stored plan, or None."""
    with database.reading() as connection:
        row = connection.execute(select(RECOMMENDATIONS.c.answer).where(RECOMMENDATIONS.c.id == identity)).first()
    return None if row is None else RecommendationOut.model_validate_json(row.answer)
