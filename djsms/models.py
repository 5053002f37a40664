"""What was sent and received, and what providers said about it."""

from __future__ import annotations

import json
import uuid
from typing import Any, ClassVar

from django.core.checks import CheckMessage
from django.db import models
from django.db.models.signals import post_save
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from djsms.ledger import told
from djsms.ledger.fields import (
    ExactCharField,
    OptionalExactCharField,
    StatusField,
    UnicodeCharField,
    UnicodeTextField,
)
from djsms.ledger.owned import OwnedModel
from djsms.ledger.words import LABELS
from djsms.numbers import mask
from djsms.types import Encoding, Status

__all__ = ["Gate", "HourlyRollup", "IncomingPart", "StatusEvent", "TextMessage", "Worker"]

ID_LENGTH = 200
CODE_LENGTH = 64
NUMBER_LENGTH = 64
ACCOUNT_LENGTH = 64
BACKEND_LENGTH = 100
CURRENCY_LENGTH = 8
KEY_LENGTH = 255
KIND_LENGTH = 64
NAME_LENGTH = 64
WORKER_LENGTH = 32
HOST_LENGTH = 255


def new_ref() -> str:
    """Return a reference for a new message: a random UUID as 32 hexadecimal characters."""
    return uuid.uuid4().hex


def _but_full_indexes(found: list[CheckMessage]) -> list[CheckMessage]:
    """Leave out what Django says of conditions that MariaDB and MySQL do not know.

    An index that has one is full there; each has the columns that make it serve that way, too.
    """
    return [message for message in found if message.id != "models.W037"]


def status_choices() -> list[tuple[str, Any]]:
    return [(status.value, LABELS[status]) for status in Status]


