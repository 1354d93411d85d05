"""Published profiles: the state of every student at one moment, for the models of one run.

A publication is a folder with a manifest: `state-BUCKET-HASH.bin` (the state of a bucket of students, or what a later
night changed of it), `statistics.json.zst` (how hard items and skills are, and what the codes of the state stand for)
and `pairs.parquet` (how often responses named items and skills that the models have not seen). Profiles as tables are
read from the state. What a night does not change is the file of the night before, under a second name (a hard link).
"""

from features.publications.names import MOMENT, moment_of, name_publication, newest_publication, order_of
from features.publications.publish import publish_events, publish_profiles
from features.publications.reading import (
    Publication,
    list_published_students,
    publish_without,
    read_buckets,
    read_publication,
    read_statistics,
)

__all__ = [
    "MOMENT",
    "Publication",
    "list_published_students",
    "moment_of",
    "name_publication",
    "newest_publication",
    "order_of",
    "publish_events",
    "publish_profiles",
    "publish_without",
    "read_buckets",
    "read_publication",
    "read_statistics",
]
