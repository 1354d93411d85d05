"""Observations of one adult by another in a session, as they are stored.

Their texts may name students of the plan in any words, so that an erasure of one of these removes them.
"""

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection, insert, select, update

from features.roster import find_gone
from serving.store.decisions import find_gone_of, split_words
from serving.store.forgetting import FORGOTTEN
from serving.store.tables import OBSERVATIONS


@dataclass(frozen=True)
class Observation:
    """What one adult saw of another in a session.

    Attributes:
        observation_id: 32 hexadecimal digits.
        team_id: The team of both.
        recommendation_id: The plan.
        session_id: The session's id in the plan.
        date: The date of the plan.
        observer_id: Who observed.
        observed_id: Who was observed.
        aim: What was looked at.
        feedback: What was seen, in short; null where nothing was written.
        next_step: What comes next; null likewise.
        noted_at: The moment, UTC.
        key_id: Id of the key that sent it.
    """

    observation_id: str
    team_id: str
    recommendation_id: str
    session_id: str
    date: date
    observer_id: str
    observed_id: str
    aim: str
    feedback: str | None
    next_step: str | None
    noted_at: datetime
    key_id: str

    @property
    def words(self) -> set[str]:
        """The words of its texts, any of which may be an id."""
        return {word for text in (self.aim, self.feedback, self.next_step) if text for word in split_words(text)}

    def without_texts(self) -> "Observation":
        """The observation once somebody whom it may name was erased."""
        return replace(self, aim=FORGOTTEN, feedback=None, next_step=None)


def keep_observation(connection: Connection, observation: Observation) -> Observation:
    """Stores an observation, without its texts where they may name a student who was erased, and returns it."""
    if find_gone_of(connection, observation.recommendation_id) or find_gone(connection, observation.words):
        observation = observation.without_texts()
    connection.execute(insert(OBSERVATIONS).values(**asdict(observation)))
    return observation


def list_observations(connection: Connection, team_id: str, first: date, last: date) -> tuple[Observation, ...]:
    """The observations of a team in the sessions of some days, the latest first."""
    table = OBSERVATIONS.c
    query = select(OBSERVATIONS).where(table.team_id == team_id, table.date.between(first, last))
    rows = connection.execute(query.order_by(table.date.desc(), table.noted_at.desc())).mappings().all()
    found = [Observation(**row) for row in rows]
    gone = {each for each in {one.recommendation_id for one in found} if find_gone_of(connection, each)}
    return tuple(each.without_texts() if each.recommendation_id in gone else each for each in found)


def forget_texts(connection: Connection, recommendation_id: str) -> None:
    """Removes the texts of all observations of a plan's sessions."""
    mine = OBSERVATIONS.c.recommendation_id == recommendation_id
    connection.execute(update(OBSERVATIONS).where(mine).values(aim=FORGOTTEN, feedback=None, next_step=None))