class TextMessage(OwnedModel):
    """One text message, sent or received; one row however many parts it travels in.

    Rows are made by ``send_text`` and the webhooks. Each change sends ``post_save``. ``save()`` of
    a stored message writes ``application_fields`` only: all else is what events have made of it.
    """

    application_fields: ClassVar = ("frm", "to", "text", "extra", "key")

    class Direction(models.TextChoices):
        INCOMING = "incoming", _("Incoming")
        OUTGOING = "outgoing", _("Outgoing")

    class Lane(models.IntegerChoices):
        """Which of an account's waiting texts go first."""

        URGENT = 0, _("Urgent")
        NORMAL = 1, _("Normal")
        BULK = 2, _("Bulk")

    STATUSES: ClassVar = tuple((status.value, status.explanation) for status in Status)
    """The possible statuses, each with what it means."""

    ref = ExactCharField(
        _("reference"), max_length=32, unique=True, default=new_ref, editable=False
    )
    direction = models.CharField(
        _("direction"), max_length=8, choices=Direction.choices, default=Direction.OUTGOING
    )
    account = ExactCharField(_("account"), max_length=ACCOUNT_LENGTH, default="default")
    backend = UnicodeCharField(_("backend"), max_length=BACKEND_LENGTH, blank=True)
    frm = UnicodeCharField(_("from"), max_length=NUMBER_LENGTH)
    to = UnicodeCharField(_("to"), max_length=NUMBER_LENGTH)
    text = UnicodeTextField(_("text"), blank=True)
    encoding = models.CharField(
        _("encoding"),
        max_length=4,
        default=Encoding.GSM7.value,
        choices=[(e.value, e.value) for e in Encoding],
    )
    segments = models.PositiveSmallIntegerField(
        _("segments"),
        default=1,
        help_text=_("Into how many segments the text falls, by our own count."),
    )
    parts = models.PositiveSmallIntegerField(
        _("parts"),
        default=0,
        help_text=_("Of how many parts the provider told; 0 as long as it did not answer."),
    )
    status = StatusField(_("status"), max_length=10, choices=status_choices, default=Status.CREATED)
    status_report = models.BooleanField(
        _("status report"), default=False, help_text=_("Whether status reports were asked for.")
    )
    provider_id = ExactCharField(
        _("provider id"),
        max_length=ID_LENGTH,
        blank=True,
        help_text=_("The provider's id of the first part."),
    )
    price = models.DecimalField(_("price"), max_digits=16, decimal_places=8, null=True, blank=True)
    currency = UnicodeCharField(_("currency"), max_length=CURRENCY_LENGTH, blank=True)
    error_code = UnicodeCharField(_("error code"), max_length=CODE_LENGTH, blank=True)
    error_text = UnicodeTextField(_("error text"), blank=True)
    error_kind = UnicodeCharField(
        _("error kind"),
        max_length=KIND_LENGTH,
        blank=True,
        help_text=_(
            "The exception that its call ended with, such as Throttled; empty if none did."
        ),
    )
    key = OptionalExactCharField(
        _("key"),
        max_length=KEY_LENGTH,
        null=True,
        blank=True,
        unique=True,
        help_text=_("The caller's idempotency key."),
    )
    fingerprint = OptionalExactCharField(
        _("fingerprint"),
        max_length=64,
        null=True,
        unique=True,
        editable=False,
        help_text=_("What makes an incoming text unique."),
    )
    incomplete = models.BooleanField(
        _("incomplete"),
        default=False,
        help_text=_("Whether parts of this incoming text never came."),
    )
    extra = models.JSONField(
        _("extra"),
        default=dict,
        blank=True,
        help_text=_("What the caller passed on to the provider, or what came with the text."),
    )
    created_on = models.DateTimeField(_("created on"), default=timezone.now, editable=False)
    attempted_on = models.DateTimeField(
        _("attempted on"), null=True, blank=True, help_text=_("When the provider was called.")
    )
    asked_on = models.DateTimeField(
        _("asked on"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When the provider was last asked how it stands."),
    )
    received_on = models.DateTimeField(
        _("received on"),
        null=True,
        blank=True,
        help_text=_("When the provider received this incoming text."),
    )
    due_on = models.DateTimeField(
        _("due on"),
        null=True,
        blank=True,
        help_text=_("When a waiting text may go out; empty if it does not wait."),
    )
    expires_on = models.DateTimeField(
        _("expires on"),
        null=True,
        blank=True,
        help_text=_("After which the text is worth nothing."),
    )
    lane = models.PositiveSmallIntegerField(
        _("priority"), choices=Lane.choices, default=Lane.NORMAL
    )
    slot = ExactCharField(
        _("originator"),
        max_length=NUMBER_LENGTH,
        blank=True,
        default="",
        help_text=_("The originator, if the account limits each by itself."),
    )
    attempts = models.PositiveSmallIntegerField(
        _("attempts"), default=0, help_text=_("How often the provider was called for it.")
    )
    worker = ExactCharField(
        _("worker"),
        max_length=WORKER_LENGTH,
        blank=True,
        default="",
        help_text=_("Who called last."),
    )
    window = UnicodeCharField(
        _("window"),
        max_length=NAME_LENGTH,
        blank=True,
        help_text=_("The hours in which it may go out."),
    )
    zone = UnicodeCharField(
        _("time zone"),
        max_length=NAME_LENGTH,
        blank=True,
        help_text=_("The recipient's time zone, if it was given."),
    )
    resend_of = models.ForeignKey(
        "self",
        verbose_name=_("resend of"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="resends",
        db_index=False,
        help_text=_("The message that this one sends again."),
    )
    updated_on = models.DateTimeField(_("updated on"), default=timezone.now, editable=False)
    erased_on = models.DateTimeField(
        _("erased on"),
        null=True,
        editable=False,
        help_text=_("Since when text and number are not kept any more."),
    )

    class Meta:
        verbose_name = _("text message")
        verbose_name_plural = _("text messages")
        # Apart from looking at messages: one-time codes are in the texts.
        permissions: ClassVar = [("view_texts", "Can view the texts of messages")]
        indexes: ClassVar = [
            models.Index(fields=["account", "provider_id"], name="djsms_message_provider_id"),
            models.Index(fields=["status", "created_on"], name="djsms_message_status_age"),
            models.Index(fields=["to"], name="djsms_message_to"),
            models.Index(fields=["frm"], name="djsms_message_frm"),
            # What is to be erased next, the oldest first.
            models.Index(fields=["erased_on", "created_on"], name="djsms_message_erased"),
            # What waits and what is in flight; the archive is not in them where the database knows
            # conditions (PostgreSQL and SQLite).
            models.Index(
                fields=["account", "slot", "lane", "due_on"],
                name="djsms_message_waiting",
                condition=models.Q(due_on__isnull=False),
            ),
            models.Index(
                # with the status, since where conditions are not known the whole archive is in it
                fields=["account", "status", "attempted_on"],
                name="djsms_message_in_flight",
                condition=models.Q(status=Status.CREATED.value, attempted_on__isnull=False),
            ),
            # What has ended without a word of its provider, for the sums of its hour.
            models.Index(
                fields=["status", "updated_on"],
                name="djsms_message_silent",
                condition=models.Q(status__in=[Status.CANCELLED.value, Status.EXPIRED.value]),
            ),
            models.Index(
                fields=["resend_of"],
                name="djsms_message_resend_of",
                condition=models.Q(resend_of__isnull=False),
            ),
        ]

    @classmethod
    def check(cls, **kwargs: Any) -> list[CheckMessage]:
        return _but_full_indexes(super().check(**kwargs))

    def _do_update(self, base_qs: models.QuerySet[Any], *args: Any, **kwargs: Any) -> Any:
        # Whoever read it before it was erased must not write the number back: to such an instance
        # the row is as good as deleted.
        # One that did not read whether it was erased would ask now, when it is too late.
        read_as_erased = (
            "erased_on" not in self.get_deferred_fields() and self.erased_on is not None
        )
        rows = base_qs if read_as_erased else base_qs.filter(erased_on=None)
        return super()._do_update(rows, *args, **kwargs)

    def __str__(self) -> str:
        is_incoming = self.direction == self.Direction.INCOMING
        told = {"frm": mask(self.frm), "to": mask(self.to), "status": LABELS[self.status]}
        if self.erased_on is not None:
            words = (
                gettext("incoming text, erased: %(status)s")
                if is_incoming
                else gettext("outgoing text, erased: %(status)s")
            )
        elif is_incoming:
            words = gettext("incoming text %(frm)s → %(to)s: %(status)s")
        else:
            words = gettext("outgoing text %(frm)s → %(to)s: %(status)s")
        return words % told

    def __repr__(self) -> str:
        # For logs, so in one language.
        with translation.override("en"):
            return f"<TextMessage {self.ref}: {self}>"


# Here, and so before anybody else can ask to be told.
post_save.connect(told.note, sender=TextMessage, dispatch_uid="djsms.ledger.told")


class StatusEvent(OwnedModel):
    """What a provider said about a message: in its answer, a part each, or in a status report.

    Only ever added to, and each takes effect once. Those without a message came before it was known
    by this id. ``save()`` of a stored event writes ``application_fields`` only, for erasing.
    """

    application_fields: ClassVar = ("error_text", "raw")

    class Source(models.TextChoices):
        ANSWER = "answer", _("Answer")
        REPORT = "report", _("Report")
        ATTEMPT = (
            "attempt",
            _("Attempt"),
        )  # one that surely did not go out, and was to be tried again

    message = models.ForeignKey(
        TextMessage,
        verbose_name=_("message"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="events",
    )
    source = models.CharField(_("source"), max_length=7, choices=Source.choices)
    account = ExactCharField(_("account"), max_length=ACCOUNT_LENGTH)
    ref = ExactCharField(_("reference"), max_length=CODE_LENGTH, blank=True)
    provider_id = ExactCharField(_("provider id"), max_length=ID_LENGTH, blank=True)
    number = models.PositiveSmallIntegerField(
        _("number"),
        default=0,
        help_text=_("Which part of the provider's answer this is; 0 if it is about none."),
    )
    status = StatusField(_("status"), max_length=10, choices=status_choices)
    provider_status = UnicodeCharField(_("provider status"), max_length=CODE_LENGTH, blank=True)
    error_code = UnicodeCharField(_("error code"), max_length=CODE_LENGTH, blank=True)
    error_text = UnicodeTextField(_("error text"), blank=True)
    price = models.DecimalField(_("price"), max_digits=16, decimal_places=8, null=True, blank=True)
    currency = UnicodeCharField(_("currency"), max_length=CURRENCY_LENGTH, blank=True)
    occurred_on = models.DateTimeField(
        _("occurred on"),
        null=True,
        blank=True,
        help_text=_("When it happened, by the provider's clock."),
    )
    raw = models.JSONField(_("as it came"), default=dict, blank=True)
    fingerprint = ExactCharField(
        _("fingerprint"),
        max_length=64,
        unique=True,
        editable=False,
        help_text=_("What makes this event count once."),
    )
    pending = models.BooleanField(
        _("pending"),
        default=False,
        help_text=_("Whether it has still to take effect on its message."),
    )
    created_on = models.DateTimeField(_("created on"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("status event")
        verbose_name_plural = _("status events")
        indexes: ClassVar = [
            models.Index(fields=["account", "provider_id"], name="djsms_event_provider_id"),
            models.Index(
                fields=["created_on"],
                name="djsms_event_pending",
                condition=models.Q(pending=True),
            ),
        ]

    @classmethod
    def check(cls, **kwargs: Any) -> list[CheckMessage]:
        return _but_full_indexes(super().check(**kwargs))

    def _do_update(self, base_qs: models.QuerySet[Any], *args: Any, **kwargs: Any) -> Any:
        # As with a message: words from before must not come back. They may be taken away.
        given = {name: self.__dict__.get(name) for name in self.application_fields}
        is_erased = models.Q(message__erased_on__isnull=False)
        rows = base_qs.exclude(is_erased) if any(given.values()) else base_qs
        return super()._do_update(rows, *args, **kwargs)

    def __str__(self) -> str:
        return f"{self.source}: {self.status}"


class IncomingPart(models.Model):
    """A part of a long incoming text: waiting for the others, or kept to recognise its repeats.

    Of a whole text that was erased early one is kept as well, with nothing in it, for the latter.
    """

    message = models.ForeignKey(
        TextMessage,
        verbose_name=_("message"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="incoming_parts",
        db_index=False,
    )
    account = ExactCharField(_("account"), max_length=ACCOUNT_LENGTH)
    backend = UnicodeCharField(_("backend"), max_length=BACKEND_LENGTH, blank=True)
    frm = ExactCharField(_("from"), max_length=NUMBER_LENGTH)
    to = ExactCharField(_("to"), max_length=NUMBER_LENGTH)
    part_ref = ExactCharField(_("part ref"), max_length=CODE_LENGTH)
    number = models.PositiveSmallIntegerField(_("number"))
    total = models.PositiveSmallIntegerField(_("total"))
    text = UnicodeTextField(_("text"), blank=True)
    escaped_text = UnicodeTextField(
        _("escaped text"),
        blank=True,
        editable=False,
        help_text=_(
            "The text as JSON, if a character was cut in two and its half is U+FFFD in text."
        ),
    )
    provider_id = ExactCharField(_("provider id"), max_length=ID_LENGTH, blank=True)
    received_on = models.DateTimeField(_("received on"), null=True, blank=True)
    raw = models.JSONField(_("as it came"), default=dict, blank=True)
    fingerprint = OptionalExactCharField(
        _("fingerprint"), max_length=64, null=True, unique=True, editable=False
    )
    created_on = models.DateTimeField(_("created on"), default=timezone.now, editable=False)
    next_try_on = models.DateTimeField(
        _("next try on"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Before which it is not released again, after a try that failed."),
    )

    class Meta:
        verbose_name = _("incoming part")
        verbose_name_plural = _("incoming parts")
        indexes: ClassVar = [
            models.Index(fields=["message", "created_on"], name="djsms_part_waiting"),
            models.Index(fields=["account", "frm", "part_ref"], name="djsms_part_set"),
        ]

    def __str__(self) -> str:
        return f"part {self.number} of {self.total} from {mask(self.frm)}"

    @property
    def exact_text(self) -> str:
        """The text to the letter, with the half of a character that another part completes."""
        return str(json.loads(self.escaped_text)) if self.escaped_text else self.text


class Gate(models.Model):
    """How many of an account's waiting texts may go out now; one row locks for all workers.

    ``slot`` is empty for the account itself, else an originator that is limited by itself.
    """

    account = ExactCharField(max_length=ACCOUNT_LENGTH)
    slot = ExactCharField(max_length=NUMBER_LENGTH, blank=True, default="")
    turn_on = models.DateTimeField(
        null=True, blank=True, help_text="When texts were last taken; its write is the lock."
    )
    free_at = models.BigIntegerField(
        default=0, help_text="When the rate allows the next text, in microseconds since 1970."
    )
    paused_on = models.DateTimeField(null=True, blank=True, help_text="Since when it is paused.")
    reason = UnicodeCharField(max_length=200, blank=True, help_text="Why it is paused or closed.")
    closed_until = models.DateTimeField(
        null=True, blank=True, help_text="Until when it has closed by itself."
    )
    failures = models.PositiveIntegerField(
        default=0, help_text="Calls in a row that failed for the account's sake."
    )
    closings = models.PositiveIntegerField(
        default=0, help_text="How often in a row it has closed by itself."
    )
    denied = ExactCharField(
        max_length=32,
        blank=True,
        default="",
        help_text="The text that was last turned away for the account's sake; empty once others "
        "passed.",
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "slot"], name="djsms_gate_unique"),
        ]
        # What the admin shows of them is how the queue stands.
        verbose_name = _("queue of an account")
        verbose_name_plural = _("queue")
        permissions: ClassVar = [("control_queue", "Can pause and resume accounts, and cancel")]

    def __str__(self) -> str:
        return f"queue of account {self.account}"


class Worker(models.Model):
    """A process that sends what waits: for people to see, and to notice early that one died."""

    id = ExactCharField(max_length=WORKER_LENGTH, primary_key=True, default=new_ref)
    host = UnicodeCharField(max_length=HOST_LENGTH)
    pid = models.PositiveIntegerField()
    started_on = models.DateTimeField()
    seen_on = models.DateTimeField(db_index=True)
    stopping = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


class HourlyRollup(models.Model):
    """What the messages come to that were made in one hour; kept by ``tidy``, for the dashboard."""

    hour = models.DateTimeField(unique=True, help_text="When it begins, a full hour in UTC.")
    figures = models.JSONField(default=dict, help_text="The sums, by account.")
    texts = models.PositiveIntegerField(default=0, help_text="How many messages were counted.")
    counted_on = models.DateTimeField()
    is_stale = models.BooleanField(
        default=False,
        help_text="Whether something has changed since, and it is to be counted anew.",
    )

    class Meta:
        verbose_name = _("figures of an hour")
        verbose_name_plural = _("figures of hours")

    def __str__(self) -> str:
        return f"the hour from {self.hour:%Y-%m-%d %H:%M}"
