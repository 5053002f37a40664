"""Makes the pictures of the admin and the phones: python docs/screenshots.py

Needs djsms, djsms-nexmo, djsms-phone and Debian's chromium and fonts-noto-color-emoji. Pictures are
as wide as the text beside them, and of twice as many pixels, for screens that have them.
A project in a temporary folder, a server on loopback and a browser; all of them are gone when it
ends. No text leaves the machine.
"""

import logging
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIServer, make_server

import django
from django.conf import settings
from django.core.management import call_command

from djsms import SendResult, SentPart, Status, StatusReport, hookimpl
from djsms.exceptions import InsufficientFunds, RecipientBlocked

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
WIDTH, SCALE = 820, 2
# narrower, Django's admin puts the filters on top of the list
ADMIN_WIDTH = 1060
PHONE_WIDTH, PHONE_HEIGHT = 390, 720
sys.path.append(str(ROOT / "tests"))

import browser  # noqa: E402

NOW = datetime(2026, 11, 20, 18, 42, tzinfo=UTC)
SHOP = "+447700900100"

# minutes before NOW, whom to, what
TEXTS = [
    (412, 187, "Your parcel leaves our warehouse today."),
    (395, 142, "Your parcel leaves our warehouse today."),
    (301, 123, "Hello Sam, your table for two is booked for tonight, 8 pm. Reply NO to cancel."),
    (274, 166, "Votre code est 482913. Ne le donnez à personne 🔒"),
    (233, 155, "Your parcel arrives between 2 and 4 pm."),
    (121, 187, "Your parcel is at your neighbour's, number 12."),
    (96, 142, "Your parcel arrives between 5 and 6 pm."),
    (62, 190, "Your code is 771204."),
    (
        47,
        123,
        "Thank you for dining with us! Tell us how it was: reply with a number from 1 to 5, where "
        "5 is the best. Every answer takes part in our monthly draw of a dinner for two. Reply "
        "STOP, and we will not write again.",
    ),
    (9, 133, "Your code is 190357."),
]
PHONES = [
    ("front-light", "light", WIDTH, 640),
    ("front-dark", "dark", WIDTH, 640),
    ("phone-light", "light", 1280, 844),
    ("phone-dark", "dark", 1280, 844),
    ("phone-light-narrow", "light", PHONE_WIDTH, PHONE_HEIGHT),
    ("phone-dark-narrow", "dark", PHONE_WIDTH, PHONE_HEIGHT),
]
OPTIONS = {"api_key": "abcd1234", "api_secret": "for-pictures-only"}
CLUB = "BistroClub"
REPLY = "5! Merci, c’était délicieux 😋"


class Provider:
    """Answers in the place of the account's backend, as the provider might."""

    @hookimpl
    def send(self, message) -> SendResult:  # type: ignore[no-untyped-def]
        if message.frm == CLUB:
            raise InsufficientFunds("Partner quota violation", code="9")
        if message.to.endswith("155"):
            raise RecipientBlocked("Recipient has opted out", code="15")
        parts = tuple(
            SentPart(
                provider_id=f"0A0000{message.ref[:9].upper()}{number}", price=Decimal("0.0333")
            )
            for number in range(message.segments)
        )
        return SendResult(parts=parts, currency="EUR", raw={"message-count": str(message.segments)})


def main() -> None:
    if not browser.PROGRAM:
        sys.exit("No chromium on the path.")
    with tempfile.TemporaryDirectory() as folder:
        set_up(Path(folder) / "db.sqlite3")
        story = tell()
        IMAGES.mkdir(exist_ok=True)
        with served() as address:
            take(address, "/admin/djsms/textmessage/", "admin-list", height=640)
            path = f"/admin/djsms/textmessage/{story.pk}/change/"
            take(address, path, "admin-message", height=900)
            lost = go_wrong()
            path = f"/admin/djsms/textmessage/{lost.pk}/change/"
            take(address, path, "admin-unknown", height=520)
            take(address, path, "admin-action", height=420, press="Send again")
            fill_the_queue()
            take(address, "/admin/djsms/gate/", "admin-queue", height=690)
            fill_a_month()
            path = "/admin/djsms/textmessage/dashboard/?period=month"
            take(address, path, "admin-dashboard", height=1000)
            take(address, path, "admin-dashboard-dark", height=1000, scheme="dark")
    take_phones()


