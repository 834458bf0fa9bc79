"""What a ticket's writer did not write is left out, and nothing that they did."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cleaning import clean, repair

GERMAN = "Größere Störung: Übergabe à la carte, Straße 5 £"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "mac_roman"])
def test_utf8_that_was_read_as_something_else_is_repaired(encoding: str) -> None:
    mangled = GERMAN.encode("utf-8").decode(encoding, errors="ignore")
    assert mangled != GERMAN
    found = clean(mangled)
    assert (found.text, found.repaired) == (GERMAN, True)


@pytest.mark.parametrize(
    "text", [GERMAN, "naïve façade À LA CARTE", "CAFÉ Ñandú", "√2 = 50 €", "Привет", "日本語", "ÄÖÜ"]
)
def test_what_was_decoded_well_is_left_alone(text: str) -> None:
    assert repair(text) == text


@pytest.mark.parametrize(
    "end",
    [
        "Mit freundlichen Grüßen\nErika Muster\nTel. 030 1234",
        "Viele Grüße,\nErika",
        "Freundliche Gruesse\nErika",
        "MfG\nE. Muster",
        "Best regards,\nJane Doe\nHead of Things",
        "-- \nJane",
        "Sent from my iPhone",
        "Von meinem iPhone gesendet",
        "This email and any attachments are confidential.\nDelete it.",
        "Diese E-Mail enthält vertrauliche Angaben.",
        "On Mon, 2 Mar 2026 at 10:00, Support <s@example.com> wrote:\n> Hello\n> there",
        "Am 02.03.2026 um 10:00 schrieb Support:\nHallo\nzusammen",
        "-----Original Message-----\nFrom: a\nanything",
        "-----Ursprüngliche Nachricht-----\nVon: b",
        "From: Support\nSent: Monday\nTo: Jane\nSubject: Re: x\n\nHello",
        "> quoted\n> lines",
    ],
)
def test_signatures_quotes_and_footers_are_stripped(end: str) -> None:
    body = "Guten Tag,\n\nder Drucker druckt nicht."
    assert clean(f"{body}\n\n{end}").text == body


def test_signature_footer_and_quote_of_one_mail_are_all_stripped() -> None:
    mail = "Please reset it.\n\nKind regards\nJane\n\nSent from my phone\n\nOn Monday, 2 March Joe Doe wrote:\n> What?"
    assert clean(mail).text == "Please reset it."


@pytest.mark.parametrize(
    "text",
    [
        "Best regards is what I wrote,\nand then it crashed.",
        "Kind regards\n" + "this is the ticket itself, which goes on for a while. " * 10,
        "> everything is quoted\n> here",
        "Sent from my iPhone",
        "MfG\nnobody wrote anything else",
        "I was sent from:\none desk to another",
    ],
)
def test_what_may_be_the_ticket_itself_stays(text: str) -> None:
    assert clean(text).text == text.strip()


@given(st.text(alphabet=st.sampled_from("aü>\n-: MfGregards√Ã¼"), max_size=60))
def test_a_text_is_never_emptied_and_cleaning_twice_is_cleaning_once_for_decoding(text: str) -> None:
    found = clean(text)
    assert bool(found.text.strip()) == bool(repair(text).strip())
    assert found.stripped >= 0
