"""``send_texts``: many messages, read lazily, each row before its call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db.models.signals import post_save

from djsms import SendResult, enqueue_text, send_texts
from djsms.exceptions import InvalidNumber, Refused
from djsms.models import TextMessage

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("database"),
]

FRM, TO = "+447700900001", "+447700900002"


def test_the_messages_are_returned_in_order(provider):
    sent = send_texts([(f"text {number}", FRM, TO) for number in range(5)])
    assert [message.text for message in sent] == [f"text {number}" for number in range(5)]
    assert {message.status for message in sent} == {"sending"}
    assert [message.text for message in provider.sent] == [message.text for message in sent]


def test_dictionaries_take_all_arguments_of_send_text(provider, settings):
    settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
    (message,) = send_texts(
        [
            {
                "text": "Hi",
                "frm": FRM,
                "to": TO,
                "using": "alerts",
                "status_report": True,
                "extra": {"ttl": 5},
                "key": "k",
                "fail_silently": False,
            }
        ]
    )
    assert (message.account, message.status_report, message.key) == ("alerts", True, "k")
    assert provider.sent[0].extra == {"ttl": 5}


def test_none_are_none(provider):
    assert send_texts([]) == []


def test_they_are_read_lazily(provider):
    read = []

    def messages():
        for number in range(250):
            read.append(number)
            yield ("Hi", FRM, TO)

    def answer(message):
        assert len(read) - len(provider.sent) < 100
        return SendResult.accepted(message.ref)

    provider.answer = answer
    assert len(send_texts(messages())) == 250
    assert {m.status for m in TextMessage.objects.all()} == {"sending"}


def test_rows_of_a_lot_are_not_attempted_before_their_turn(provider):
    waiting = []

    def answer(message):
        waiting.append(TextMessage.objects.filter(attempted_on=None).count())
        return SendResult.accepted(message.ref)

    provider.answer = answer
    send_texts([("Hi", FRM, TO)] * 3)
    assert waiting == [2, 1, 0]


def test_a_failure_is_on_its_row_and_the_others_go_on(provider):
    def answer(message):
        if message.text == "b":
            raise Refused("no", code="7")
        return SendResult.accepted(message.ref)

    provider.answer = answer
    sent = send_texts([(text, FRM, TO) for text in "abc"])
    assert [message.status for message in sent] == ["sending", "refused", "sending"]


def test_a_failure_that_is_raised_ends_it_and_the_rest_stays_unattempted(provider):
    def answer(message):
        if message.text == "b":
            raise Refused("no", code="7")
        return SendResult.accepted(message.ref)

    provider.answer = answer
    with pytest.raises(Refused) as caught:
        send_texts([(text, FRM, TO) for text in "abcd"], fail_silently=False)
    assert caught.value.__notes__ == ["Messages of this call to send_texts dealt with before: 1."]
    rows = TextMessage.objects.order_by("pk")
    assert [(row.text, row.status, row.attempted_on is None) for row in rows] == [
        ("a", "sending", False),
        ("b", "refused", False),
        ("c", "created", True),
        ("d", "created", True),
    ]
    assert [message.text for message in provider.sent] == ["a", "b"]


def test_a_wrong_number_is_refused_and_the_others_go_on(provider):
    sent = send_texts([("a", FRM, TO), ("b", FRM, "nobody"), ("c", FRM, TO)])
    assert [(message.status, message.error_kind) for message in sent] == [
        ("sending", ""),
        ("refused", "InvalidNumber"),
        ("sending", ""),
    ]
    assert [message.text for message in provider.sent] == ["a", "c"]


def test_a_wrong_number_is_raised_when_asked_for_after_those_before_it_were_sent(provider):
    with pytest.raises(InvalidNumber) as caught:
        send_texts([("a", FRM, TO), ("b", FRM, "nobody"), ("c", FRM, TO)], fail_silently=False)
    assert "It is about the message at index 1." in caught.value.__notes__
    assert [message.text for message in provider.sent] == ["a"]
    assert TextMessage.objects.count() == 1


def test_an_iterator_that_fails_is_raised_after_those_before_it_were_sent(provider):
    def messages():
        yield ("a", FRM, TO)
        raise OSError("the file is gone")

    with pytest.raises(OSError, match="gone"):
        send_texts(messages())
    assert [message.text for message in provider.sent] == ["a"]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (("Hi", FRM), "a tuple"),
        ("Hi", "a tuple"),
        (7, "a tuple"),
        ({"text": "Hi", "frm": FRM}, "'to' is missing"),
        ({"text": "Hi", "frm": FRM, "to": TO, "colour": "red"}, "'colour'"),
        ({"text": "Hi", "from": FRM, "to": TO}, "no argument 'from'. Did you mean 'frm'"),
        ({"text": "Hi", "sender": FRM, "to": TO}, "no argument 'sender'. Did you mean 'frm'"),
        ({"txt": "Hi", "frm": FRM, "to": TO}, "no argument 'txt'. Did you mean 'text'"),
        ({"text": "Hi", "frm": FRM, "to": TO, "concurrency": 3}, "'concurrency'"),
        ({"text": "Hi", "frm": FRM, "to": TO, "status_report": None}, "status_report"),
        (("Hi", FRM, 447700900002), "to must be"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("fail_silently", [True, False])
def test_what_is_no_message_is_told_with_its_index_before_its_lot_is_stored(
    provider, item, words, fail_silently
):
    with pytest.raises(TypeError, match=f"index 1.*{words}"):
        send_texts([("a", FRM, TO), item], fail_silently=fail_silently)
    assert provider.sent == []
    assert not TextMessage.objects.exists()


@pytest.mark.parametrize("messages", [None, 7], ids=repr)
def test_what_is_no_iterable_is_told(provider, messages):
    with pytest.raises(TypeError, match="messages"):
        send_texts(messages)


def test_a_key_used_before_sends_nothing(provider):
    messages = [{"text": "first", "frm": FRM, "to": TO, "key": "k"}] * 2
    first, again = send_texts(messages)
    assert first is again
    assert again.status == "sending"
    assert len(provider.sent) == 1


def test_a_constant_key_in_a_loop_does_not_swallow_texts(provider):
    messages = [{"text": text, "frm": FRM, "to": TO, "key": "k"} for text in "abc"]
    sent = send_texts(messages)
    assert [(message.status, message.error_kind, message.key) for message in sent] == [
        ("sending", "", "k"),
        ("refused", "KeyReused", None),
        ("refused", "KeyReused", None),
    ]


def test_receivers_hear_of_each_new_row(provider):
    heard = []

    def hear(instance, created, **kwargs):
        heard.append((instance.text, created))

    post_save.connect(hear, sender=TextMessage)
    try:
        send_texts([("a", FRM, TO), ("b", FRM, TO)])
    finally:
        post_save.disconnect(hear, sender=TextMessage)
    assert heard[:2] == [("a", True), ("b", True)]
    assert sorted(heard[2:]) == [("a", False), ("b", False)]


def test_a_text_that_waited_waits_on_if_its_call_cannot_begin(provider, monkeypatch):
    waiting = enqueue_text("Hi", FRM, TO, key="order-1")

    def fail(*args):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(ThreadPoolExecutor, "submit", fail)
    with pytest.raises(RuntimeError):
        send_texts([{"text": "Hi", "frm": FRM, "to": TO, "key": "order-1"}], concurrency=2)
    row = TextMessage.objects.get()
    assert (row.due_on, row.attempted_on, row.attempts) == (waiting.due_on, None, 0)
