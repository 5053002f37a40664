"""Status callbacks and incoming messages, as Twilio sends them."""

from __future__ import annotations

from typing import Any

import pytest
from djsms import IncomingText, Status, StatusReport
from djsms.exceptions import Forged, InvalidWebhook, Misdirected
from djsms_twilio import TwilioBackend
from djsms_twilio.codes import REPORT_CODES
from hypothesis import given
from hypothesis import strategies as st
from twilio_server import ACCOUNT_SID, API_KEY, API_KEY_SECRET, AUTH_TOKEN
from twilio_webhooks import CALLBACK, INCOMING, REF, SID, request

BACKEND = TwilioBackend(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN)
UNSIGNED = TwilioBackend(account_sid=ACCOUNT_SID, api_key=API_KEY, api_key_secret=API_KEY_SECRET)


def report(query: str = f"ref={REF}", **fields: str) -> StatusReport:
    [only] = BACKEND.parse_callback(request({**CALLBACK, **fields}, query=query))
    return only


def moved(word: str, code: str = "") -> StatusReport:
    return report(MessageStatus=word, SmsStatus=word, **({"ErrorCode": code} if code else {}))


def text(**fields: str) -> IncomingText:
    [only] = BACKEND.parse_incoming(request({**INCOMING, **fields}))
    return only


class TestStatuses:
    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("accepted", Status.SENDING),
            ("queued", Status.SENDING),
            ("scheduled", Status.SENDING),
            ("sending", Status.SENDING),
            ("sent", Status.SENT),
            ("delivered", Status.DELIVERED),
            ("read", Status.DELIVERED),
            ("partially_delivered", Status.DELIVERED),
            ("undelivered", Status.FAILED),
            ("failed", Status.FAILED),
            ("canceled", Status.FAILED),
            ("Delivered", Status.DELIVERED),
            ("teleported", Status.UNKNOWN),
        ],
    )
    def test_each_word(self, word: str, status: Status) -> None:
        got = moved(word)
        assert (got.status, got.provider_status) == (status, word)

    UNDELIVERED = {
        **dict.fromkeys(("30004", "30007", "30034", "30018", "30450"), Status.REJECTED),
        "30036": Status.EXPIRED,
        "21610": Status.REFUSED,
    }
    FAILED = {
        **dict.fromkeys(
            [
                *("30001", "30002", "30010", "30017", "30018", "30019", "30020", "30021", "30022"),
                *("30023", "30024", "30027", "30032", "30033", "30035", "30450"),
                *("21211", "21610", "21999", "63016", "63018"),
            ],
            Status.REFUSED,
        ),
        "30036": Status.EXPIRED,
    }

    @pytest.mark.parametrize("code", [*REPORT_CODES, "21211", "63018", "12345"])
    def test_each_code_of_what_was_not_delivered(self, code: str) -> None:
        got = moved("undelivered", code)
        assert got.status == self.UNDELIVERED.get(code, Status.FAILED)
        assert got.error_code == code

    @pytest.mark.parametrize("code", [*REPORT_CODES, "21211", "21999", "63016", "63018", "12345"])
    def test_each_code_of_what_was_not_sent(self, code: str) -> None:
        assert moved("failed", code).status == self.FAILED.get(code, Status.FAILED)

    @pytest.mark.parametrize("code", REPORT_CODES)
    def test_each_code_is_explained(self, code: str) -> None:
        assert moved("undelivered", code).error_text == REPORT_CODES[code]

    def test_twilio_s_own_words_come_first(self) -> None:
        got = report(MessageStatus="failed", ErrorCode="30003", ErrorMessage="Off, it seems")
        assert got.error_text == "Off, it seems"

    def test_no_error_is_no_code(self) -> None:
        assert moved("delivered", "0").error_code == ""

    @pytest.mark.parametrize("word", ["receiving", "received"])
    def test_words_of_incoming_texts_are_no_report(self, word: str) -> None:
        fields = {**CALLBACK, "MessageStatus": word, "SmsStatus": word}
        assert BACKEND.parse_callback(request(fields)) == []


