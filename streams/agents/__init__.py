"""The agents, independent of each other."""

from collections.abc import Mapping
from enum import StrEnum

from schemas import topics
from schemas.topics import Topic


class Role(StrEnum):
    """An agent that a worker can run."""

    TRIAGE = "triage"
    ARCHIVE = "archive"
    COUNT = "count"
    WATCH = "watch"
    LEARN = "learn"
    SHADOW = "shadow"
    NOTIFY = "notify"


READ_BY: Mapping[Role, tuple[Topic, ...]] = {
    Role.TRIAGE: (topics.EVENTS,),
    Role.ARCHIVE: (
        topics.EVENTS,
        topics.DECISIONS,
        topics.FEEDBACK,
        topics.DEAD_LETTERS,
        topics.COUNTS,
        topics.ALERTS,
    ),
    Role.COUNT: (topics.DECISIONS,),
    Role.WATCH: (topics.COUNTS,),
    Role.LEARN: (topics.FEEDBACK,),
}
"""What agents read. Those that notify are one for each receiver, which may be gone for good."""
