"""Slack's incoming webhooks: a message when an incident opens, is taken and is over.

Such a webhook can neither change a message nor answer in its thread, and it knows no dedup key: the end of an incident
is a message of its own, updates are not told, and a message that arrived although its answer was lost comes twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from schemas.alerts import Alert, AlertStage
from sinks.notify.notices import Links, advice, cut, facts, headline
from sinks.notify.receivers import Answer, Request, json_request

MOST_HEADER_CHARACTERS = 150
MOST_SECTION_CHARACTERS = 3000
MOST_FIELD_CHARACTERS = 2000
MOST_FIELDS = 10
_MOST_TEXT_CHARACTERS = 4000
_ACCEPTED = 200

_MARKS = {
    AlertStage.OPENED: ":rotating_light:",
    AlertStage.ACKNOWLEDGED: ":eyes:",
    AlertStage.RESOLVED: ":white_check_mark:",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """One channel, by the URL of its incoming webhook, which is the secret, too."""

    url: str = field(repr=False)
    links: Links = field(default_factory=Links)
    name: str = "slack"
    gap: timedelta = timedelta(seconds=1)
    """Slack takes one message a second."""
    resend_every: timedelta | None = None
    repeats: bool = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not show: the URL, and its path by itself."""
        path = self.url.partition("://")[2].partition("/")[2]
        return (self.url, *([path] if path else []))

    def wants(self, _alert: Alert) -> bool:
        """A channel wakes nobody: it hears of incidents without a page, too."""
        return True

    def request(self, alert: Alert, _now: datetime) -> Request:
        """A message of blocks; `text` is for notifications and for screen readers."""
        title = headline(alert)
        blocks: list[dict[str, Any]] = [
            {"type": "header", "text": {"type": "plain_text", "text": cut(title, MOST_HEADER_CHARACTERS)}},
            {
                "type": "section",
                "fields": [
                    _text(f"*{escaped(fact.label)}*\n{escaped(fact.text)}", MOST_FIELD_CHARACTERS)
                    for fact in facts(alert)[:MOST_FIELDS]
                ],
            },
        ]
        if alert.stage is not AlertStage.RESOLVED:
            blocks.append({"type": "section", "text": _text(f"*What to do*\n{escaped(advice(alert))}")})
        if links := self.links.of(alert):
            text = " · ".join(f"<{escaped(link.url)}|{escaped(link.text)}>" for link in links)
            blocks.append({"type": "section", "text": _text(text)})
        foot = f"{alert.kind.value} {alert.stage.value}, incident {alert.incident_id}"
        blocks.append({"type": "context", "elements": [_text(escaped(foot), MOST_FIELD_CHARACTERS)]})
        mark = _MARKS.get(alert.stage, "")
        return json_request(
            self.url, {"text": cut(f"{mark} {escaped(title)}".strip(), _MOST_TEXT_CHARACTERS), "blocks": blocks}
        )

    def accepted(self, answer: Answer) -> bool:
        """Slack says `ok`, and nothing else, where it has taken a message."""
        return answer.status == _ACCEPTED and answer.text.strip() == "ok"


def escaped(text: str) -> str:
    """`text` with the three characters escaped that Slack reads as markup of its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _text(text: str, most: int = MOST_SECTION_CHARACTERS) -> dict[str, str]:
    return {"type": "mrkdwn", "text": cut(text, most)}