class TestReports:
    def test_find_their_message_by_our_reference_and_by_the_id(self) -> None:
        got = report()
        assert (got.ref, got.provider_id) == (REF, SID)

    @pytest.mark.parametrize(
        "query", ["", "ref=", "ref=short", f"ref={REF}x", f"ref={REF}&ref={'0' * 32}", "xref=1"]
    )
    def test_without_a_clear_reference_go_by_the_id(self, query: str) -> None:
        assert report(query).ref == ""

    def test_have_no_time_and_no_price_and_keep_all_that_came(self) -> None:
        got = report(ChannelPrefix="sms", RawDlrDoneDate="2611251000")
        assert (got.occurred_on, got.price, got.currency) == (None, None, "")
        assert got.raw == {**CALLBACK, "ChannelPrefix": "sms"}

    @pytest.mark.parametrize("missing", ["MessageStatus", "MessageSid"])
    def test_may_have_the_older_names_alone(self, missing: str) -> None:
        fields = {name: value for name, value in CALLBACK.items() if name != missing}
        [got] = BACKEND.parse_callback(request(fields))
        assert (got.status, got.provider_id) == (Status.DELIVERED, SID)

    def test_may_repeat_what_is_not_read(self) -> None:
        pairs = [*CALLBACK.items(), ("New", "1"), ("New", "2")]
        [got] = BACKEND.parse_callback(request(pairs))
        assert got.raw["New"] == ["1", "2"]

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"MessageStatus": "sent"},
            {"MessageSid": SID},
            {"MessageStatus": " ", "MessageSid": SID},
        ],
    )
    def test_that_say_too_little_are_not_readable(self, fields: dict[str, str]) -> None:
        with pytest.raises(InvalidWebhook):
            BACKEND.parse_callback(request(fields))

    def test_with_two_statuses_are_not_readable(self) -> None:
        pairs = [*CALLBACK.items(), ("MessageStatus", "failed")]
        with pytest.raises(InvalidWebhook, match="MessageStatus"):
            BACKEND.parse_callback(request(pairs))

    def test_of_another_account_are_not_believed(self) -> None:
        with pytest.raises(Forged, match="another Twilio account"):
            report(AccountSid=f"AC{'9' * 32}")

    def test_that_say_nothing_of_the_account_are(self) -> None:
        fields = {name: value for name, value in CALLBACK.items() if name != "AccountSid"}
        assert BACKEND.parse_callback(request(fields))

    def test_without_an_auth_token_need_no_signature(self) -> None:
        assert not UNSIGNED.verifies_webhooks
        [got] = UNSIGNED.parse_callback(request(CALLBACK, key=None))
        assert got.status == Status.DELIVERED


