"""Tests of what is made of each value in a webhook: samples with one value changed, read again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from djsms.exceptions import InvalidWebhook
from djsms.testing.kit import clock
from djsms.testing.kit.base import Kit
from djsms.testing.kit.exact import is_amount, lost_digits
from djsms.testing.kit.nonsense import changed, replacement
from djsms.testing.kit.receiving import Receiving, each_hook, shown, told
from djsms.testing.kit.variants import Value, lists_of_objects, values_of, with_json
from djsms.testing.kit.words import fail, require
from djsms.testing.recorded import Recorded
from djsms.types import IncomingText, Status, StatusReport

__all__ = ["Reading"]

NEW_WORD = "kit-new-word"
NEW_CODE = 987654
ZONES = ("Pacific/Kiritimati", "America/St_Johns")
# What each but the last character tells from another: what trimming and unescaping would change.
TEXT = " \t&amp; 1+1=2 %41 \\n «Zoë» 👋\r\n "
NO_TIMES: tuple[Any, ...] = (None, "", "soon", 0)
NO_FLOAT = "Make Decimal of the text, or of str(number); a float does not hold 0.1."
JUST_NOW = timedelta(seconds=40)
SIGNED_AGO = timedelta(seconds=90)
MAX_PLACES = 9
# What a report or a text is made of, and what should stand in raw therefore.
# The text is stored besides, and need not be stored again where it has to go.
KEPT = ("provider_id", "ref", "provider_status", "error_code")
UNREADABLE: tuple[Any, ...] = ({}, {"kit": "no report"}, None)


class Reading(Receiving):
    """The backend as one that takes a provider at its word."""

    def test_unknown_word_is_unknown(self, backend: Any) -> None:
        hook = "parse_callback"
        for sample in self._given(backend, hook):
            reports = self._values(backend, hook, sample)
            words = {r.provider_status for r in reports if r.status is not Status.UNKNOWN} - {""}
            told_apart = False
            for word in words:
                request = _with_another_word(sample, word)
                if request is not None:
                    told_apart = True
                    self._require_unknown_word(backend, request, word)
            if not told_apart and any(report.status is Status.DELIVERED for report in reports):
                self._require_doubt(backend, sample)

    def _require_unknown_word(self, backend: Any, request: Recorded, word: str) -> None:
        words = f"A status report with a new word in place of {word!r} is"
        hint = "return Status.UNKNOWN, with the word in provider_status."
        try:
            reports = self._read(backend, "parse_callback", self.sign(request))
        except InvalidWebhook as error:
            fail(
                f"{words} refused: {error}\n{told(request)}\nProviders invent words, and would "
                f"repeat the report for days: {hint}"
            )
        found = [report for report in reports if isinstance(report, StatusReport)]
        require(
            any(report.status is Status.UNKNOWN for report in found),
            f"{words} read as\n  {shown(found)}\n{told(request)}\nOf a word that you do not know "
            f"nobody can say what it means: {hint}",
        )

    def _require_doubt(self, backend: Any, sample: Recorded) -> None:
        """Fail unless some value decides that a message was delivered."""
        for value in values_of(sample):
            for new in (_unknown(value.value), NEW_WORD, NEW_CODE):
                reports = self._reread(backend, "parse_callback", value.changed(new))
                # A report that names no message any more is none that somebody has doubted.
                named = [report for report in reports or () if report.provider_id or report.ref]
                if any(report.status is not Status.DELIVERED for report in named):
                    return
        fail(
            f"Whatever stands in it, this report says delivered: {told(sample)}\nAn unknown status "
            "is Status.UNKNOWN, with the provider's word in provider_status."
        )

    @each_hook
    def test_times_are_the_providers(self, backend: Any, hook: str) -> None:
        for sample in self._given(backend, hook):
            values = self._values(backend, hook, sample)
            if any(_is_just_now(value) for value in values):
                # A sample that is made as the test runs: no telling whose clock it was.
                continue
            for value in values_of(sample):
                for variant in [value.left_out(), *map(value.changed, NO_TIMES)]:
                    # Not as of now, so that the time of the signature is not taken for the clock.
                    request = self._signed_before(variant)
                    for read in self._reread(backend, hook, request, signed=True) or ():
                        require(
                            not _is_just_now(read),
                            f"If {value.name} is missing, or is no time, the clock is put in its "
                            f"place: {told(request)}\nThen a repeat of the request is other news: "
                            "leave the time None, or raise InvalidWebhook.",
                        )

    def _signed_before(self, request: Recorded) -> Recorded:
        if type(self).sign_at is Kit.sign_at:
            return self.sign(request)
        return self.sign_at(request, datetime.now(UTC) - SIGNED_AGO)

    @each_hook
    def test_what_is_missing_is_not_made_up(self, backend: Any, hook: str) -> None:
        for sample in self._given(backend, hook):
            for value in values_of(sample):
                request = self.sign(value.left_out())
                first = self._reread(backend, hook, request, signed=True)
                second = self._reread(backend, hook, request, signed=True)
                require(
                    first == second,
                    f"If {value.name} is missing, each reading gives another value: "
                    f"{told(request)}\nWhat comes twice counts once only if it looks the same: "
                    "leave out what is not there.",
                )

    @each_hook
    def test_times_are_in_the_providers_zone(self, backend: Any, hook: str) -> None:
        for sample in self._given(backend, hook):
            readings = []
            for zone in ZONES:
                with clock.in_zone(zone):
                    readings.append(self._values(backend, hook, sample))
            first, second = readings
            require(
                first == second,
                f"A time is read in the zone of the machine, or of Django: {told(sample)}\n"
                f"  {shown(first)}\n  {shown(second)}\nSay in which zone the provider's clock is: "
                "datetime.fromtimestamp(…, UTC), .replace(tzinfo=UTC).",
            )

    def test_prices_keep_their_digits(self, backend: Any) -> None:
        hook = "parse_callback"
        for sample in self._given(backend, hook):
            if not any(report.price for report in self._values(backend, hook, sample)):
                continue
            for value in values_of(sample):
                if is_amount(value.value) and (price := self._price(backend, value, value.value)):
                    self._require_exact(backend, value, price)

    def _require_exact(self, backend: Any, value: Value, price: Decimal) -> None:
        other = self._price(backend, value, type(value.value)(9))
        if other in (price, None):
            return

        def read(amount: Any) -> Decimal | None:
            return self._price(backend, value, amount)

        problem = lost_digits(value.value, price, read)
        require(
            not problem, f"{value.name} is a price, and loses its digits: {problem}. {NO_FLOAT}"
        )

    def _price(self, backend: Any, value: Value, amount: Any) -> Decimal | None:
        reports = self._reread(backend, "parse_callback", value.changed(amount)) or ()
        prices = [report.price for report in reports if report.price is not None]
        return prices[0] if prices else None

    @each_hook
    def test_raw_is_kept(self, backend: Any, hook: str) -> None:
        for sample in self._given(backend, hook):
            came = {str(value.value) for value in values_of(sample)}
            for read in self._values(backend, hook, sample):
                kind = type(read).__name__
                try:
                    raw = json.loads(json.dumps(dict(read.raw)))
                except (TypeError, ValueError) as error:
                    fail(f"{kind}.raw must hold plain JSON values: {error}")
                require(
                    raw,
                    f"{kind}.raw is empty: give what the provider sent, raw=fields. Nobody can "
                    "look up later what was not kept.",
                )
                kept = json.dumps(raw, ensure_ascii=False)
                for name in KEPT:
                    word = getattr(read, name, "")
                    require(
                        not word
                        or word not in came
                        or json.dumps(word, ensure_ascii=False)[1:-1] in kept,
                        f"{kind}.raw lacks what was read as {name}: keep what the provider sent "
                        "as a whole, raw=fields.",
                    )

    @each_hook
    def test_all_in_a_list_are_read(self, backend: Any, hook: str) -> None:
        for sample in self._given(backend, hook):
            count = len(self._values(backend, hook, sample))
            for path, entries in self._carriers(backend, hook, sample):
                each = count // len(entries) or 1
                request = _with_list(sample, path, [*entries, *map(_another, entries)])
                values = self._reread(backend, hook, request)
                require(
                    values is not None and len(values) == count + each * len(entries),
                    f"Of a list with {2 * len(entries)} entries "
                    f"{'none' if not values else len(values)} were read: {told(request)}\n"
                    "Providers bring many at once, so read each of them.",
                )

    def test_one_unreadable_report_loses_no_others(self, backend: Any) -> None:
        hook = "parse_callback"
        for sample in self._given(backend, hook):
            expected = self._values(backend, hook, sample)
            for path, entries in self._carriers(backend, hook, sample):
                for bad in UNREADABLE:
                    for mixed in ([bad, *entries], [*entries, bad]):
                        request = _with_list(sample, path, mixed)
                        values = self._reread(backend, hook, request) or []
                        require(
                            all(report in values for report in expected),
                            f"One entry that cannot be read loses the others: {told(request)}\n"
                            "Read each by itself: djsms.http has read_each(), which logs and keeps "
                            "what cannot be read.",
                        )

    def test_text_is_left_as_it_came(self, backend: Any) -> None:
        hook = "parse_incoming"
        for sample in self._given(backend, hook):
            texts = {read.text for read in self._values(backend, hook, sample)}
            for value in values_of(sample):
                if value.value not in texts or not value.value:
                    continue
                values = self._reread(backend, hook, value.changed(TEXT))
                got = [read.text for read in values or () if isinstance(read, IncomingText)]
                require(
                    not values or TEXT in got or not {*got} - texts,
                    f"The text {TEXT!r} is read as {got}: leave it exactly as it came; what looks "
                    "like markup or a space too many is what somebody wrote.",
                )

    def _carriers(
        self, backend: Any, hook: str, sample: Recorded
    ) -> Iterator[tuple[tuple[Any, ...], list[Any]]]:
        """Yield each list in a sample without whose entries there is nothing to read."""
        for path, entries in lists_of_objects(sample):
            if not self._reread(backend, hook, _with_list(sample, path, [])):
                yield path, entries

    def _reread(
        self, backend: Any, hook: str, request: Recorded, *, signed: bool = False
    ) -> list[Any] | None:
        """Return what a changed sample is read as; None if it is refused, as it may well be."""
        try:
            values = self._read(backend, hook, request if signed else self.sign(request))
        except Exception:
            # What must not get out is the matter of another test.
            return None
        return values if isinstance(values, list) else None


def _with_another_word(sample: Recorded, word: str) -> Recorded | None:
    """Return the sample with a new word wherever this one stands; None if it stands nowhere."""
    changed_one = None
    for _ in range(MAX_PLACES):
        found = [value for value in values_of(changed_one or sample) if str(value.value) == word]
        if not found:
            break
        changed_one = found[0].changed(_unknown(found[0].value))
    return changed_one


def _unknown(value: Any) -> Any:
    if isinstance(value, str):
        return str(NEW_CODE) if value.isdigit() else NEW_WORD
    return NEW_CODE


def _is_just_now(value: Any) -> bool:
    moment = getattr(value, "occurred_on", None) or getattr(value, "received_on", None)
    if not isinstance(moment, datetime):
        return False
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return abs(datetime.now(UTC) - aware) < JUST_NOW


def _with_list(sample: Recorded, path: tuple[Any, ...], entries: list[Any]) -> Recorded:
    if not path:
        return with_json(sample, entries)
    document = json.loads(sample.body)
    return with_json(sample, changed(document, path, replacement(entries)))


def _another(entry: Any) -> Any:
    """Return an entry with another id, so that it does not pass for a repeat."""
    return {
        key: f"{value}0" if isinstance(value, str) and "id" in key.lower() else value
        for key, value in entry.items()
    }
