"""Alerts reach people once each, in every receiver's own format, and never too late to help."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from examples import NOON, alert, alerts
from hypothesis import given
from processes import free_port
from pydantic import SecretStr
from typer.testing import CliRunner

from schemas.alerts import Alert, AlertAnswer, AlertKind, AlertStage, AnswerKind, CausePart, SpikeCause, SpikeSize
from schemas.errors import BadSettings, ReceiverAway, ReceiverRefused
from sinks.notify.alertmanager import Alertmanager
from sinks.notify.counterpart import (
    LOGIN,
    ROUTING_KEY,
    SIGNING_KEY,
    SLACK_PATH,
    WEBHOOK_SECRET,
    Counterpart,
    Illness,
    alertmanager_faults,
    is_firing,
    pagerduty_faults,
    served,
    slack_faults,
)
from sinks.notify.notices import Links, advice, facts, headline
from sinks.notify.pagerduty import PagerDuty, dedup_key
from sinks.notify.receivers import Answer, Receiver, Request
from sinks.notify.sender import LONGEST_ASKED_FOR, LONGEST_PAUSE, Pace, Sender, asked_for, pause
from sinks.notify.slack import Slack
from sinks.notify.webhook import SignedWebhook, message, message_id, signature, signing_key
from streams import wiring
from streams.agents.notify import AlertBoard, held_back
from streams.alerts_cli import AlertLog
from streams.cli import app
from streams.settings import Settings, load_settings
from streams.times import duration

LINKS = Links(ticket="https://desk.example/t/{ticket_id}", runbook="https://wiki.example/outage")
OPENED = alert()
RESOLVED = replace(OPENED, stage=AlertStage.RESOLVED, at=NOON + timedelta(minutes=52))


@pytest.fixture
def counterpart() -> Iterator[Counterpart]:
    with served() as running:
        yield running


def receivers(url: str) -> dict[str, Receiver]:
    return {
        "pagerduty": PagerDuty(url=f"{url}/v2/enqueue", routing_key=ROUTING_KEY, links=LINKS),
        "slack": Slack(url=url + SLACK_PATH, links=LINKS),
        "alertmanager": Alertmanager(url=url, login=LOGIN, links=LINKS),
        "webhook": SignedWebhook(url=f"{url}/hook", key=SIGNING_KEY, links=LINKS),
    }


def body(request: Request) -> Any:
    return json.loads(request.body)


async def tell(receiver: Receiver, *notices: Alert, now: datetime | None = None) -> list[Answer]:
    async with Sender(receiver, wiring.wall_clock) as sender:
        return [await sender.send(receiver.request(notice, now or wiring.wall_clock())) for notice in notices]


# -- What is said -----------------------------------------------------------------------------------------------------


def test_a_person_woken_at_night_reads_what_rose_against_what_since_when_why_whose_it_is_and_what_to_do() -> None:
    assert headline(OPENED) == "Tickets spike: category=billing, 143 tickets instead of 12 since 12:00 UTC"
    assert facts(OPENED) == [
        ("How much", "143 tickets, 12 were expected, 12 times as many"),
        ("Since", "Mon 02 Mar 12:00 UTC, for 4 min"),
        ("Mostly in", "product=checkout (98 instead of 3.1)"),
        ("Words", "card declined (61 instead of 0.4)"),
        ("Who asks", "57 people"),
        ("Tickets", "T-17, T-19, T-11; the first was T-11"),
        ("Owner", "billing"),
    ]
    assert "open an incident with billing" in advice(OPENED)
    assert headline(RESOLVED) == (
        "Over: Tickets spike: category=billing, 143 tickets instead of 12 from 12:00 UTC to 12:52 UTC"
    )
    assert advice(RESOLVED).startswith("Nothing: it is over")
    yesterday = replace(OPENED, opened_at=NOON - timedelta(hours=20))
    assert headline(yesterday).endswith("since Sun 01 Mar 16:00 UTC")
    held = replace(OPENED, page=False, note="4 pages within 1:00:00")
    assert facts(held)[-1] == ("Page", "nobody is woken for it: 4 pages within 1:00:00")


@pytest.mark.parametrize("kind", AlertKind)
def test_every_kind_of_alert_has_words_of_its_own(kind: AlertKind) -> None:
    others = [other for other in AlertKind if other is not kind]
    notice = replace(OPENED, kind=kind, team="")
    assert headline(notice) not in {headline(replace(notice, kind=other)) for other in others}
    assert advice(notice) not in {advice(replace(notice, kind=other)) for other in others}
    assert "{" not in advice(notice)


def test_example_tickets_and_the_runbook_are_links() -> None:
    odd = replace(OPENED, cause=SpikeCause(examples=("A/1 ?",)))
    assert [link.url for link in LINKS.of(odd)] == [
        "https://wiki.example/outage",
        "https://desk.example/t/A%2F1%20%3F",
    ]
    assert Links().of(OPENED) == []


@given(alerts)
def test_whatever_an_alert_holds_every_receivers_contract_is_kept(word: Any) -> None:
    parts = tuple(CausePart(text="x" * 5000, observed=1, expected=0, g2=1) for _ in range(3))
    large = replace(word, subject=word.subject * 200 + "&<>" * 900, cause=replace(word.cause, children=parts))
    for notice in (word, large):
        made = {name: one.request(notice, NOON) for name, one in receivers("http://x").items()}
        assert list(pagerduty_faults(body(made["pagerduty"]))) == []
        assert list(slack_faults(body(made["slack"]))) == []
        assert [fault for one in body(made["alertmanager"]) for fault in alertmanager_faults(one)] == []
        assert len(made["pagerduty"].body) < 512 * 1024
        data = body(made["webhook"])["data"]
        assert data["incident_id"] == notice.incident_id


def test_slack_is_given_no_markup_that_a_ticket_brought_along() -> None:
    sly = replace(OPENED, cause=SpikeCause(terms=(CausePart(text="<!channel> & co", observed=9, expected=0, g2=20),)))
    text = json.dumps(body(receivers("http://x")["slack"].request(sly, NOON)))
    assert "<!channel>" not in text
    assert "&lt;!channel&gt; &amp; co" in text


def test_a_dedup_key_is_the_incidents_id_and_fits() -> None:
    assert dedup_key("i-1") == "i-1"
    assert len(dedup_key("x" * 256)) == 64
    assert dedup_key("x" * 256) != dedup_key("x" * 257)


def test_alertmanager_is_told_of_one_alert_with_one_set_of_labels_and_an_end_that_each_resend_moves() -> None:
    receiver = Alertmanager(url="http://x", resend_every=timedelta(minutes=1))
    now = OPENED.at
    first, later = (body(receiver.request(OPENED, at))[0] for at in (now, now + timedelta(minutes=1)))
    assert first["labels"] == later["labels"] == body(receiver.request(RESOLVED, RESOLVED.at))[0]["labels"]
    assert first["labels"]["alertname"] == "TriageSpike"
    assert (first["startsAt"], first["endsAt"]) == ("2026-03-02T12:00:00.000Z", "2026-03-02T12:08:00.000Z")
    assert later["endsAt"] == "2026-03-02T12:09:00.000Z"
    over = body(receiver.request(RESOLVED, RESOLVED.at + timedelta(seconds=3)))[0]
    assert over["endsAt"] == "2026-03-02T12:52:00.000Z"
    assert not is_firing(over, RESOLVED.at)


def test_a_webhooks_signature_is_the_one_of_the_specification() -> None:
    # The example of the Standard Webhooks specification.
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    payload = b'{"test": 2432232314}'
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, payload) == expected


def test_a_webhook_has_one_id_for_one_word_and_another_for_the_next() -> None:
    assert message_id(OPENED) == message_id(replace(OPENED, note="said otherwise"))
    assert message_id(OPENED) != message_id(RESOLVED)


@pytest.mark.parametrize("secret", ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_%%%"])
def test_a_webhooks_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="24 to 64 random bytes"):
        signing_key(secret)


# -- How it is delivered ----------------------------------------------------------------------------------------------


async def test_each_receiver_takes_an_incident_from_its_opening_to_its_end_by_the_same_key(
    counterpart: Counterpart,
) -> None:
    now = wiring.wall_clock()
    opened = replace(OPENED, opened_at=now - timedelta(minutes=4), at=now)
    taken = replace(opened, stage=AlertStage.ACKNOWLEDGED)
    over = replace(opened, stage=AlertStage.RESOLVED)
    for name, receiver in receivers(counterpart.url).items():
        answers = await tell(receiver, opened, opened, taken, over)
        assert {answer.status for answer in answers} <= {200, 202, 204}, name
    assert counterpart.refusals == []
    (incident,) = counterpart.incidents
    assert (incident.key, incident.status) == (opened.incident_id, "resolved")
    assert incident.events == ["trigger", "trigger", "acknowledge", "resolve"]
    assert incident.payload["severity"] == "critical"
    (known,) = counterpart.alerts.values()
    assert not is_firing(known, wiring.wall_clock())
    assert [is_firing(one, now) for one in counterpart.tellings] == [True, True, True, False]
    assert [len(repeats) for repeats in counterpart.deliveries.values()] == [2, 1, 1]
    assert [message["text"].split()[0] for message in counterpart.messages] == [
        *(":rotating_light:", ":rotating_light:"),
        *(":eyes:", ":white_check_mark:"),
    ]


@pytest.mark.parametrize("name", ["pagerduty", "slack", "alertmanager", "webhook"])
async def test_what_may_pass_is_away_and_what_will_not_is_refused_with_the_answer(
    counterpart: Counterpart, name: str
) -> None:
    receiver = receivers(counterpart.url)[name]
    counterpart.illnesses += [
        Illness(429, {"Retry-After": "7"}),
        Illness(500, body="oops"),
        Illness(503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    ]
    with pytest.raises(ReceiverAway, match="429") as limited:
        await tell(receiver, OPENED)
    assert limited.value.retry_after == timedelta(seconds=7)
    with pytest.raises(ReceiverAway, match=f"{name} answers 500: oops"):
        await tell(receiver, OPENED)
    with pytest.raises(ReceiverAway, match="503") as past:
        await tell(receiver, OPENED)
    assert past.value.retry_after == timedelta(0)
    for status in (301, 400, 401, 404, 410):
        counterpart.illnesses.append(Illness(status, {"Location": counterpart.url}, "never"))
        with pytest.raises(ReceiverRefused, match=f"{name} answers {status}: never"):
            await tell(receiver, OPENED)
    assert len(counterpart.requests) == 8, "a redirect is not followed"
    assert (await tell(receiver, OPENED))[0].status in {200, 202, 204}


async def test_a_yes_is_the_receivers_own_yes(counterpart: Counterpart) -> None:
    for name, wrong in {"pagerduty": 200, "slack": 200, "alertmanager": 202}.items():
        counterpart.illnesses.append(Illness(wrong, body="hello from a proxy"))
        with pytest.raises(ReceiverRefused, match="hello from a proxy"):
            await tell(receivers(counterpart.url)[name], OPENED)


async def test_a_receiver_that_does_not_listen_is_away_and_its_secrets_stay_hidden() -> None:
    for name, receiver in receivers(f"http://127.0.0.1:{free_port()}").items():
        with pytest.raises(ReceiverAway, match=f"{name} does not answer: Connection refused") as away:
            await tell(receiver, OPENED)
        assert away.value.__cause__ is None
        assert all(secret not in repr(away.value) + repr(receiver) for secret in receiver.secrets)


async def test_a_secret_that_a_receiver_repeats_in_its_answer_does_not_show(counterpart: Counterpart) -> None:
    for receiver in receivers(counterpart.url).values():
        counterpart.illnesses.append(Illness(400, body="wrong: " + " ".join(receiver.secrets)))
        with pytest.raises(ReceiverRefused, match=r"wrong: \[secret\]") as refused:
            await tell(receiver, OPENED)
        assert all(secret not in str(refused.value) for secret in receiver.secrets)
        assert all(secret not in repr(receiver.request(OPENED, NOON)) for secret in receiver.secrets)


def test_pauses_double_up_to_a_minute_with_jitter_and_heed_what_the_receiver_asks_for() -> None:
    none = timedelta(0)
    assert [pause(number, none, 0.0).total_seconds() for number in (1, 2, 3, 7, 100)] == [1, 2, 4, 60, 60]
    assert pause(3, none, 1.0) == timedelta(seconds=2)
    assert pause(1, timedelta(seconds=90), 0.5) == timedelta(seconds=90)
    assert pause(50, none, 0.0) == LONGEST_PAUSE
    assert pause(1, timedelta(days=9), 0.0) == LONGEST_ASKED_FOR


def test_retry_after_is_seconds_or_a_date() -> None:
    now = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
    assert asked_for("30", now) == timedelta(seconds=30)
    assert asked_for("Wed, 25 Nov 2026 08:02:00 GMT", now) == timedelta(minutes=2)
    assert asked_for("Wed, 25 Nov 2026 07:00:00 GMT", now) == timedelta(0)
    for nothing in (None, "", "soon", "-5"):
        assert asked_for(nothing, now) == timedelta(0)


def test_a_few_requests_go_at_once_and_then_one_each_gap() -> None:
    pace = Pace(timedelta(seconds=2), burst=3)
    assert [pace.wait_seconds(100.0) for _ in range(5)] == [0, 0, 0, 2, 4]
    assert pace.wait_seconds(104.5) == 1.5
    assert [pace.wait_seconds(1000.0) for _ in range(4)] == [0, 0, 0, 2]


# -- When nobody is told ----------------------------------------------------------------------------------------------


def why(notice: Alert, newest: Alert | None = None, **changes: Any) -> str | None:
    fields: dict[str, Any] = {
        "told": False,
        "repeats": False,
        "now": notice.at + timedelta(minutes=1),
        "too_old": timedelta(hours=1),
    }
    return held_back(notice, newest or notice, **{**fields, **changes})


def test_an_incident_is_told_when_it_opens_and_when_it_ends_and_in_between_to_those_who_want_it() -> None:
    updated = replace(OPENED, stage=AlertStage.UPDATED, at=OPENED.at + timedelta(minutes=5))
    assert why(OPENED) is None
    assert why(updated) is None, "whoever has heard nothing is told"
    assert why(updated, told=True) == "it was told when it began"
    assert why(updated, told=True, repeats=True) is None
    assert why(RESOLVED, told=True) is None
    assert why(RESOLVED, told=True, now=RESOLVED.at + timedelta(days=3)) is None, (
        "what was opened is closed, ever so late"
    )


def test_nobody_is_woken_for_what_is_over_or_old_and_of_several_words_the_newest_is_told() -> None:
    updated = replace(OPENED, stage=AlertStage.UPDATED, at=OPENED.at + timedelta(minutes=5))
    assert why(OPENED, RESOLVED) == "it is over already"
    assert why(RESOLVED) == "nobody was told that it began"
    assert why(OPENED, updated) == "there is newer word of it"
    assert why(OPENED, now=OPENED.at + timedelta(minutes=61)) == (
        "it is older than 60 min, and there is no newer word of it"
    )
    assert why(replace(OPENED, stage=AlertStage.ACKNOWLEDGED)) == "nobody was told that it began"


def answer(kind: AnswerKind, **changes: Any) -> AlertAnswer:
    return AlertAnswer(
        **{"answer_id": f"a-{kind}", "kind": kind, "actor": "jo", "reason": "known", "at": NOON, **changes}
    )


MUTED = answer(AnswerKind.MUTED, until=NOON + timedelta(hours=2))
TAKEN = replace(OPENED, stage=AlertStage.ACKNOWLEDGED, answers=(answer(AnswerKind.ACKNOWLEDGED),))


def test_an_answer_is_told_to_those_who_know_of_the_incident_though_there_is_newer_word_of_it() -> None:
    updated = replace(TAKEN, stage=AlertStage.UPDATED, at=TAKEN.at + timedelta(minutes=5))
    assert why(TAKEN, updated, told=True) is None, "an update is not told to all"
    assert why(TAKEN, updated) == "there is newer word of it"
    assert why(TAKEN, RESOLVED, told=True) == "it is over already"


def test_nobody_is_woken_by_pagerduty_for_what_somebody_has_answered() -> None:
    pagerduty = receivers("http://x")["pagerduty"]
    assert not pagerduty.wants(replace(TAKEN, stage=AlertStage.UPDATED))
    assert pagerduty.wants(TAKEN)
    assert pagerduty.wants(replace(TAKEN, stage=AlertStage.RESOLVED))


def test_who_answered_what_and_why_is_said() -> None:
    both = replace(TAKEN, answers=(*TAKEN.answers, MUTED))
    assert headline(TAKEN).startswith("Taken: ")
    assert headline(both).startswith("Muted: ")
    assert headline(replace(TAKEN, answers=(answer(AnswerKind.DISMISSED, reason=""),))).startswith("Dismissed: ")
    assert dict(facts(both))["Answered"] == ("acknowledged by jo: known; muted until Mon 02 Mar 14:00 UTC by jo: known")
    told = message(both, LINKS)["data"]["answers"]
    assert [(one["kind"], one["actor"], one["until"]) for one in told] == [
        ("acknowledged", "jo", None),
        ("muted", "jo", "2026-03-02T14:00:00.000Z"),
    ]
    assert message_id(both) != message_id(TAKEN), "two answers of one moment are two messages"


def test_the_budget_of_pages_keeps_pagerduty_silent_and_not_the_others() -> None:
    held = replace(OPENED, page=False)
    assert {name: one.wants(held) for name, one in receivers("http://x").items()} == {
        "pagerduty": False,
        "slack": True,
        "alertmanager": True,
        "webhook": True,
    }


async def test_the_board_keeps_the_newest_word_by_its_own_time_and_forgets_what_is_long_over() -> None:
    board = AlertBoard(keep=timedelta(hours=1), clock=lambda: RESOLVED.at + timedelta(minutes=1))
    board.take(0, 4, OPENED)
    board.take(0, 5, RESOLVED)
    board.take(0, 9, OPENED)  # redriven: an old word behind a newer one
    assert board.newest(OPENED.incident_id) == RESOLVED
    assert board.first_offset(OPENED.incident_id) == 4
    assert board.open_incidents() == []
    board.take(0, 10, replace(OPENED, incident_id="another"))
    board.take(0, 11, replace(RESOLVED, incident_id="long over", at=RESOLVED.at - timedelta(days=2)))
    assert board.newest("long over") is None
    assert [one.incident_id for one in board.open_incidents()] == ["another"]


# -- Settings and the command -----------------------------------------------------------------------------------------


def test_what_is_set_is_who_is_told_and_no_secret_shows(
    settings: Settings, counterpart: Counterpart, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wiring.receivers(settings) == []
    for name, value in counterpart.environment("pagerduty", "slack", "alertmanager", "webhook").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TRIAGE_NOTIFY_RESEND_EVERY_SECONDS", "20")
    found = wiring.receivers(load_settings())
    assert [one.name for one in found] == ["pagerduty", "slack", "alertmanager", "webhook"]
    assert found[2].resend_every == timedelta(seconds=20)
    shown = CliRunner().invoke(app, ["settings"], env={"COLUMNS": "300"}).output + repr(load_settings()) + repr(found)
    assert all(secret not in shown for one in found for secret in one.secrets)
    assert WEBHOOK_SECRET not in shown


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("PAGERDUTY_ROUTING_KEY", "short", "at least 32"),
        ("SLACK_URL", "hooks.slack.com/services/T/B/s3cret", "write a whole address"),
        ("ALERTMANAGER_URL", "http://me:pass@am:9093", "USERNAME"),
        ("WEBHOOK_URL", "https://hook.example/x", "go together"),
        ("WEBHOOK_SECRET", "plain", "24 to 64 random bytes"),
        ("TICKET_URL", "https://desk.example/", "{ticket_id}"),
        ("ALERTMANAGER_PASSWORD", "x", "ALERTMANAGER_USERNAME"),
        ("HOLD_BACK_AFTER_SECONDS", "5", "60"),
    ],
)
def test_a_setting_that_is_wrong_is_named_and_its_secret_is_not_repeated(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, value: str, fault: str
) -> None:
    monkeypatch.setenv(f"TRIAGE_NOTIFY_{name}", value)
    with pytest.raises(BadSettings) as caught:
        load_settings()
    assert fault in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert isinstance(settings.notify_slack_url, SecretStr | None)


def test_an_open_incident_is_found_by_the_beginning_of_its_id() -> None:
    alerts = AlertLog(cast("Any", None), cast("Any", None), [])  # nothing is read
    words = (
        replace(OPENED, incident_id="abc-1"),
        replace(OPENED, incident_id="abd"),
        replace(RESOLVED, incident_id="abc-2"),
    )
    alerts.newest = {word.incident_id: word for word in words}
    assert alerts.find("abc") == words[0], "what is over does not count"
    assert alerts.find("abd") == words[1]
    for name, fault in (
        ("ab", "2 open incidents begin with 'ab'"),
        ("abc-2", "is over since 2026-03-02"),
        ("x", "there is no open incident 'x'"),
        ("", "there is no open incident ''"),
    ):
        with pytest.raises(BadSettings, match=fault):
            alerts.find(name)
    assert [duration(text) for text in ("90m", "2h")] == [timedelta(minutes=90), timedelta(hours=2)]
    for nonsense in ("", "2", "-2h", "2 hours"):
        with pytest.raises(BadSettings, match="no length of time"):
            duration(nonsense)


def test_the_test_command_tells_each_receiver_and_prints_what_it_answered(
    settings: Settings, counterpart: Counterpart
) -> None:
    run = CliRunner().invoke
    nobody = run(app, ["notify", "test"])
    assert isinstance(nobody.exception, BadSettings)
    environment = {**counterpart.environment("pagerduty", "slack", "alertmanager", "webhook"), "COLUMNS": "160"}
    good = run(app, ["notify", "test", "--team", "billing"], env=environment)
    assert good.exit_code == 0, good.output
    for words in (("pagerduty", "opened", "202"), ("slack", "resolved", "200 ok"), ("webhook", "opened", "204")):
        assert any(all(word in line for word in words) for line in good.output.splitlines()), words
    (incident,) = counterpart.incidents
    assert (incident.events, incident.payload["group"]) == (["trigger", "resolve"], "billing")
    assert "a test" in incident.payload["summary"]

    counterpart.illnesses.append(Illness(403, body="no_service"))
    refused = run(app, ["notify", "test", "--json"], env=counterpart.environment("slack"))
    assert refused.exit_code == 1
    assert json.loads(refused.output) == [
        {"receiver": "slack", "stage": "opened", "accepted": False, "answer": "slack answers 403: no_service"}
    ]
    counterpart.illnesses.append(Illness(500))
    assert run(app, ["notify", "test"], env=counterpart.environment("slack")).exit_code == 75
    assert settings.notify_slack_url is None


def test_sizes_are_told_in_whole_numbers_where_they_are_large() -> None:
    small = replace(OPENED, size=SpikeSize(observed=4.0, expected=0.25, score=5.0))
    assert facts(small)[0].text == "4 tickets, 0.2 were expected"