def take_phones() -> None:
    """Take the pictures of what ``djsms phone`` shows; it is a project of its own."""
    command = [sys.executable, "-m", "djsms.cli", "phone", "--no-open", "--port=0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as phones:
        try:
            assert phones.stdout is not None
            [page] = re.findall(r"http\S+", phones.stdout.readline())
            with browser.tab() as tab:
                for name, scheme, width, height in PHONES:
                    tab.size(width, height, SCALE if width <= WIDTH else 1)
                    tab.prefers(scheme)
                    tab.open("about:blank#next")
                    tab.open(page)
                    tab.run(
                        "[...document.querySelectorAll('#rows a')]"
                        ".find((link) => link.textContent.includes('+447700900123')).click()"
                    )
                    tab.wait("document.querySelector('.bubble .status.good')")
                    # What it asks for at the beginning has come.
                    tab.wait("innerWidth < 1280 || document.querySelector('.events li')")
                    tab.picture(IMAGES / f"{name}.png")
                    print(IMAGES / f"{name}.png")
        finally:
            phones.send_signal(signal.SIGINT)


def set_up(database: Path) -> None:
    settings.configure(
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.messages",
            "django.contrib.sessions",
            "django.contrib.staticfiles",
            "djsms",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
        ROOT_URLCONF=__name__,
        STATIC_URL="/static/",
        SECRET_KEY="for pictures only",
        ALLOWED_HOSTS=["127.0.0.1"],
        USE_TZ=True,
        TIME_ZONE="UTC",
        DJSMS_BACKEND="nexmo",
        DJSMS_OPTIONS=OPTIONS,
        DJSMS_RATE="30/s",
        DJSMS_ACCOUNTS={"campaigns": {"BACKEND": "nexmo", "OPTIONS": OPTIONS, "RATE": "5/s"}},
        DJSMS_EXTENSIONS=[f"{__name__}.Provider"],
        DJSMS_BASE_URL="https://example.com",
    )
    django.setup()
    call_command("migrate", verbosity=0)


def tell():  # type: ignore[no-untyped-def]
    """Fill the database as a day of a shop would; return the message to look at."""
    from djsms import send_text
    from djsms.models import StatusEvent, TextMessage
    from djsms.receiving.incoming import take_text
    from djsms.receiving.reports import take_report
    from djsms.types import IncomingText

    # one text is to be refused, and need not be told of here
    logging.getLogger("djsms").setLevel(logging.ERROR)

    story = None
    for ago, number, text in TEXTS:
        message = send_text(text, SHOP, f"+447700900{number}", status_report=True)
        moment = NOW - timedelta(minutes=ago)
        parts = [event for event in message.events.order_by("pk") if event.provider_id]
        for delay, status in fate(number):
            for part in parts:
                told = report(message, part.provider_id, status, moment + delay)
                take_report("default", told)
        TextMessage.objects.filter(pk=message.pk).update(created_on=moment)
        for second, event in enumerate(message.events.order_by("pk")):
            when = event.occurred_on or moment + timedelta(seconds=1)
            StatusEvent.objects.filter(pk=event.pk).update(
                created_on=when + timedelta(milliseconds=40 * second)
            )
        if len(text) > 160:
            story = message
            take_text(
                "default",
                "nexmo",
                IncomingText(frm=f"+447700900{number}", to=SHOP, text=REPLY, provider_id="0B1"),
            )
            TextMessage.objects.filter(provider_id="0B1").update(
                created_on=moment + timedelta(minutes=6)
            )
    return story


def go_wrong():  # type: ignore[no-untyped-def]
    """Leave a text of which nobody knows whether it went out; return it."""
    from djsms.models import StatusEvent, TextMessage

    moment = NOW - timedelta(minutes=3)
    lost = TextMessage.objects.create(
        frm=SHOP,
        to="+447700900168",
        text="Your table is ready.",
        status=Status.UNKNOWN,
        error_kind="OutcomeUnknown",
        error_text="The provider did not answer within 10 seconds.",
        status_report=True,
        backend="nexmo",
        created_on=moment,
        attempted_on=moment,
    )
    StatusEvent.objects.create(
        message=lost,
        source=StatusEvent.Source.ANSWER,
        account=lost.account,
        status=lost.status,
        error_text=lost.error_text,
        fingerprint=lost.ref,
        created_on=moment + timedelta(seconds=10),
    )
    return lost


def fill_the_queue() -> None:
    """Send for an hour, let some texts wait, and let the credit of an account end."""
    from djsms import enqueue_texts, queue, send_text
    from djsms.models import StatusEvent, Worker

    chance = random.Random(7)
    now = datetime.now(UTC)
    for ago in sorted((chance.triangular(0, 3600, 900) for _ in range(240)), reverse=True):
        number = chance.choices(["123", "155"], [30, 1])[0]
        message = send_text("Your table is ready.", SHOP, f"+447700900{number}")
        moment = now - timedelta(seconds=ago)
        StatusEvent.objects.filter(message=message).update(created_on=moment)
    later = ((f"See you at {hour}.", SHOP, f"+4477009001{hour}") for hour in range(12, 23))
    enqueue_texts(later, priority="normal", run_after=timedelta(hours=2))
    for number in range(2):
        enqueue_texts([("Tonight: oysters.", CLUB, f"+44770090016{number}")], using="campaigns")
    queue.drain("campaigns")
    club = (("Tonight: oysters.", CLUB, f"+447700900{number}") for number in range(170, 199))
    enqueue_texts(club, using="campaigns")
    for host, pid in (("shop-1", 4211), ("shop-2", 3987)):
        started = now - timedelta(hours=9)
        Worker.objects.create(host=host, pid=pid, started_on=started, seen_on=now)


# how many of a hundred end so, with the provider's code and words
ENDS = [
    (955, Status.DELIVERED, "", ""),
    (15, Status.SENT, "", ""),
    (14, Status.FAILED, "6", "Absent subscriber, permanent"),
    (7, Status.REJECTED, "7", "Number barred"),
    (5, Status.EXPIRED, "1", "Unknown"),
    (4, Status.UNKNOWN, "", ""),
]


def fill_a_month() -> None:
    """Add the texts of thirty days, fewer on Sundays, and what came of them."""
    from django.utils import timezone

    from djsms.models import StatusEvent, TextMessage
    from djsms.rollups.keeping import keep_rollups

    chance = random.Random(7)
    now = timezone.now()
    texts = []
    for day in range(30):
        start = now - timedelta(days=day)
        for _ in range(chance.randint(20, 40) if start.weekday() == 6 else chance.randint(90, 140)):
            moment = start - timedelta(seconds=chance.uniform(0, 40_000))
            (ends,) = chance.choices(ENDS, [number for number, *_ in ENDS])
            _number, status, code, words = ends
            texts.append(
                TextMessage(
                    frm=SHOP,
                    to="+447700900123",
                    account=chance.choice(["default", "default", "campaigns"]),
                    status=status,
                    error_code=code,
                    error_text=words,
                    price=Decimal("0.0333"),
                    currency="EUR",
                    created_on=moment,
                    attempted_on=moment,
                )
            )
    TextMessage.objects.bulk_create(texts)
    StatusEvent.objects.bulk_create(
        StatusEvent(
            message=text,
            source=StatusEvent.Source.REPORT,
            account=text.account,
            status=text.status,
            fingerprint=text.ref,
            created_on=text.created_on + timedelta(seconds=chance.lognormvariate(1.6, 0.8)),
        )
        for text in texts
        if text.status is Status.DELIVERED
    )
    keep_rollups()


def fate(number: int) -> list[tuple[timedelta, Status]]:
    """When and how the provider reports on what this number was sent."""
    match number:
        case 133:
            return []
        case 190:
            return [(timedelta(seconds=4), Status.SENT), (timedelta(minutes=41), Status.EXPIRED)]
        case _:
            return [(timedelta(seconds=4), Status.SENT), (timedelta(seconds=9), Status.DELIVERED)]


def report(message, provider_id: str, status: Status, moment: datetime) -> StatusReport:  # type: ignore[no-untyped-def]
    word = "accepted" if status is Status.SENT else status.value
    return StatusReport(
        status=status,
        provider_id=provider_id,
        provider_status=word,
        error_code="" if status is not Status.EXPIRED else "1",
        error_text="" if status is not Status.EXPIRED else "Unknown",
        occurred_on=moment,
        raw={
            "messageId": provider_id,
            "msisdn": message.to.lstrip("+"),
            "status": word,
            "price": "0.03330000",
            "message-timestamp": f"{moment:%Y-%m-%d %H:%M:%S}",
        },
    )


@contextmanager
def served() -> Iterator[str]:
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    class Quiet(WSGIRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    server: WSGIServer = make_server(
        "127.0.0.1",
        0,
        StaticFilesHandler(get_wsgi_application()),
        server_class=ThreadedWSGIServer,
        handler_class=Quiet,
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def take(
    address: str, path: str, name: str, *, height: int, scheme: str = "light", press: str = ""
) -> None:
    """Take a page of the admin as it is on a desk, and as it is on a phone.

    ``press`` is what a button says that leads from the page to the one to take.
    """
    with browser.tab() as tab:
        tab.prefers(scheme)
        tab.size(ADMIN_WIDTH, height, SCALE)
        tab.open(f"{address}/enter/?{urlencode({'next': path})}")
        # the list of all models is Django's, and takes half of the picture
        tab.run("localStorage.setItem('django.admin.navSidebarIsOpen', 'false')")
        for file, width in ((f"{name}.png", ADMIN_WIDTH), (f"{name}-narrow.png", PHONE_WIDTH)):
            tab.size(width, height if width == ADMIN_WIDTH else PHONE_HEIGHT, SCALE)
            tab.open("about:blank#next")
            tab.open(address + path)
            if press:
                buttons = "[...document.querySelectorAll('#content button')]"
                tab.run(f"{buttons}.find((b) => b.textContent.trim() === '{press}').click()")
                tab.wait("document.querySelector('.cancel-link')")
            tab.picture(IMAGES / file)
            print(IMAGES / file)


def enter(request):  # type: ignore[no-untyped-def]
    """Log in and go on: a cookie that the browser gets by no other door."""
    from django.contrib.auth import login
    from django.contrib.auth.models import User
    from django.shortcuts import redirect

    user, _ = User.objects.get_or_create(username="sam", is_staff=True, is_superuser=True)
    login(request, user)
    return redirect(request.GET["next"])


def __getattr__(name: str):  # type: ignore[no-untyped-def]
    # This module is the URLconf too; it can only be made once Django is set up.
    if name != "urlpatterns":
        raise AttributeError(name)
    from django.contrib import admin
    from django.urls import path

    return [path("admin/", admin.site.urls), path("enter/", enter)]


if __name__ == "__main__":
    main()