class TestIncoming:
    def test_texts_are_whole_and_to_the_letter(self) -> None:
        got = text()
        assert got == IncomingText(
            frm="+447700900123",
            to="+15550100001",
            text=" Grüße & 1+1=2 € 😀 ",
            provider_id=SID,
            raw=INCOMING,
        )

    def test_the_length_in_segments_makes_no_parts(self) -> None:
        assert text(NumSegments="3").part is None

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_both_methods(self, method: str) -> None:
        [got] = BACKEND.parse_incoming(request(INCOMING, method=method))
        assert got.text == INCOMING["Body"]

    @pytest.mark.parametrize("frm", ["60777", "AcmeInc", "whatsapp:+447700900123"])
    def test_senders_that_are_no_numbers(self, frm: str) -> None:
        assert text(From=frm).frm == frm

    @pytest.mark.parametrize(
        "missing", [("Body",), ("Body", "SmsStatus"), ("NumMedia", "NumSegments")]
    )
    def test_pictures_may_come_without_a_text(self, missing: tuple[str, ...]) -> None:
        media = {
            "NumMedia": "2",
            "MediaUrl0": "https://example.com/0",
            "MediaUrl1": "https://example.com/1",
            "MediaContentType0": "image/png",
            "MediaContentType1": "image/png",
        }
        fields = {k: v for k, v in {**INCOMING, **media}.items() if k not in missing}
        [got] = BACKEND.parse_incoming(request(fields))
        assert got.text == fields.get("Body", "")
        assert got.raw["MediaUrl1"] == "https://example.com/1"

    def test_a_text_that_is_coded_in_base64_stays_as_it_is(self) -> None:
        assert text(Body="SGVsbG8=").text == "SGVsbG8="

    @pytest.mark.parametrize(
        ("words", "kind"),
        [
            ("STOP STOPALL UNSUBSCRIBE CANCEL END QUIT REVOKE OPTOUT", "STOP"),
            ("START UNSTOP YES", "START"),
            ("HELP INFO", "HELP"),
        ],
    )
    def test_words_that_twilio_acts_upon(self, words: str, kind: str) -> None:
        for word in words.split():
            assert text(Body=f" {word.lower()}\n").raw["opt_out"] == kind

    @pytest.mark.parametrize("body", ["Stop it", "yes please", "", "stopped"])
    def test_other_words(self, body: str) -> None:
        assert "opt_out" not in text(Body=body).raw

    def test_what_advanced_opt_out_found_counts_whatever_the_word(self) -> None:
        got = text(Body="ARRET", OptOutType="STOP")
        assert (got.raw["opt_out"], got.raw["OptOutType"]) == ("STOP", "STOP")

    @pytest.mark.parametrize("missing", ["From", "To"])
    def test_what_lacks_the_essentials_is_not_readable(self, missing: str) -> None:
        fields = {name: value for name, value in INCOMING.items() if name != missing}
        with pytest.raises(InvalidWebhook, match=missing):
            BACKEND.parse_incoming(request(fields))

    def test_something_between_two_numbers_is_not_yet_a_text(self) -> None:
        fields = {"From": "+447700900123", "To": "+15550100001", "CallSid": "CA1"}
        with pytest.raises(InvalidWebhook, match="neither Body nor NumMedia"):
            BACKEND.parse_incoming(request(fields))


class TestTheOtherAddress:
    def test_a_text_at_the_address_for_reports(self) -> None:
        with pytest.raises(Misdirected):
            BACKEND.parse_callback(request(INCOMING))
        fields = {name: value for name, value in INCOMING.items() if name != "SmsStatus"}
        with pytest.raises(Misdirected):
            BACKEND.parse_callback(request(fields))

    @pytest.mark.parametrize("word", ["sent", "delivered", "failed", "teleported"])
    def test_a_report_at_the_address_for_texts(self, word: str) -> None:
        fields = {**CALLBACK, "MessageStatus": word, "SmsStatus": word}
        with pytest.raises(Misdirected):
            BACKEND.parse_incoming(request(fields))


def test_the_answer_says_that_there_is_no_reply() -> None:
    assert BACKEND.webhook_answer == ("text/xml", "<Response/>")


@given(
    st.dictionaries(
        st.sampled_from([*INCOMING, *CALLBACK, "ErrorCode", "OptOutType", "ErrorMessage"]),
        st.text(max_size=9)
        | st.sampled_from(["sent", "failed", "received", "30003", ACCOUNT_SID, SID, "STOP"]),
    ),
    st.sampled_from(["GET", "POST"]),
)
def test_whatever_comes_is_read_or_refused(fields: dict[str, str], method: str) -> None:
    fields = {name: value for name, value in fields.items() if value.isprintable()}
    for parse in (BACKEND.parse_callback, BACKEND.parse_incoming):
        values: list[list[Any]] = []
        try:
            values = [parse(request(fields, method=method)) for _ in range(2)]
        except InvalidWebhook:
            continue
        assert values[0] == values[1]
