"""The phones, and the webhook calls that their network makes or has still to make."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.checks import CheckMessage
from django.db import models
from django.utils import timezone

from djsms_phone.behaviours import Behaviour

__all__ = ["Call", "Handset"]


class Handset(models.Model):
    """A phone that does not exist, by its number.

    The one without a number says how phones behave that are not there yet.
    """

    number = models.CharField(max_length=64, unique=True)
    behaviour = models.CharField(
        max_length=16, choices=Behaviour.choices, default=Behaviour.DELIVERS
    )
    next_behaviour = models.CharField(
        max_length=16, choices=Behaviour.choices, blank=True, help_text="For the next text alone."
    )
    read_up_to = models.BigIntegerField(
        default=0, help_text="The primary key of the last text that was looked at."
    )
    active_on = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.number

    @property
    def is_off(self) -> bool:
        return self.behaviour == Behaviour.OFF


class Call(models.Model):
    """One webhook call: due, or made, with what the application answered."""

    class Kind(models.TextChoices):
        CALLBACK = "callback"
        INCOMING = "incoming"

    handset = models.ForeignKey(Handset, on_delete=models.CASCADE, related_name="calls")
    account = models.CharField(max_length=64)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    status = models.CharField(
        max_length=10, blank=True, help_text="Which status is reported; of an incoming text none."
    )
    body = models.JSONField()
    due_on = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0, help_text="How often it failed before.")
    taken_until = models.DateTimeField(
        null=True, blank=True, help_text="Until when nobody else may make it."
    )
    done_on = models.DateTimeField(null=True, blank=True)
    answer = models.PositiveSmallIntegerField(
        default=0, help_text="The HTTP status of the answer; 0 if there was none."
    )
    milliseconds = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["due_on"], name="djsms_phone_call_due", condition=models.Q(done_on=None)
            ),
            models.Index(fields=["handset", "done_on"], name="djsms_phone_call_done"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.status}".strip()

    @classmethod
    def check(cls, **kwargs: Any) -> list[CheckMessage]:
        # Where a database knows no conditions that index is full, which does for a development's.
        return [found for found in super().check(**kwargs) if found.id != "models.W037"]
