"""What projects and backends rely on. A change here is a change to announce."""

from __future__ import annotations

import copy
import importlib
import inspect
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, is_dataclass
from importlib import resources
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.core.management import call_command

import djsms
from djsms import (
    Balance,
    IncomingText,
    OutgoingText,
    PartOf,
    SendResult,
    SentPart,
    SentText,
    Status,
    StatusReport,
    exceptions,
    hookspecs,
)
from djsms.exceptions import InvalidWebhook, Refused, SendError, TextMessageError, Throttled
from djsms.models import TextMessage

PUBLIC = {
    "djsms": """
        Balance Encoding Gateway IncomingText OutgoingText PartOf SendResult SentPart SentText
        Status StatusReport aenqueue_text aenqueue_texts apply_reports asend_text asend_texts
        cancel_text enqueue_text enqueue_texts gateway hookimpl hookspec international
        resend_text send_text send_texts
    """,
    "djsms.backends": "BaseBackend DummyBackend LocalBackend MemoryBackend",
    "djsms.engines": "Engine TasksEngine WorkerEngine drain_bounded sweep",
    "djsms.queue": "AccountState QueueState WorkerState drain pause resume state",
    "djsms.http": """
        BearerToken HTTPBackend json_object json_objects parameter_bytes parameter_lists
        parameters public_url read_each retry_after
    """,
    "djsms.exceptions": """
        AccountNotFound AuthenticationFailed BackendBroken BackendConflict BackendNotFound Forged
        InsufficientFunds InvalidMessage InvalidNumber InvalidOptions InvalidText InvalidWebhook
        KeyReused Misdirected NotSupported OutcomeUnknown RecipientBlocked Refused SendError
        TemporarilyUnavailable TextMessageError Throttled
    """,
}

KIT = """
Answer BackendConformance EngineConformance NEW_ID Outbox Provider Received Recorded Sent
SentTexts outbox
""".split()  # noqa: SIM905


class TestPublicModules:
    @pytest.mark.parametrize("module", PUBLIC)
    def test_have_these_names_and_no_others(self, module: str) -> None:
        assert sorted(importlib.import_module(module).__all__) == sorted(PUBLIC[module].split())

    def test_so_has_the_kit(self) -> None:
        # Not asked for one by one: to ask for the outbox is to put it in place for the whole run.
        assert sorted(importlib.import_module("djsms.testing").__all__) == KIT

    @pytest.mark.parametrize(
        ("module", "name"),
        [(module, name) for module, names in PUBLIC.items() for name in names.split()],
    )
    def test_have_what_they_name(self, module: str, name: str) -> None:
        assert hasattr(importlib.import_module(module), name)

    def test_the_package_lists_also_what_it_imports_late(self) -> None:
        assert set(djsms.__all__) <= set(dir(djsms))

    def test_the_package_has_nothing_else(self) -> None:
        with pytest.raises(AttributeError, match="module 'djsms' has no attribute 'send_txt'"):
            djsms.send_txt  # type: ignore[attr-defined]  # noqa: B018

    def test_can_be_imported_by_a_backend_before_django_is_set_up(self) -> None:
        # the queue is for projects alone, and is its models
        imports = "".join(f"import {module}\n" for module in PUBLIC if module != "djsms.queue")
        environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
        subprocess.run([sys.executable, "-c", imports], env=environment, check=True)

    def test_are_typed(self) -> None:
        assert (resources.files("djsms") / "py.typed").is_file()


def parameters(function: Callable[..., Any]) -> str:
    """The signature without annotations."""
    signature = inspect.signature(function)
    bare = [
        parameter.replace(annotation=parameter.empty) for parameter in signature.parameters.values()
    ]
    return str(signature.replace(parameters=bare, return_annotation=signature.empty))


