"""Incoming texts: one text, one message, whatever the order and number of its parts."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.core import serializers
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections
from django.db.models.signals import post_save
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from djsms import IncomingText, PartOf
from djsms.models import IncomingPart, TextMessage
from djsms.receiving.incoming import release_parts, take_text
from djsms.tidying import tidy

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("database"),
]
committed = pytest.mark.django_db(transaction=True, databases="__all__")

FRM, TO = "+447700900001", "+447700900002"


def part(number: int, text: str, *, total: int = 3, ref: str = "9", name: str = "id") -> dict:
    return {
        "frm": FRM,
        "to": TO,
        "text": text,
        "provider_id": f"{name}-{number}",
        "part": {"ref": ref, "number": number, "total": total},
    }


def texts() -> list[str]:
    return list(TextMessage.objects.order_by("pk").values_list("text", flat=True))


def age_parts(minutes: int) -> None:
    IncomingPart.objects.update(created_on=timezone.now() - timedelta(minutes=minutes))


@contextmanager
def refusing(is_refused: Callable[[TextMessage], bool] = lambda message: True) -> Iterator[list]:
    """Receivers that raise for some messages; yields how often they did."""
    tries: list[str] = []

    def refuse(instance, **kwargs):
        if is_refused(instance):
            tries.append(instance.text)
            raise RuntimeError("no")

    post_save.connect(refuse, sender=TextMessage)
    try:
        yield tries
    finally:
        post_save.disconnect(refuse, sender=TextMessage)


def refusing_incomplete_ones() -> AbstractContextManager[list]:
    return refusing(lambda message: message.incomplete)


class TestWholeTexts:
    def test_a_text_is_stored_as_it_came(self, provider):
        text = "  Hello,\n\tyou  "
        answer = provider.delivers(
            frm=FRM, to=TO, text=text, provider_id="a", received_on="2020-01-01T12:00:00Z"
        )
        assert (answer.status_code, answer.content) == (200, b"")
        message = TextMessage.objects.get()
        assert (message.text, message.frm, message.to) == (text, FRM, TO)
        assert (message.direction, message.status) == ("incoming", "received")
        assert (message.account, message.backend, message.provider_id) == ("default", "memory", "a")
        assert message.received_on == datetime(2020, 1, 1, 12, tzinfo=UTC)

    def test_receivers_are_told_of_a_new_message(self, provider):
        heard = []

        def hear(instance, created, **kwargs):
            heard.append((created, instance.direction, instance.text))

        post_save.connect(hear, sender=TextMessage)
        try:
            provider.delivers(frm=FRM, to=TO, text="Hi", provider_id="a")
            provider.delivers(frm=FRM, to=TO, text="Hi", provider_id="a")
        finally:
            post_save.disconnect(hear, sender=TextMessage)
        assert heard == [(True, "incoming", "Hi")]

    def test_a_repeat_is_answered_well_and_stored_once(self, provider):
        for _ in range(3):
            answer = provider.delivers(frm=FRM, to=TO, text="Hi", provider_id="a")
            assert answer.status_code == 200
        assert texts() == ["Hi"]

    def test_the_same_id_in_another_account_is_another_text(self, provider, settings):
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
        provider.delivers(frm=FRM, to=TO, text="Hi", provider_id="a")
        provider.delivers("alerts", frm=FRM, to=TO, text="Ho", provider_id="a")
        accounts = TextMessage.objects.order_by("pk").values_list("text", "account")
        assert list(accounts) == [("Hi", "default"), ("Ho", "alerts")]

    @pytest.mark.parametrize("other", [{"text": "Ho"}, {"frm": "+447700900009"}], ids=str)
    def test_another_text_under_a_known_id_is_another_text(self, provider, other):
        # of a gateway that leaves its id out, or counts from 0 again after a restart
        for _ in range(2):
            provider.delivers(frm=FRM, to=TO, text="Hi", provider_id="0")
            provider.delivers(**{"frm": FRM, "to": TO, "text": "Hi", "provider_id": "0"} | other)
        assert len(texts()) == 2

    def test_ids_are_compared_to_the_letter(self, provider):
        provider.delivers(frm=FRM, to=TO, text="Hi", provider_id="a")
        provider.delivers(frm=FRM, to=TO, text="Ho", provider_id="A")
        assert texts() == ["Hi", "Ho"]

    def test_texts_without_an_id_are_all_stored(self, provider):
        for _ in range(2):
            provider.delivers(frm=FRM, to=TO, text="Hi")
        assert texts() == ["Hi", "Hi"]

    def test_an_empty_text_is_a_text(self, provider):
        provider.delivers(frm=FRM, to=TO, text="", provider_id="a")
        assert texts() == [""]

    def test_nul_is_taken_out_and_half_a_character_replaced(self, provider):
        provider.delivers(frm=FRM, to=TO, text="a\0b\ud800c", provider_id="\0a")
        assert texts() == ["ab\ufffdc"]

    def test_a_sender_longer_than_any_number_is_stored_shortened(self, provider):
        assert provider.delivers(frm="x" * 10_000, to=TO, text="Hi").status_code == 200
        assert len(TextMessage.objects.get().frm) == 64

    def test_if_a_receiver_raises_nothing_is_stored_and_the_provider_comes_again(self, provider):
        def refuse(**kwargs):
            raise RuntimeError("no")

        post_save.connect(refuse, sender=TextMessage)
        try:
            answer = provider.delivers(frm=FRM, to=TO, text="Hi", provider_id="a")
        finally:
            post_save.disconnect(refuse, sender=TextMessage)
        assert answer.status_code == 500
        assert texts() == []
        provider.delivers(frm=FRM, to=TO, text="Hi", provider_id="a")
        assert texts() == ["Hi"]

    def test_a_receivers_own_integrity_error_is_no_repeat(self, provider):
        def refuse(instance, **kwargs):
            TextMessage.objects.filter(pk=instance.pk).update(direction="incoming")
            TextMessage(ref=instance.ref).save_base(raw=True, force_insert=True)

        post_save.connect(refuse, sender=TextMessage, weak=False)
        try:
            answer = provider.delivers(frm=FRM, to=TO, text="Hi", provider_id="a")
        finally:
            post_save.disconnect(refuse, sender=TextMessage)
        assert answer.status_code == 500

    @committed
    def test_of_many_repeats_at_once_one_is_stored(self, provider):
        at_once(
            *[partial(provider.delivers, frm=FRM, to=TO, text="Hi", provider_id="a")] * 8,
        )
        assert texts() == ["Hi"]


def at_once(*calls) -> list:
    answers = []

    def run(call):
        try:
            answers.append(call())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * len(calls)
    return answers


class TestParts:
    def test_nothing_is_handed_on_before_the_last_part(self, provider):
        provider.delivers(**part(1, "a"))
        provider.delivers(**part(3, "c"))
        assert texts() == []

    def test_parts_are_joined_in_the_order_of_their_numbers(self, provider):
        for number, text in ((3, " c "), (1, "a"), (2, "b\n")):
            provider.delivers(**part(number, text))
        message = TextMessage.objects.get()
        assert (message.text, message.parts, message.incomplete) == ("ab\n c ", 3, False)
        assert message.provider_id == "id-1"

    def test_the_whole_has_the_facts_of_its_first_part(self, provider, settings):
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
        for number in (2, 1):
            received_on = f"2020-01-01T12:00:0{number}Z"
            provider.delivers("alerts", **part(number, "x", total=2), received_on=received_on)
        message = TextMessage.objects.get()
        assert (message.account, message.backend) == ("alerts", "memory")
        assert (message.frm, message.to) == (FRM, TO)
        assert message.received_on == datetime(2020, 1, 1, 12, 0, 1, tzinfo=UTC)

    def test_one_that_was_stored_twice_at_once_joins_with_its_repeat(self, provider):
        last = part(1, "a", total=2) | {"provider_id": ""}
        provider.delivers(**last)
        twin = IncomingPart.objects.get()
        twin.pk = None
        twin.save()
        # Of both that came with it nobody has lived to look for the others.
        other = IncomingPart.objects.get(pk=twin.pk)
        other.pk, other.number, other.text = None, 2, "b"
        other.save()
        provider.delivers(**last)
        assert texts() == ["ab"]

    def test_repeated_parts_count_once_before_and_after_the_join(self, provider):
        for number in (2, 2, 3, 2, 1, 3, 1, 2):
            provider.delivers(**part(number, "abc"[number - 1]))
        assert texts() == ["abc"]

    def test_parts_that_share_one_id_are_told_apart_by_their_number(self, provider):
        for number in (1, 2, 3, 1, 2):
            provider.delivers(**part(number, "abc"[number - 1]) | {"provider_id": "same"})
        assert texts() == ["abc"]

    def test_another_part_under_a_known_id_is_another_part(self, provider):
        for name in ("old ", "new ") * 2:
            for number in (1, 2):
                provider.delivers(**part(number, name, total=2) | {"provider_id": "0"})
        assert texts() == ["old old ", "new new "]

    def test_parts_of_two_senders_under_one_id_do_not_mix(self, provider):
        for frm in ("+447700900003", "+447700900004"):
            for number in (1, 2):
                provider.delivers(**part(number, "x", total=2) | {"provider_id": "0", "frm": frm})
        assert texts() == ["xx", "xx"]

    def test_repeats_of_parts_without_any_id_count_once(self, provider):
        for number in (1, 1, 2, 3, 2, 1):
            provider.delivers(**part(number, "abc"[number - 1]) | {"provider_id": ""})
        assert texts() == ["abc"]

    def test_a_text_of_one_part_is_whole(self, provider):
        provider.delivers(**part(1, "a", total=1))
        assert texts() == ["a"]
        assert not IncomingPart.objects.exists()

    def test_parts_of_different_texts_do_not_mix(self, provider):
        for number in (1, 2, 3):
            for ref in ("7", "8"):
                provider.delivers(**part(number, f"{ref}{number} ", ref=ref, name=ref))
        assert texts() == ["71 72 73 ", "81 82 83 "]

    def test_parts_from_different_senders_do_not_mix(self, provider):
        for number in (1, 2, 3):
            for frm in ("+447700900003", "+447700900004"):
                provider.delivers(**part(number, "x", name=frm) | {"frm": frm})
        assert texts() == ["xxx", "xxx"]

    def test_a_reference_may_be_used_again_after_a_join(self, provider):
        for name in ("first", "second"):
            for number in (1, 2, 3):
                provider.delivers(**part(number, f"{name} ", name=name))
        assert texts() == ["first first first ", "second second second "]

    def test_a_reference_used_again_before_a_join_releases_what_came_of_the_first(self, provider):
        provider.delivers(**part(1, "old ", name="old"))
        provider.delivers(**part(3, "text", name="old"))
        for number in (1, 2, 3):
            provider.delivers(**part(number, "new ", name="new"))
        assert texts() == ["old text", "new new new "]
        assert list(TextMessage.objects.order_by("pk").values_list("incomplete", flat=True)) == [
            True,
            False,
        ]

    def test_an_emoji_torn_between_two_parts_is_whole_again(self, provider):
        provider.delivers(**part(2, "\ude00!", total=2))
        provider.delivers(**part(1, "Hi \ud83d", total=2))
        assert texts() == ["Hi 😀!"]

    def test_if_a_receiver_raises_at_the_join_the_repeat_joins(self, provider):
        def refuse(**kwargs):
            raise RuntimeError("no")

        provider.delivers(**part(1, "a", total=2))
        post_save.connect(refuse, sender=TextMessage)
        try:
            assert provider.delivers(**part(2, "b", total=2)).status_code == 500
        finally:
            post_save.disconnect(refuse, sender=TextMessage)
        assert texts() == []
        assert provider.delivers(**part(2, "b", total=2)).status_code == 200
        assert texts() == ["ab"]

    @committed
    def test_all_parts_at_the_same_time(self, provider):
        for run in range(4):
            parts = [part(n, f"{n}", total=5, ref=f"{run}", name=f"{run}") for n in range(1, 6)]
            at_once(*(partial(provider.delivers, **one) for one in parts + parts[:2]))
        assert texts() == ["12345"] * 4


class TestHalfACharacter:
    """What waits in a form that only its other half completes is readable for everybody else."""

    @pytest.fixture(autouse=True)
    def torn(self, database, provider):
        provider.delivers(**part(1, "Hi \ud83d", total=2))

    def test_is_shown_as_what_no_one_can_read(self):
        assert IncomingPart.objects.get().text == "Hi \ufffd"

    def test_can_be_written_as_json(self):
        (row,) = IncomingPart.objects.values()
        assert "Hi \ufffd" in json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False)

    @pytest.mark.parametrize("form", ["json", "jsonl", "yaml", "xml"])
    def test_is_whole_again_after_a_dump_and_a_load(self, provider, form):
        dumped = serializers.serialize(form, IncomingPart.objects.all())
        IncomingPart.objects.all().delete()
        for row in serializers.deserialize(form, dumped.encode().decode()):
            row.save()
        provider.delivers(**part(2, "\ude00!", total=2))
        assert texts() == ["Hi 😀!"]

    def test_alone_is_released_as_what_no_one_can_read(self):
        age_parts(minutes=31)
        release_parts()
        assert texts() == ["Hi \ufffd"]

    def test_that_comes_twice_without_an_id_counts_once(self, provider):
        for number, text in ((1, "a\ud83d"), (1, "a\ud83d"), (2, "\ude00"), (2, "\ude00")):
            provider.delivers(**part(number, text, total=2, ref="other") | {"provider_id": ""})
        assert texts() == ["a😀"]


class TestMissingParts:
    def test_after_the_timeout_the_next_incoming_request_releases_what_came(self, provider):
        provider.delivers(**part(1, "a"))
        provider.delivers(**part(3, "c"))
        age_parts(minutes=31)
        provider.delivers(frm=FRM, to=TO, text="Hi", provider_id="other")
        assert texts() == ["Hi", "ac"]
        assert TextMessage.objects.get(text="ac").incomplete

    def test_before_the_timeout_they_wait(self, provider):
        provider.delivers(**part(1, "a"))
        age_parts(minutes=29)
        provider.delivers(frm=FRM, to=TO, text="Hi", provider_id="other")
        assert texts() == ["Hi"]

    def test_the_timeout_is_a_setting(self, provider, settings):
        settings.DJSMS_PARTS_TIMEOUT = timedelta(minutes=1)
        provider.delivers(**part(1, "a"))
        age_parts(minutes=2)
        assert release_parts() == 1

    def test_joined_ones_take_the_place_of_none(self, provider):
        for number in (1, 2, 3):
            provider.delivers(**part(number, "x", ref="8", name="joined"))
        age_parts(minutes=33)
        provider.delivers(**part(1, "a"))
        IncomingPart.objects.filter(message=None).update(
            created_on=timezone.now() - timedelta(minutes=31)
        )
        assert release_parts(1) == 1

    def test_tidying_releases_them_once(self, provider):
        provider.delivers(**part(1, "a"))
        age_parts(minutes=31)
        assert tidy().released == 1
        assert tidy().released == 0
        assert texts() == ["a"]

    def test_a_receiver_that_raises_for_a_late_text_does_not_spoil_the_next_one(self, provider):
        provider.delivers(**part(1, "a"))
        age_parts(minutes=31)
        with refusing_incomplete_ones():
            assert provider.delivers(frm=FRM, to=TO, text="Hi").status_code == 200
        assert texts() == ["Hi"]
        IncomingPart.objects.update(next_try_on=timezone.now())
        assert tidy().released == 1

    def test_a_late_text_that_failed_its_turn_waits_for_another(self, provider):
        for ref in ("1", "2", "3"):
            provider.delivers(**part(1, "a", ref=ref))
        age_parts(minutes=31)
        with refusing_incomplete_ones() as tries:
            for _ in range(5):
                provider.delivers(frm=FRM, to=TO, text="Hi")
            tidy()
        assert len(tries) == 3
        waits = {row.next_try_on - timezone.now() for row in IncomingPart.objects.all()}
        assert all(timedelta(minutes=30) < wait < timedelta(minutes=32) for wait in waits)

    def test_it_waits_an_hour_at_most(self, provider):
        provider.delivers(**part(1, "a"))
        age_parts(minutes=60 * 24)
        with refusing_incomplete_ones():
            tidy()
        row = IncomingPart.objects.get()
        assert timedelta(minutes=59) < row.next_try_on - timezone.now() <= timedelta(hours=1)

    def test_it_spoils_no_part_that_comes_later(self, provider):
        provider.delivers(**part(1, "late "))
        age_parts(minutes=31)
        with refusing_incomplete_ones() as tries:
            for number in (1, 2, 3):
                answer = provider.delivers(**part(number, "new ", name="new"))
                assert answer.status_code == 200
        assert len(tries) == 1
        assert texts() == ["new new new "]

    def test_if_all_came_and_a_receiver_raised_they_are_released_whole(self, provider):
        provider.delivers(**part(1, "a", total=2))
        with refusing():
            assert provider.delivers(**part(2, "b", total=2)).status_code == 500
        age_parts(minutes=31)
        assert provider.delivers(**part(2, "b", total=2)).status_code == 200
        assert texts() == ["ab"]
        assert not TextMessage.objects.get().incomplete

    def test_joined_parts_are_kept_a_week_to_recognise_repeats(self, provider):
        for number in (1, 2, 3):
            provider.delivers(**part(number, "x"))
        age_parts(minutes=60 * 24 * 6)
        assert tidy().parts == 0
        age_parts(minutes=60 * 24 * 8)
        assert tidy().parts == 3
        assert texts() == ["xxx"]


@hypothesis_settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    wholes=st.lists(
        st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=2), max_size=3
    ),
    seed=st.integers(),
)
def test_whatever_the_order_and_repeats_each_text_is_stored_once_and_whole(wholes, seed):
    TextMessage.objects.all().delete()
    chance = random.Random(seed)
    requests = []
    for number, whole in enumerate(wholes):
        units = whole.encode("utf-16-le", "surrogatepass")
        size = max(2, len(units) // 3 // 2 * 2)
        pieces = [units[i : i + size] for i in range(0, len(units), size)]
        for place, piece in enumerate(pieces, start=1):
            text = IncomingText(
                frm=FRM,
                to=TO,
                text=piece.decode("utf-16-le", "surrogatepass"),
                provider_id=f"{seed}-{number}-{place}",
                part=PartOf(ref=f"{seed}-{number}", number=place, total=len(pieces)),
            )
            requests += [text] * chance.randint(1, 3)
    chance.shuffle(requests)
    for text in requests:
        take_text("default", "memory", text)
    assert sorted(texts()) == sorted(wholes)
