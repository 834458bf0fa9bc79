"""Times as people write them on the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from schemas.errors import BadSettings

_EPOCH = datetime.fromtimestamp(0, UTC)
_AGE_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, now: datetime) -> datetime:
    """The time that `text` names: ISO 8601, in UTC where it names no zone, or an age before `now` such as 2h or 3d.

    What is before 1970 is 1970: Kafka's time stamps begin there. Raises BadSettings where it is neither.
    """
    try:
        if (age := _age(text)) is not None:
            return max(_EPOCH, now - age)
        time = datetime.fromisoformat(text)
        return max(_EPOCH, time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC))
    except OverflowError:
        return _EPOCH
    except ValueError:
        raise BadSettings(
            f"{text!r} is no time: write an age such as 90m, 2h or 3d, or ISO 8601 such as 2026-03-02T12:00"
        ) from None


def duration(text: str) -> timedelta:
    """How long `text` says, such as 90m, 2h or 3d. Raises BadSettings where it says no such thing."""
    try:
        found = _age(text)
    except OverflowError:
        found = timedelta.max
    if found is None:
        raise BadSettings(f"{text!r} is no length of time: write one such as 90m, 2h or 3d")
    return found


def _age(text: str) -> timedelta | None:
    found = re.fullmatch(r"(\d{1,9})([smhdw])", text, re.ASCII)
    return None if found is None else timedelta(**{_AGE_UNITS[found[2]]: int(found[1])})