class TestSending:
    DOCUMENTED = (
        "(text, frm, to, fail_silently=True, status_report=False, "
        "*, using='default', extra=None, key=None, expires=None)"
    )

    def test_send_text_takes_the_documented_arguments(self) -> None:
        assert parameters(djsms.send_text) == self.DOCUMENTED

    def test_asend_text_takes_the_same(self) -> None:
        assert parameters(djsms.asend_text) == self.DOCUMENTED

    def test_asend_text_is_to_be_awaited(self) -> None:
        assert iscoroutinefunction(djsms.asend_text)

    LATER = DOCUMENTED[:-1] + ", priority='normal', run_after=None, window=None, zone=None)"

    def test_enqueue_text_takes_the_documented_arguments(self) -> None:
        assert parameters(djsms.enqueue_text) == self.LATER

    def test_aenqueue_text_takes_the_same(self) -> None:
        assert parameters(djsms.aenqueue_text) == self.LATER
        assert iscoroutinefunction(djsms.aenqueue_text)

    def test_enqueue_texts_takes_the_documented_arguments(self) -> None:
        assert parameters(djsms.enqueue_texts) == (
            "(messages, *, using='default', fail_silently=True, status_report=False, expires=None, "
            "priority='bulk', run_after=None, window=None, zone=None)"
        )

    MANY = (
        "(messages, *, using='default', fail_silently=True, status_report=False, expires=None, "
        "concurrency=None, progress=None)"
    )

    def test_send_texts_takes_the_documented_arguments(self) -> None:
        assert parameters(djsms.send_texts) == self.MANY

    def test_asend_texts_takes_the_same(self) -> None:
        assert parameters(djsms.asend_texts) == self.MANY
        assert iscoroutinefunction(djsms.asend_texts)

    def test_resend_text_takes_the_documented_arguments(self) -> None:
        assert parameters(djsms.resend_text) == (
            "(message, *, using=None, fail_silently=True, expires=None)"
        )


class TestTextMessage:
    @pytest.mark.parametrize(
        "name",
        [
            *("frm", "to", "text", "direction", "price", "status", "created_on"),
            *("ref", "account", "backend", "provider_id", "currency", "encoding", "segments"),
            *("status_report", "error_code", "error_text", "key", "attempted_on", "updated_on"),
            *("extra", "incomplete", "received_on"),
        ],
    )
    def test_has_the_documented_attributes(self, name: str) -> None:
        assert TextMessage._meta.get_field(name)

    def test_is_incoming_or_outgoing(self) -> None:
        assert list(TextMessage.Direction) == ["incoming", "outgoing"]

    @pytest.mark.parametrize(
        "word", ["created", "sending", "sent", "delivered", "refused", "rejected"]
    )
    def test_explains_each_documented_status(self, word: str) -> None:
        assert dict(TextMessage.STATUSES)[word]

    def test_explains_every_status(self) -> None:
        assert dict(TextMessage.STATUSES) == {status.value: status.explanation for status in Status}

    @pytest.mark.django_db(databases="__all__")
    def test_has_all_its_migrations(self, capsys: pytest.CaptureFixture[str]) -> None:
        try:
            call_command("makemigrations", "djsms", check_changes=True, dry_run=True)
        except SystemExit:
            pytest.fail(f"models have changed without a migration: {capsys.readouterr().out}")


class TestStatus:
    WORDS = (
        "created unknown sending sent refused rejected failed expired cancelled delivered received"
    )

    def test_has_these_words(self) -> None:
        assert sorted(Status) == sorted(self.WORDS.split())

    def test_is_its_word(self) -> None:
        assert Status.SENT == "sent"
        assert str(Status.SENT) == "sent"

    def test_ranks_as_messages_advance(self) -> None:
        assert {status.value: status.rank for status in Status} == {
            "created": 0,
            "unknown": 1,
            "sending": 2,
            "sent": 3,
            "refused": 4,
            "rejected": 4,
            "failed": 4,
            "expired": 4,
            "cancelled": 4,
            "delivered": 5,
            "received": 6,
        }

    def test_failures_are_those_that_did_not_reach_the_handset(self) -> None:
        failures = {status.value for status in Status if status.is_failure}
        assert failures == {"refused", "rejected", "failed", "expired"}

    def test_final_are_failures_and_successes(self) -> None:
        final = {status.value for status in Status if status.is_final}
        failures = {"refused", "rejected", "failed", "expired"}
        assert final == failures | {"cancelled", "delivered", "received"}

    def test_survives_pickling_and_copying(self) -> None:
        assert pickle.loads(pickle.dumps(Status.SENT)) is Status.SENT
        assert copy.deepcopy(Status.SENT) is Status.SENT


