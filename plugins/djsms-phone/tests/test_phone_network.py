"""How a phone's network behaves, and what the application hears of it by its real webhooks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from djsms import Status, send_text
from djsms.exceptions import (
    OutcomeUnknown,
    RecipientBlocked,
    SendError,
    TemporarilyUnavailable,
    Throttled,
)
from djsms.models import TextMessage
from djsms_phone import network
from djsms_phone.behaviours import EXPLANATIONS, Behaviour
from djsms_phone.models import Call, Handset
from djsms_phone.playground import Playground

pytestmark = pytest.mark.django_db(transaction=True)

SHOP, SAM = "+447700900100", "+447700900123"
LONG = "Where shall we meet? " * 20


def send(text: str = "Your table is ready.", **options: Any) -> TextMessage:
    return send_text(text, SHOP, SAM, status_report=True, **options)


def story(message: TextMessage) -> list[str]:
    return [event.status.value for event in message.events.order_by("pk")]


def status(message: TextMessage) -> Status:
    message.refresh_from_db()
    return Status(message.status)


class TestAText:
    def test_is_delivered_and_reported(self, phone_network: Playground) -> None:
        message = send()
        assert status(message) is Status.SENDING
        phone_network.play()
        assert status(message) is Status.DELIVERED
        assert story(message) == ["sending", "sent", "delivered"]

    def test_is_reported_only_where_that_is_asked_for(self, phone_network: Playground) -> None:
        message = send_text("Hi", SHOP, SAM)
        assert phone_network.play() == []
        assert status(message) is Status.SENDING

    def test_is_reported_when_its_time_has_come(self, phone_network: Playground) -> None:
        phone_network.behave("slow")
        message = send()
        assert phone_network.play(2) == []
        phone_network.play(4)
        assert status(message) is Status.SENT
        phone_network.play(21)
        assert status(message) is Status.DELIVERED

    def test_of_several_segments_is_reported_part_by_part(self, phone_network: Playground) -> None:
        message = send(LONG)
        assert message.parts == message.segments == 3
        assert len(phone_network.play()) == 6
        assert status(message) is Status.DELIVERED
        assert message.price == 3 * network.PRICE

    def test_makes_a_phone_of_its_number(self, phone_network: Playground) -> None:
        send()
        send()
        assert [handset.number for handset in Handset.objects.all()] == [SAM]
        assert phone_network.phone(SAM).texts == ["Your table is ready."] * 2


class TestTheNetwork:
    @pytest.mark.parametrize("behaviour", Behaviour)
    def test_explains_how_it_behaves(self, behaviour: Behaviour) -> None:
        assert EXPLANATIONS[behaviour]

    @pytest.mark.parametrize(
        ("behaviour", "raised", "becomes"),
        [
            (Behaviour.BLOCKED, RecipientBlocked, Status.REFUSED),
            (Behaviour.DOWN, TemporarilyUnavailable, Status.FAILED),
            (Behaviour.THROTTLES, Throttled, Status.FAILED),
        ],
    )
    def test_turns_texts_away(
        self,
        phone_network: Playground,
        behaviour: Behaviour,
        raised: type[SendError],
        becomes: Status,
    ) -> None:
        phone_network.behave(behaviour)
        with pytest.raises(raised):
            send(fail_silently=False)
        message = TextMessage.objects.get()
        assert phone_network.play() == []
        assert status(message) is becomes
        assert phone_network.phone(SAM).texts == []

    def test_says_when_a_throttled_text_may_come_again(self, phone_network: Playground) -> None:
        phone_network.behave("throttles")
        with pytest.raises(Throttled) as caught:
            send(fail_silently=False)
        assert caught.value.retry_after == 5

    def test_breaks_off_after_taking_and_a_report_settles_it(
        self, phone_network: Playground
    ) -> None:
        phone_network.behave("breaks")
        with pytest.raises(OutcomeUnknown):
            send(LONG, fail_silently=False)
        message = TextMessage.objects.get()
        assert status(message) is Status.UNKNOWN
        phone_network.play()
        assert status(message) is Status.DELIVERED

    def test_lets_the_carrier_reject(self, phone_network: Playground) -> None:
        phone_network.behave("rejects")
        message = send()
        phone_network.play()
        assert status(message) is Status.REJECTED
        assert message.error_text == "Refused by the carrier"

    def test_delivers_without_a_word(self, phone_network: Playground) -> None:
        phone_network.behave("silent")
        message = send()
        assert phone_network.play() == []
        assert phone_network.phone(SAM).texts == [message.text]

    def test_reports_twice_and_the_last_first(self, phone_network: Playground) -> None:
        phone_network.behave("twice")
        message = send()
        told = [call.status for call in phone_network.play()]
        assert told == ["delivered", "sent", "delivered", "sent"]
        assert status(message) is Status.DELIVERED
        assert story(message) == ["sending", "delivered", "sent"]

    def test_may_behave_otherwise_for_the_next_text_alone(self, phone_network: Playground) -> None:
        phone_network.phone(SAM).behave("blocked", next_only=True)
        assert [send().status for _ in range(2)] == [Status.REFUSED, Status.SENDING]

    def test_of_one_phone_is_not_that_of_another(self, phone_network: Playground) -> None:
        phone_network.phone(SAM).behave("blocked")
        assert send_text("Hi", SHOP, "+447700900124").status is Status.SENDING

    def test_of_all_phones_is_that_of_those_to_come(self, phone_network: Playground) -> None:
        phone_network.phone(SAM)
        phone_network.behave("blocked")
        there, to_come = send(), send_text("Hi", SHOP, "+447700900124")
        assert [there.status, to_come.status] == [Status.REFUSED, Status.REFUSED]


class TestAPhoneThatIsOff:
    def test_lets_a_text_expire(self, phone_network: Playground) -> None:
        phone_network.behave("off")
        message = send()
        phone_network.play()
        assert status(message) is Status.EXPIRED

    def test_not_later_than_the_text_is_worth_something(self, phone_network: Playground) -> None:
        phone_network.behave("off")
        message = send(expires=timezone.now() + timedelta(seconds=30))
        phone_network.play(31)
        assert status(message) is Status.EXPIRED

    def test_gets_its_texts_once_it_is_on(self, phone_network: Playground) -> None:
        phone_network.behave("off")
        message = send()
        phone_network.play(5)
        phone_network.phone(SAM).behave("delivers")
        phone_network.play()
        assert story(message) == ["sending", "sent", "delivered"]

    def test_does_not_get_what_was_on_its_way(self, phone_network: Playground) -> None:
        message = send()
        phone_network.phone(SAM).behave("off")
        phone_network.play(5)
        assert status(message) is Status.SENT

    def test_writes_nothing(self, phone_network: Playground) -> None:
        phone_network.phone(SAM).behave("off")
        with pytest.raises(network.SwitchedOff):
            phone_network.phone(SAM).reply("Hi", to=SHOP)


class TestAReply:
    def test_comes_in_by_the_webhook(self, phone_network: Playground) -> None:
        send()
        [call] = phone_network.phone(SAM).reply("On my way 🚲")
        assert call.answer == 200
        reply = TextMessage.objects.get(direction="incoming")
        assert (reply.frm, reply.to, reply.text) == (SAM, SHOP, "On my way 🚲")

    def test_that_is_long_comes_in_parts_and_is_whole(self, phone_network: Playground) -> None:
        assert len(phone_network.phone(SAM).reply(LONG + "🚲", to=SHOP)) == 7
        assert TextMessage.objects.get(direction="incoming").text == LONG + "🚲"

    def test_that_comes_twice_and_backwards_is_one(self, phone_network: Playground) -> None:
        phone_network.behave("twice")
        phone_network.phone(SAM).behave("twice")
        calls = phone_network.phone(SAM).reply(LONG, to=SHOP)
        assert [call.body["part"]["number"] for call in calls] == [3, 2, 1, 3, 2, 1]
        assert TextMessage.objects.get(direction="incoming").text == LONG


class TestACall:
    def test_that_fails_comes_again_and_in_the_end_no_more(
        self, phone_network: Playground, settings: Any
    ) -> None:
        send()
        settings.DJSMS_BACKEND = "dummy"
        made = phone_network.play()
        assert [call.answer for call in made] == [404] * 12
        assert [call.tries for call in made if call.status == "sent"] == [0, 1, 2, 3, 4, 5]

    def test_to_an_account_that_is_gone_is_told_as_a_problem(
        self, phone_network: Playground, settings: Any
    ) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "phone"}}
        send(using="alerts")
        settings.DJSMS_ACCOUNTS = {}
        assert "AccountNotFound" in phone_network.play(1)[0].problem

    def test_needs_no_base_url(self, phone_network: Playground, settings: Any) -> None:
        del settings.DJSMS_BASE_URL
        message = send()
        phone_network.play()
        assert status(message) is Status.DELIVERED

    def test_is_not_kept_for_a_text_that_nobody_stored(self) -> None:
        from djsms import OutgoingText
        from djsms_phone.backend import PhoneBackend

        PhoneBackend().send(
            OutgoingText(ref="0" * 32, text="Hi", frm=SHOP, to=SAM, status_report=True)
        )
        assert not Call.objects.exists()
