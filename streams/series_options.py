"""What may be asked of files of counts and events; light to import, as the command line needs it for its help."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta, tzinfo
from enum import StrEnum

from models.staffing import ServiceLevel

FALSE_ALARMS_PER_WEEK = 0.05
"""What `triage detect` allows by itself, for each series."""


class Missing(StrEnum):
    """What a time without a row means in a file of counts."""

    AUTO = "auto"
    """Zero where the file leaves zeros out altogether, else a gap."""
    GAP = "gap"
    """Nothing is known."""
    ZERO = "zero"
    """Nothing happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which columns hold what. Without `value`, each row is one event."""

    time: str | None = None
    value: str | None = None
    series: str | None = None
    requester: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How to read a file. `zone` is that of times that name none."""

    columns: Columns
    zone: tzinfo = UTC
    encoding: str | None = None
    skip_bad: bool = False


class Method(StrEnum):
    """What scores the counts."""

    AUTO = "auto"
    """By a trial on the first part of a file of counts: novelty where the stream's would alert all the time."""
    NEGATIVE_BINOMIAL = "negative-binomial"
    """The stream's: how improbable the counts of 1 to 60 minutes are, against a baseline of the week."""
    NOVELTY = "novelty"
    """New peaks, for bursty counts; its scores are no decades but parts of the peaks before."""
    SEASONAL = "seasonal"
    """The plain rival: a z-score against the same time of earlier weeks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectOptions:
    """What `triage detect` may be told.

    `score` replaces the threshold that follows from the false alarms, which are those of all series together; None
    allows FALSE_ALARMS_PER_WEEK for each.
    """

    method: Method = Method.AUTO
    false_alarms_per_week: float | None = None
    score: float | None = None
    min_count: float = 5.0
    min_ratio: float = 1.5
    zone: tzinfo = UTC
    holidays: Collection[date] = ()
    hop: timedelta | None = None
    missing: Missing = Missing.AUTO
    max_series: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastOptions:
    """What `triage forecast` may be told."""

    hours: int = 168
    coverage: float = 0.8
    zone: tzinfo = UTC
    holidays: Collection[date] = ()
    service: ServiceLevel = field(default_factory=ServiceLevel)