VALUES: dict[type, str] = {
    OutgoingText: ("ref text frm to status_report callback_url encoding segments expires_on extra"),
    SendResult: "parts currency raw",
    SentPart: "provider_id status price error_code error_text",
    StatusReport: (
        "status provider_id ref provider_status error_code error_text price currency occurred_on "
        "raw"
    ),
    IncomingText: "frm to text provider_id received_on part raw",
    PartOf: "ref number total",
    SentText: "ref to frm attempted_on provider_ids status",
    Balance: "amount currency raw",
}


class TestValues:
    @pytest.mark.parametrize("kind", VALUES)
    def test_have_these_fields(self, kind: Any) -> None:
        assert is_dataclass(kind)
        assert [field.name for field in fields(kind)] == VALUES[kind].split()

    @pytest.mark.parametrize("kind", VALUES)
    def test_are_made_by_keyword_alone(self, kind: Any) -> None:
        assert all(field.kw_only for field in fields(kind))

    def test_cannot_be_changed(self) -> None:
        with pytest.raises(FrozenInstanceError):
            PartOf(ref="1", number=1, total=2).number = 2  # type: ignore[misc]

    @pytest.mark.parametrize("kind", VALUES)
    def test_have_no_room_for_anything_else(self, kind: Any) -> None:
        assert hasattr(kind, "__slots__")
        assert "__dict__" not in dir(kind)

    def test_do_not_show_the_text_or_the_token_in_their_repr(self) -> None:
        shown = repr(
            OutgoingText(
                ref="0" * 32,
                text="secret text",
                frm="Example",
                to="+447700900001",
                callback_url="https://example.com/secret",
                extra={"a": "secret"},
            )
        ) + repr(IncomingText(frm="", to="", text="secret text", raw={"a": "secret"}))
        assert "secret" not in shown

    def test_accepted_is_one_part_with_its_id(self) -> None:
        assert SendResult.accepted("1", currency="EUR", error_code="0") == SendResult(
            parts=(SentPart(provider_id="1", status=Status.SENDING, error_code="0"),),
            currency="EUR",
        )

    @pytest.mark.parametrize("kind", [SentPart, StatusReport])
    @pytest.mark.parametrize(
        ("wrong", "problem"),
        [
            ({"provider_id": 5}, "provider_id is of type int, not str"),
            ({"error_code": None}, "error_code is of type NoneType, not str"),
            ({"status": "sent"}, "status is 'sent', not a Status"),
            ({"price": 0.033}, "price is of type float, not Decimal"),
        ],
        ids=["id", "code", "status", "price"],
    )
    def test_of_another_type_are_refused_where_they_are_made(
        self, kind: Any, wrong: dict[str, Any], problem: str
    ) -> None:
        # What does not fit a report may have come from a request, which then cannot be read.
        is_report = kind is StatusReport and "status" not in wrong
        with pytest.raises(InvalidWebhook if is_report else TypeError) as caught:
            kind(**{"status": Status.SENT} | wrong)
        assert str(caught.value) == f"{kind.__name__}.{problem}"

    @pytest.mark.parametrize("status", [Status.CREATED, Status.RECEIVED])
    def test_have_no_status_that_no_provider_can_know(self, status: Status) -> None:
        with pytest.raises(ValueError, match=f"No provider can say '{status}' of a message"):
            StatusReport(status=status)

    @pytest.mark.parametrize(("number", "total"), [(0, 2), (3, 2), (1, 0), (1, 256)])
    def test_have_no_part_that_cannot_be(self, number: int, total: int) -> None:
        with pytest.raises(ValueError, match=r"counts from 1 to PartOf\.total"):
            PartOf(ref="1", number=number, total=total)


