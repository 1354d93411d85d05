"""The tables of the service; a change of one needs a new migration in `features.database.versions`.

Times are UTC. Ids of students are in columns of their own or in the JSON texts that `serving.store.erasure` lists, so
that an erasure finds them.
"""

from sqlalchemy import JSON, Boolean, Column, Date, Double, Index, Integer, LargeBinary, MetaData, String, Table, Text

from features.database.dialects import SEQUENCE, CompressedText, UtcTime

METADATA = MetaData()

RECOMMENDATIONS = Table(
    "recommendations",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("created_at", UtcTime, nullable=False),
    Column("team_id", Text, nullable=False, index=True),
    Column("problem_hash", String(64), nullable=False),
    Column("request", Text, nullable=False),  # JSON of `RecommendationRequest`
    Column("answer", CompressedText, nullable=False),  # JSON of `RecommendationOut`
    # the day as an instance of regroup-day; null, like the rest, for plans of earlier versions
    Column("problem", CompressedText),
    Column("date", Date),  # in the school's time zone
    Column("status", Text),
    Column("score", Double),
    Column("cycle", String(32), index=True),  # the cycle of which the plan is a day; null without one
    # the run and the name of the profiles in the plan's provenance, which the night reads and keeps
    Column("run_id", String(32)),
    Column("profiles", Text),
    Column("edit", CompressedText),  # JSON of `Edit`: what the board changed and nobody decided on; null: nothing
    Column("edit_version", Integer),  # how often it was changed; null: never
    Index("ix_recommendations_page", "team_id", "created_at", "id"),
    Index("ix_recommendations_profiles", "run_id", "profiles"),
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
    Column("id", String(32), primary_key=True),  # the plan's id, so that a plan is decided on once
    Column("recommendation_id", String(32), nullable=False, index=True),
    Column("decided_at", UtcTime, nullable=False),
    Column("key_id", String(16)),  # the key that decided; null without keys
    Column("decision", Text, nullable=False),  # accepted, edited or rejected
    Column("reasons", JSON, nullable=False),  # codes, and a note that may name students
    Column("sessions", Text, nullable=False),  # JSON of what became `past_sessions`; empty list: rejected
    Column("replaces", String(32)),  # the plan of the same day that was current before
    Column("awaits_signature", Boolean),  # whether it counts only once the leader has signed; null: no
    Column("signed_at", UtcTime),
    Column("signed_by", String(16)),  # the key that signed
)
SESSION_REPORTS = Table(
    "session_reports",
    METADATA,
    Column("recommendation_id", String(32), primary_key=True),
    Column("session_id", Text, primary_key=True),
    Column("reported_at", UtcTime, nullable=False),  # of what is stored now
    Column("key_id", String(16), nullable=False),
    Column("happened", Text, nullable=False),  # done, moved_on or not_done
)
SESSION_REPORT_STUDENTS = Table(
    "session_report_students",
    METADATA,
    Column("recommendation_id", String(32), primary_key=True),
    Column("session_id", Text, primary_key=True),
    Column("student_id", Text, primary_key=True, index=True),
    Column("present", Boolean, nullable=False),
    Column("exit_check", JSON, nullable=False),  # answers: item, whether right, and the key of the event
)
GOALS = Table(
    "goals",
    METADATA,
    Column("goal_id", String(32), primary_key=True),
    Column("student_id", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),  # skill, habit or minutes; the column of the same name is set
    Column("skill_id", Text),
    Column("habit", Text),  # in the student's words
    Column("minutes_per_week", Integer),
    Column("staff_id", Text, nullable=False),  # the adult with whom it was set
    Column("set_at", UtcTime, nullable=False),
    Column("until", Date, nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("ended_at", UtcTime),
    Column("reached", Boolean),
)
RELATIONSHIP_MARKS = Table(
    "relationship_marks",
    METADATA,
    Column("student_id", Text, primary_key=True),
    Column("staff_id", Text, primary_key=True),  # the adult who says to know the student
    Column("marked_at", UtcTime, nullable=False),
    Column("key_id", String(16), nullable=False),
)
CHOICES = Table(
    "choices",
    METADATA,
    Column("choice_id", String(32), primary_key=True),
    Column("student_id", Text, nullable=False, index=True),
    Column("skill_id", Text, nullable=False),
    Column("probability", Double, nullable=False),  # with which it was offered
    Column("offered", JSON, nullable=False),  # ids of the skills that were offered
    Column("chosen_at", UtcTime, nullable=False),
    Column("key_id", String(16), nullable=False),
)
OBSERVATIONS = Table(
    "observations",
    METADATA,
    Column("observation_id", String(32), primary_key=True),
    Column("team_id", Text, nullable=False, index=True),
    Column("recommendation_id", String(32), nullable=False, index=True),
    Column("session_id", Text, nullable=False),
    Column("date", Date, nullable=False),
    Column("observer_id", Text, nullable=False),
    Column("observed_id", Text, nullable=False),
    Column("aim", Text, nullable=False),  # these three may name students in any words
    Column("feedback", Text),
    Column("next_step", Text),
    Column("noted_at", UtcTime, nullable=False),
    Column("key_id", String(16), nullable=False),
)
HELP_REQUESTS = Table(
    "help_requests",
    METADATA,
    Column("request_id", String(32), primary_key=True),
    Column("recommendation_id", String(32), nullable=False, index=True),
    Column("student_id", Text, nullable=False, index=True),
    Column("block_id", Text, nullable=False),
    Column("skill_id", Text),
    Column("asked_at", UtcTime, nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("ended_at", UtcTime),  # null: the student waits
    Column("staff_id", Text),  # the adult who came; null where none did
)
WISHES = Table(
    "wishes",
    METADATA,
    Column("wish_id", String(32), primary_key=True),
    Column("student_id", Text, nullable=False, index=True),
    Column("other_student_id", Text, index=True),  # one of these four is set
    Column("staff_id", Text),
    Column("skill_id", Text),
    Column("room_id", Text),
    Column("wished_at", UtcTime, nullable=False),
    Column("until", Date, nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("ended_at", UtcTime),
)
GROWTH_STAGES = Table(
    "growth_stages",
    METADATA,
    Column("team_id", Text, primary_key=True),
    Column("staff_id", Text, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),  # in the order of the timeline, from 0
    Column("stage", Text, nullable=False),  # observe, co_lead, lead or own_groups
    Column("most", Integer),  # students of a group, for `lead` alone
    Column("from_date", Date, nullable=False),  # the planned first day
    Column("signed_on", Date),  # null: nobody signed it; the first stage needs no signature
    Column("signed_by", Text),  # the adult who signed; null where the key was of no certain one
    Column("key_id", String(16), nullable=False),  # the key that wrote or signed it last
)
IDEMPOTENCY = Table(
    "idempotency_keys",
    METADATA,
    Column("owner", String(16), primary_key=True),  # id of the caller's API key
    Column("idempotency_key", String(255), primary_key=True),
    Column("body_hash", String(64), nullable=False),
    Column("started_at", UtcTime, nullable=False, index=True),
    Column("status", Integer),  # null while the first request is under way
    Column("location", Text),
    Column("recommendation_id", String(32), index=True),  # the plan in the answer
)
API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("key_id", String(16), primary_key=True),  # the part of the key that identifies it; no secret
    Column("secret_hash", LargeBinary(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("schools", JSON(none_as_null=True)),  # null for all schools
    Column("per_minute", Integer),  # requests; null for the service's own limit
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("revoked_at", UtcTime),
    Column("staff_id", Text),  # the adult whose own key it is; null: of no certain one
    Column("teams", JSON(none_as_null=True)),  # null for all teams of these schools
)
CALENDAR_FEEDS = Table(
    "calendar_feeds",
    METADATA,
    Column("feed_id", String(16), primary_key=True),  # the part of the address that identifies it; no secret
    Column("secret_hash", LargeBinary(32), nullable=False),
    Column("team_id", Text, nullable=False, index=True),
    Column("staff_id", Text, nullable=False),
    Column("names", Boolean, nullable=False),  # whether it may show names of students
    Column("key_id", String(16), nullable=False),  # the key that made it
    Column("created_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
)
AUDIT = Table(
    "audit_log",
    METADATA,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("entry_id", String(32), nullable=False, unique=True),  # so that an entry shipped twice is stored once
    Column("at", UtcTime, nullable=False, index=True),
    Column("key_id", String(16)),
    Column("request_id", Text, nullable=False),
    Column("action", Text, nullable=False),  # such as `read_profile` or `decide`
    Column("team_id", Text),
    Column("student_id", Text, index=True),  # null for a whole team, and after an erasure
    Column("subject", Text),  # id of the recommendation or decision
)
