"""The project's web process under fire: stores texts, each wake-up twice, and then sweeps."""

import sys
import time

import django
import fire_celery  # noqa: F401  (a project imports its app)

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402

from djsms import engines, enqueue_text  # noqa: E402
from djsms.accounts.engines import bell  # noqa: E402
from djsms.ledger.transactions import database  # noqa: E402

LOT = 20

call_command("migrate", "django_tasks_database", database=database(), verbosity=0)
print("ready", flush=True)
sys.stdin.readline()
count = int(sys.argv[1])
for first in range(0, count, LOT):
    with transaction.atomic(using=database()):
        for number in range(first, min(first + LOT, count)):
            enqueue_text(str(number), "Bistro", "+447700900123", False, expires=None)
    # As a broker does that delivers twice.
    bell().ring("default")
print("stored", flush=True)
while True:
    engines.sweep()
    time.sleep(2)