class TestHooks:
    SIGNATURES = {
        "send": "(message)",
        "parse_callback": "(request)",
        "parse_incoming": "(request)",
        "webhook_addresses": "(callback_url, incoming_url)",
        "check": "(callback_url, incoming_url, frm)",
        "fetch_reports": "(messages)",
        "fetch_balance": "()",
    }

    def test_are_these(self) -> None:
        specified = [
            name for name, value in vars(hookspecs).items() if hasattr(value, "djsms_spec")
        ]
        assert specified == list(self.SIGNATURES)

    @pytest.mark.parametrize("hook", SIGNATURES)
    def test_take_these_arguments(self, hook: str) -> None:
        assert parameters(getattr(hookspecs, hook)) == self.SIGNATURES[hook]

    @pytest.mark.parametrize("hook", SIGNATURES)
    def test_have_one_answer_except_for_checks(self, hook: str) -> None:
        assert getattr(hookspecs, hook).djsms_spec["firstresult"] is (hook != "check")


TREE = """
TextMessageError
    InvalidMessage
        InvalidNumber
        InvalidText
        KeyReused
    SendError
        Refused
            AuthenticationFailed
            InsufficientFunds
            RecipientBlocked
        TemporarilyUnavailable
            Throttled
        OutcomeUnknown
    NotSupported
    InvalidWebhook
        Misdirected
        Forged
ImproperlyConfigured
    BackendNotFound
        AccountNotFound
    BackendBroken
    BackendConflict
    InvalidOptions
"""


def edges() -> list[tuple[str, str]]:
    """Each exception of the tree with the one that it stands below."""
    found, above = [], [""]
    for line in TREE.strip().splitlines():
        name = line.strip()
        above[(len(line) - len(name)) // 4 + 1 :] = [name]
        found.append((name, above[-2]))
    return found


class TestExceptions:
    @pytest.mark.parametrize(("name", "parent"), [edge for edge in edges() if edge[1]])
    def test_stand_where_the_documentation_says(self, name: str, parent: str) -> None:
        first, *_ = getattr(exceptions, name).__bases__
        assert first is getattr(exceptions, parent)

    def test_are_all_in_the_tree(self) -> None:
        assert {name for name, _ in edges()} - {"ImproperlyConfigured"} == set(exceptions.__all__)

    @pytest.mark.parametrize(
        ("name", "other"), [("InvalidMessage", ValueError), ("InvalidWebhook", SuspiciousOperation)]
    )
    def test_are_also_what_python_and_django_call_them(self, name: str, other: type) -> None:
        assert issubclass(getattr(exceptions, name), other)

    @pytest.mark.parametrize("name", exceptions.__all__)
    def test_of_configuration_are_none_of_a_message(self, name: str) -> None:
        kind = getattr(exceptions, name)
        assert issubclass(kind, TextMessageError) is not issubclass(kind, ImproperlyConfigured)

    def test_of_the_call_carry_words_code_and_delay(self) -> None:
        error = Throttled("Slow down", code="1", retry_after=2.5)
        assert (error.text, error.code, error.retry_after) == ("Slow down", "1", 2.5)

    def test_of_the_call_need_no_more_than_nothing(self) -> None:
        error = SendError()
        assert (error.text, error.code, error.retry_after) == ("", "", None)

    def test_of_the_call_show_the_code(self) -> None:
        assert str(Refused("No credit", code="9")) == "No credit (code 9)"

    def test_of_the_call_without_words_show_the_code_alone(self) -> None:
        assert str(Refused(code="9")) == "code 9"

    def test_of_the_call_without_a_code_show_the_words_alone(self) -> None:
        assert str(Refused("No credit")) == "No credit"

    @pytest.mark.parametrize(
        "travel",
        [lambda error: pickle.loads(pickle.dumps(error)), copy.copy],
        ids=["pickle", "copy"],
    )
    def test_of_the_call_travel_whole(self, travel: Callable[[SendError], SendError]) -> None:
        error = travel(Throttled("Slow down", code="1", retry_after=2.5))
        assert type(error) is Throttled
        assert (error.text, error.code, error.retry_after) == ("Slow down", "1", 2.5)
