"""The tables of what the service keeps; whoever changes one adds a version to `features.database.versions` too.

Times are UTC. Ids of students stand in columns of their own or in the JSON texts that
`serving.store.erasure` names, so that an erasure can find them.
"""

from sqlalchemy import (
    JSON,
    Column,
    Date,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from features.database.dialects import SEQUENCE, UtcTime

METADATA = MetaData()

RECOMMENDATIONS = Table(
    "recommendations",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("created_at", UtcTime, nullable=False),
    Column("team_id", Text, nullable=False, index=True),
    Column("problem_hash", String(64), nullable=False),
    Column("request", Text, nullable=False),  # JSON of `RecommendationRequest`
    Column("answer", Text, nullable=False),  # JSON of `RecommendationOut`
    # the day as an open instance, for judging it again; null, like the rest, for plans of earlier versions
    Column("problem", Text),
    Column("date", Date),  # the school's own
    Column("status", Text),
    Column("score", Double),
    Index("ix_recommendations_page", "team_id", "created_at", "id"),
)
RECOMMENDATION_STUDENTS = Table(
    "recommendation_students",
    METADATA,
    Column("recommendation_id", String(32), primary_key=True),
    Column("student_id", Text, primary_key=True, index=True),
)
DECISIONS = Table(
    "decisions",
    METADATA,
    Column("id", String(32), primary_key=True),  # that of the plan too, so that a plan is decided on once
    Column("recommendation_id", String(32), nullable=False, index=True),
    Column("decided_at", UtcTime, nullable=False),
    Column("key_id", String(16)),  # who decided, as far as a key tells
    Column("decision", Text, nullable=False),  # accepted, edited or rejected
    Column("reasons", JSON, nullable=False),  # codes, and a note that may name students
    Column("sessions", Text, nullable=False),  # JSON: what became `past_sessions`; an empty list where rejected
    Column("replaces", String(32)),  # the plan of the same day that was in force before
)
IDEMPOTENCY = Table(
    "idempotency_keys",
    METADATA,
    Column("owner", String(16), primary_key=True),  # the key that asked
    Column("idempotency_key", String(255), primary_key=True),
    Column("body_hash", String(64), nullable=False),
    Column("started_at", UtcTime, nullable=False, index=True),
    Column("status", Integer),  # null while the first request is under way
    Column("answer", Text),  # of a refusal; a plan is read where it is kept
    Column("location", Text),
    Column("recommendation_id", String(32), index=True),  # what the answer holds, for erasure
)
API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("key_id", String(16), primary_key=True),  # the part of the key that finds it; no secret
    Column("secret_hash", LargeBinary(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("schools", JSON(none_as_null=True)),  # null: all schools
    Column("per_minute", Integer),  # requests; null: the service's own limit
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("revoked_at", UtcTime),
)
AUDIT = Table(
    "audit_log",
    METADATA,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("entry_id", String(32), nullable=False, unique=True),  # so that an entry brought twice is kept once
    Column("at", UtcTime, nullable=False, index=True),
    Column("key_id", String(16)),
    Column("request_id", Text, nullable=False),
    Column("action", Text, nullable=False),  # such as `read_profile` or `decide`
    Column("team_id", Text),
    Column("student_id", Text, index=True),  # null where a whole team was read, and after an erasure
    Column("subject", Text),  # id of the recommendation or decision
)
