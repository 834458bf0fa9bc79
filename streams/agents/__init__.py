"""The agents, independent of each other."""

from enum import StrEnum


class Role(StrEnum):
    """An agent that a worker can run."""

    TRIAGE = "triage"
    ARCHIVE = "archive"
    COUNT = "count"
    WATCH = "watch"
    LEARN = "learn"
    SHADOW = "shadow"
    NOTIFY = "notify"
