"""Every plan that was returned, kept with all that it rests on."""

from datetime import datetime

from sqlalchemy import Column, DateTime, MetaData, String, Table, Text, insert, select

from features.roster.database import changing, reading
from serving.schemas import RecommendationOut

METADATA = MetaData()

RECOMMENDATIONS = Table(
    "recommendations",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("team_id", Text, nullable=False, index=True),
    Column("problem_hash", String(64), nullable=False),
    Column("request", Text, nullable=False),
    Column("answer", Text, nullable=False),
)


def save_recommendation(url: str, answer: RecommendationOut, request: str, created_at: datetime) -> None:
    """Keeps a plan before it is returned.

    Raises:
        BusyError: The database stayed locked.
        InputError: The database cannot be used.
    """
    with changing(url) as connection:
        METADATA.create_all(connection)
        connection.execute(
            insert(RECOMMENDATIONS).values(
                id=answer.id,
                created_at=created_at,
                team_id=answer.team_id,
                problem_hash=answer.problem_hash,
                request=request,
                answer=answer.model_dump_json(),
            )
        )


def find_recommendation(url: str, identity: str) -> RecommendationOut | None:
    """The stored plan, or None."""
    with reading(url) as connection:
        if not connection.dialect.has_table(connection, RECOMMENDATIONS.name):
            return None
        row = connection.execute(select(RECOMMENDATIONS.c.answer).where(RECOMMENDATIONS.c.id == identity)).first()
    return None if row is None else RecommendationOut.model_validate_json(row.answer)
