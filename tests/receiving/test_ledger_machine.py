"""Sends, answers, reports, tidying and time in any order, held against a model of the rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F
from django.db.models.signals import post_save
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from djsms import SendResult, SentPart, Status, StatusReport, send_text
from djsms.exceptions import OutcomeUnknown, TemporarilyUnavailable
from djsms.models import StatusEvent, TextMessage
from djsms.receiving.reports import take_reports
from djsms.sending.outcomes import record_answer
from djsms.tidying import tidy

FRM, TO = "+447700900001", "+447700900002"
RANKS = ["created", "unknown", "sending", "sent", "failure", "delivered"]
FAILURES = ["rejected", "failed", "expired"]
SPOKEN = ["unknown", "sending", "sent", *FAILURES, "delivered"]


def rank(status: str) -> int:
    return RANKS.index("failure" if status in FAILURES else status)


@dataclass(frozen=True)
class Said:
    """A report, by what identifies it."""

    ref: str
    provider_id: str
    status: str
    code: str
    price: str | None
    currency: str

    def report(self) -> StatusReport:
        return StatusReport(
            ref=self.ref,
            provider_id=self.provider_id,
            status=Status(self.status),
            provider_status=self.status,
            error_code=self.code,
            price=None if self.price is None else Decimal(self.price),
            currency=self.currency,
        )


@dataclass
class Text:
    """What the rules make of one text."""

    ref: str
    segments: int
    splits: bool
    ids: list[str] = field(default_factory=list)
    prices: list[str | None] = field(default_factory=list)
    heard: list[tuple[int, Said]] = field(default_factory=list)
    waiting: list[tuple[int, Said]] = field(default_factory=list)
    status: str = "created"
    code: str = ""
    price: Decimal | None = None
    currency: str = ""

    def names(self) -> list[str]:
        if self.ids or self.segments == 1 or not self.splits:
            return self.ids or [""]
        named = list(dict.fromkeys(said.provider_id for _, said in self.heard if said.provider_id))
        return named + [""] * (self.segments - len(named))

    def hears(self, number: int, said: Said) -> None:
        if self.status == "created" and not self.ids and self.segments > 1:
            self.waiting.append((number, said))
        else:
            self.heard.append((number, said))
            self.weigh()

    def is_answered(self, ids: list[str], prices: list[str | None]) -> None:
        self.ids, self.prices = ids, prices
        self.weigh()
        self.catch_up()

    def is_given_up(self, status: str, code: str = "") -> None:
        if rank(status) > rank(self.status):
            self.status, self.code = status, code
        self.catch_up()

    def catch_up(self) -> None:
        waiting, self.waiting = self.waiting, []
        for number, said in waiting:
            self.hears(number, said)

    def weigh(self) -> None:
        names = self.names()
        told = sorted(self.heard)
        ends: list[tuple[str, int, str]] = []
        for name in names:
            here = ("sending" if self.ids else "unknown", -1, "")
            for number, said in told:
                is_of_others = said.provider_id in names and said.provider_id != name
                if said.provider_id and is_of_others and len(names) > 1:
                    continue
                if rank(said.status) > rank(here[0]):
                    here = (said.status, number, said.code)
            ends.append(here)
        failed = sorted((end for end in ends if end[0] in FAILURES), key=lambda end: end[1])
        status, _, code = failed[0] if failed else min(ends, key=lambda end: rank(end[0]))
        if rank(status) > rank(self.status):
            self.status = status
            self.code = code if status in (*FAILURES, "unknown") else ""
        self.reckon(names, [said for _, said in told])

    def reckon(self, names: list[str], told: list[Said]) -> None:
        costs: dict[Any, tuple[str, str]] = {
            place: (price, "EUR") for place, price in enumerate(self.prices) if price is not None
        }
        for said in told:
            if said.price is not None:
                place: Any = "whole"
                if len(names) == 1:
                    place = 0
                elif said.provider_id in names:
                    place = names.index(said.provider_id) if said.provider_id else "whole"
                costs[place] = (said.price, said.currency)
        if not costs:
            return
        counted = [costs["whole"]] if "whole" in costs else list(costs.values())
        currencies = {currency for _, currency in counted}
        if len(currencies) > 1:
            self.price, self.currency = None, ""
        else:
            self.price, self.currency = sum(Decimal(p) for p, _ in counted), currencies.pop()


class Ledger(RuleBasedStateMachine):
    provider: Any  # the scripted one

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[Text] = []
        self.said: dict[Said, int] = {}
        self.told: list[str] = []
        self.answers = 0
        post_save.connect(self.hear, sender=TextMessage, weak=False, dispatch_uid="machine")

    def teardown(self) -> None:
        post_save.disconnect(sender=TextMessage, dispatch_uid="machine")
        TextMessage.objects.all().delete()
        StatusEvent.objects.all().delete()

    def hear(self, instance: TextMessage, **kwargs: Any) -> None:
        self.told.append(instance.ref)

    @initialize(splits=st.booleans())
    def begin(self, splits: bool) -> None:
        self.provider.splits_texts = splits

    # What happens.

    @rule(
        segments=st.sampled_from([1, 2, 2, 3]),
        outcome=st.sampled_from(["accepted", "accepted", "unknown", "unsent", "lost"]),
        data=st.data(),
    )
    def send(self, segments: int, outcome: str, data: Any) -> None:
        parts, prices = self.answer(segments, data)
        early = data.draw(st.integers(0, 2))

        def provider(message: Any) -> SendResult:
            text = Text(message.ref, segments, self.provider.splits_texts)
            self.texts.append(text)
            for _ in range(early):
                self.take([self.draw_report(text, parts, data)], text)
            if outcome == "unknown":
                raise OutcomeUnknown("timed out", code="u")
            if outcome == "unsent":
                raise TemporarilyUnavailable("no connection", code="t")
            return self.result(parts, prices)

        words = "x" * (100 if segments == 1 else 150 * segments)
        if outcome == "lost":
            # As a process leaves it that dies during the call.
            row = TextMessage.objects.create(
                frm=FRM, to=TO, text=words, segments=segments, attempted_on=timezone.now()
            )
            self.texts.append(Text(row.ref, segments, self.provider.splits_texts))
            return
        self.provider.answer = provider
        send_text(words, FRM, TO)
        text = self.texts[-1]
        if outcome == "accepted":
            text.is_answered(parts, prices)
        else:
            text.is_given_up(*{"unknown": ("unknown", "u"), "unsent": ("failed", "t")}[outcome])

    @precondition(lambda self: self.texts)
    @rule(data=st.data(), count=st.integers(1, 3))
    def report(self, data: Any, count: int) -> None:
        text = data.draw(st.sampled_from(self.texts[-3:]))
        self.take([self.draw_report(text, text.ids, data) for _ in range(count)], text)

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def repeat(self, data: Any) -> None:
        again = data.draw(st.lists(st.sampled_from(list(self.said)), min_size=1, max_size=3))
        self.told.clear()
        assert take_reports("default", [said.report() for said in again]) == 0
        assert self.told == []

    @precondition(lambda self: any(not text.ids for text in self.texts))
    @rule(data=st.data())
    def answer_late(self, data: Any) -> None:
        text = data.draw(st.sampled_from([text for text in self.texts if not text.ids]))
        parts, prices = self.answer(text.segments, data)
        record_answer(TextMessage.objects.get(ref=text.ref), self.result(parts, prices))
        text.is_answered(parts, prices)

    @rule()
    def wait(self) -> None:
        hour = timedelta(hours=1)
        TextMessage.objects.update(
            created_on=F("created_on") - hour, attempted_on=F("attempted_on") - hour
        )
        self.tidy()

    @rule()
    def tidy(self) -> None:
        lost = TextMessage.objects.filter(status="created").values_list("ref", flat=True)
        refs = set(lost)
        tidy()
        given_up = set(
            TextMessage.objects.filter(ref__in=refs)
            .exclude(status="created")
            .values_list("ref", flat=True)
        )
        for text in self.texts:
            if text.ref in given_up:
                text.is_given_up("unknown")
        self.told.clear()
        again = tidy()
        assert (again.unknown, again.failed, again.reports, self.told) == (0, 0, 0, [])

    # What must hold.

    @invariant()
    def rows_are_as_the_rules_say(self) -> None:
        for text in self.texts:
            row = TextMessage.objects.get(ref=text.ref)
            found = (row.status.value, row.error_code, row.price, row.currency)
            assert found == (text.status, text.code, text.price, text.currency)

    @invariant()
    def each_report_is_one_event(self) -> None:
        assert StatusEvent.objects.filter(source="report").count() == len(self.said)

    # How it is drawn.

    def answer(self, segments: int, data: Any) -> tuple[list[str], list[str | None]]:
        count = data.draw(st.sampled_from([segments, segments, 1]))
        ids = [
            f"{len(self.texts)}-{number}-{data.draw(st.integers(0, 9))}" for number in range(count)
        ]
        return ids, [data.draw(st.sampled_from([None, "0.01"])) for _ in ids]

    def result(self, ids: list[str], prices: list[str | None]) -> SendResult:
        return SendResult(
            parts=tuple(
                SentPart(provider_id=name, price=None if price is None else Decimal(price))
                for name, price in zip(ids, prices, strict=True)
            ),
            currency="EUR",
        )

    def draw_report(self, text: Text, ids: list[str], data: Any) -> Said:
        provider_id = data.draw(
            st.sampled_from(["", f"{text.ref[:8]}-a", f"{text.ref[:8]}-b", *ids])
        )
        status = data.draw(st.sampled_from(SPOKEN))
        price = data.draw(st.sampled_from([None, None, "0", "0.03", "0.05"]))
        return Said(
            ref=text.ref,
            provider_id=provider_id,
            status=status,
            code=data.draw(st.sampled_from(["", "1", "2"])) if status in FAILURES else "",
            price=price,
            currency="" if price is None else data.draw(st.sampled_from(["EUR", "EUR", "JPY"])),
        )

    def take(self, reports: list[Said], text: Text) -> None:
        take_reports("default", [said.report() for said in reports])
        for said in reports:
            if said not in self.said:
                self.said[said] = len(self.said)
                text.hears(self.said[said], said)


@pytest.fixture
def machine(provider, database, db):
    class Machine(Ledger):
        pass

    Machine.provider = provider
    return Machine


def run(machine: type[Ledger], examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=hypothesis_settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db(databases="__all__")
def test_the_ledger_follows_the_rules(machine):
    run(machine, examples=20, steps=20)


@pytest.mark.live
@pytest.mark.timeout(1200)
@pytest.mark.django_db(databases="__all__")
def test_the_ledger_follows_the_rules_for_thousands_of_steps(machine, database):
    # The servers take three times as long for each.
    run(machine, examples=140 if database == "default" else 40, steps=50)
