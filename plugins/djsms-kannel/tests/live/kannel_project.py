"""A Django project that uses Kannel, in processes of its own, as it would be in production.

``serve``   takes Kannel's calls, on the port that the settings name
``work``    reads one command a line from standard input and answers each with a line, in JSON
``migrate`` makes the database
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def configure(values: dict[str, Any]) -> None:
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="a key for tests only",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="kannel_project",
        USE_TZ=True,
        INSTALLED_APPS=["djsms"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": values["database"],
                "CONN_MAX_AGE": None,
                "OPTIONS": {
                    "timeout": 30,
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
                },
            }
        },
        DJSMS_BASE_URL=values["base_url"],
        DJSMS_ACCOUNTS={
            alias: {"BACKEND": "kannel", "OPTIONS": options}
            for alias, options in values["accounts"].items()
        },
        LOGGING={"version": 1, "loggers": {"django.request": {"level": "CRITICAL"}}},
    )
    django.setup()


def migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def serve(port: int) -> None:
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    class Handler(WSGIRequestHandler):
        def log_message(self, *args: Any) -> None:
            print(args[1].split()[0], args[1].split()[1].split("?")[0], args[2], flush=True)

    class Server(ThreadedWSGIServer):
        # what any server in production has: more room for those who knock than the default of 10
        request_queue_size = 512

    server = Server(("127.0.0.1", port), Handler)
    server.set_app(get_wsgi_application())
    server.serve_forever()


def work() -> None:
    with ThreadPoolExecutor(8) as threads:
        for line in sys.stdin:
            name, arguments = json.loads(line)
            print(json.dumps(COMMANDS[name](threads, *arguments)), flush=True)


def send(threads: ThreadPoolExecutor, messages: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Send the messages from several threads, and return how each stands then."""
    import djsms
    from django.db import connection

    def send_one(message: dict[str, Any]) -> dict[str, str]:
        try:
            sent = djsms.send_text(**message)
        finally:
            connection.close()
        return {
            "ref": sent.ref,
            "to": sent.to,
            "status": sent.status,
            "code": sent.error_code,
            "words": sent.error_text,
        }

    return list(threads.map(send_one, messages))


def messages(threads: ThreadPoolExecutor, refs: list[str]) -> dict[str, dict[str, Any]]:
    """Return how these messages stand, with what Kannel reported, in the order it came."""
    from djsms.models import StatusEvent, TextMessage

    events: dict[str, list[list[str]]] = {}
    for ref, *event in (
        StatusEvent.objects.filter(message__ref__in=refs, source="report")
        .order_by("pk")
        .values_list(
            "message__ref", "status", "provider_status", "error_code", "error_text", "provider_id"
        )
    ):
        events.setdefault(ref, []).append([str(value) for value in event])
    return {
        message.ref: {
            "to": message.to,
            "status": message.status,
            "code": message.error_code,
            "words": message.error_text,
            "reports": events.get(message.ref, []),
        }
        for message in TextMessage.objects.filter(ref__in=refs)
    }


def incoming(threads: ThreadPoolExecutor, frm: str) -> list[dict[str, Any]]:
    """Return the texts that came from numbers that begin like this."""
    from djsms.models import TextMessage

    return [
        {
            "frm": text.frm,
            "to": text.to,
            "text": text.text,
            "id": text.provider_id,
            "aware": bool(text.received_on and text.received_on.tzinfo),
            "extra": text.extra,
        }
        for text in TextMessage.objects.filter(direction="incoming", frm__startswith=frm)
    ]


def parts(threads: ThreadPoolExecutor, frm: str) -> list[list[Any]]:
    """Return the parts from this number that still wait for others."""
    from djsms.models import IncomingPart

    waiting = IncomingPart.objects.filter(frm=frm, message=None)
    return [[part.number, part.total, part.text] for part in waiting.order_by("number")]


def addresses(threads: ThreadPoolExecutor) -> dict[str, str]:
    """Return what ``djsms webhooks`` shows of the default account."""
    from djsms.accounts.addresses import webhook_url
    from djsms.accounts.gateways import get

    return get("default").webhook_addresses(
        webhook_url("default", "callback"), webhook_url("default", "incoming")
    )


COMMANDS: dict[str, Callable[..., Any]] = {
    "send": send,
    "messages": messages,
    "incoming": incoming,
    "parts": parts,
    "addresses": addresses,
}

if __name__ == "__main__":
    command, project = sys.argv[1], json.loads(os.environ["KANNEL_LIVE_PROJECT"])
    configure(project)
    if command == "serve":
        serve(project["port"])
    else:
        {"migrate": migrate, "work": work}[command]()
else:
    from django.urls import include, path

    urlpatterns = [path("djsms/", include("djsms.urls"))]
