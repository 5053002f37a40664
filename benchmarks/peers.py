"""What others take for about the same: django-post_office for mails, django-tasks-db for tasks.

About, since post_office marks a whole batch once all of it is sent, so that a crash sends it again,
and a task whose worker dies stays RUNNING for ever.

To be imported once Django is set up with ``APPS`` and ``SETTINGS`` of ``peers_settings``.
"""

from __future__ import annotations

import itertools
import logging

from django.core.management import call_command
from django_tasks_db.models import DBTaskResult
from post_office import mail
from post_office.models import Email

try:
    from django.tasks import task
except ImportError:  # Django 5.2
    from django_tasks import task

MAIL = {
    "recipients": "someone@example.com",
    "sender": "bistro@example.com",
    "subject": "Your table",
    "message": "x" * 100,
}


logging.getLogger("post_office").setLevel(logging.WARNING)


@task()
def nothing(to: str, text: str) -> None:
    """Do nothing."""


def store_mails(count: int) -> None:
    for _ in range(count):
        mail.send(**MAIL)


def store_many_mails(count: int) -> None:
    given = (dict(MAIL) for _ in range(count))
    while lot := list(itertools.islice(given, 500)):
        mail.send_many(lot)


def store_tasks(count: int) -> None:
    for _ in range(count):
        nothing.enqueue("+447700900002", "x" * 100)


def send_mails() -> None:
    while sum(mail.send_queued(processes=1, log_level=0)):
        pass


def run_tasks() -> None:
    call_command("db_worker", batch=True, startup_delay=False, verbosity=0)


def forget() -> None:
    Email.objects.all().delete()
    DBTaskResult.objects.all().delete()
