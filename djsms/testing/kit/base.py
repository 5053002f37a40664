"""What an author says of a backend, and the fixtures that all tests of the kit share."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

import pytest

from djsms import segments
from djsms.testing.answers import Answer, Received
from djsms.testing.kit import hooks, network
from djsms.testing.provider import Provider
from djsms.testing.recorded import Recorded
from djsms.types import OutgoingText

__all__ = ["OMITTED", "Kit", "Make", "Scripted", "fail", "require"]

Make: TypeAlias = Callable[..., Any]
Scripted: TypeAlias = "Answer | Callable[[Received], Answer]"

RECIPIENT = "+447700900001"

OMITTED = object()
"""In place of an option, for ``make``: without it."""


def fail(words: str) -> NoReturn:
    """Fail the test with words for the author; the kit's own lines would tell nothing."""
    raise pytest.fail.Exception(words, pytrace=False) from None


def require(condition: object, words: str) -> None:
    if not condition:
        fail(words)


class Kit:
    """What the author of a backend fills in. Each part says which tests use it."""

    name: str = ""
    """The backend's name: what its entry point is called and ``DJSMS_BACKEND`` says."""

    answers: Mapping[str, Scripted] = {}
    """What the provider answers, for a backend that sends over HTTP: by outcome, an ``Answer`` or a
    function that makes one for a request. ``"accepted"`` must be there; ``"refused"``,
    ``"throttled"`` and the other outcomes in ``djsms.testing.kit.outcomes.OUTCOMES`` where the
    provider has such an answer. Put ``NEW_ID`` where the provider's id of the message stands.
    Without any, the backend counts as a local one and the tests with a provider are skipped."""

    secrets: Sequence[str] | None = None
    """The names of the options that nobody may see. None, the default: the dataclass fields with
    ``repr=False`` and all whose name says so (password, secret, token, key)."""

    patience: float = 5.0
    """Seconds within which a send must end although the provider does not answer. An option named
    ``timeout`` is set shorter for that test; raise this for a backend with a longer limit of its
    own."""

    callback_samples: Sequence[Recorded] = ()
    """Requests with status reports as the provider sends them, with the expected values; signed if
    the backend has ``verifies_webhooks``."""

    incoming_samples: Sequence[Recorded] = ()
    """Requests with incoming texts as the provider sends them; as ``callback_samples``."""

    forged_callbacks: Sequence[Recorded] = ()
    """Requests with status reports that must be ``Forged``, besides those that the kit makes of the
    samples if the backend has ``verifies_webhooks``."""

    forged_incoming: Sequence[Recorded] = ()
    """Requests with incoming texts that must be ``Forged``; as ``forged_callbacks``."""

    unsigned: Sequence[str] = ()
    """What the provider's signature does not cover: names of parameters, of headers, and of parts
    of a header, such as ``v`` in ``v=1,sig=…``."""

    # Fixtures to override.

    @pytest.fixture
    def options(self) -> Mapping[str, Any]:
        """Return the options to make the backend with; override it for one that needs any.

        Take the fixture ``provider`` to point the backend to ``provider.url``. Give secrets long
        values, such as occur nowhere else, and timeouts short ones.
        """
        return {}

    def is_send(self, request: Received) -> bool:
        """Return whether a request hands over a message, and is none for a token, for instance.

        Those that do are counted, hung up on, refused. Others are given the answer ``"accepted"``,
        which then must be a function that looks at the request.
        """
        return True

    def sign(self, request: Recorded) -> Recorded:
        """Return the request with the provider's signature.

        Override it for a backend with ``verifies_webhooks``: so nonsense gets past the check of
        signatures, to where it may do harm, and the kit knows which part of a request to forge.
        It is handed requests of any kind, also some that no provider could sign; return these as
        they are.
        """
        return request

    def message(self, **fields: Any) -> OutgoingText:
        """Return a message to send; override it for a backend that cannot do without an extra."""
        text = fields.get("text", "Hello")
        encoding, count = segments.count(text)
        defaults = {
            "ref": uuid.uuid4().hex,
            "text": text,
            "frm": "+447700900000",
            "to": RECIPIENT,
            "encoding": encoding,
            "segments": count,
        }
        return OutgoingText(**{**defaults, **fields})

    # Fixtures of the kit.

    @pytest.fixture(autouse=True)
    def _settings(self) -> None:
        """Configure Django, as bare as can be, if nobody has: requests cannot do without."""
        from django.conf import settings

        if not settings.configured and not os.environ.get("DJANGO_SETTINGS_MODULE"):
            settings.configure(SECRET_KEY="for tests only", USE_TZ=True, DATABASES={})

    @pytest.fixture(autouse=True)
    def _loopback_only(self) -> Iterator[None]:
        """Fail a test in which the backend reaches for the network beyond this machine."""
        with network.refused(loopback=False) as attempts:
            yield
        if attempts:
            fail(
                f"The backend reached for {', '.join(map(repr, attempts))}, and a test must not "
                "leave this machine. Point the backend to provider.url in the fixture options."
            )

    @pytest.fixture
    def provider(self) -> Iterator[Provider]:
        """The stubbed provider, which accepts everything if ``answers`` says how."""
        with Provider() as provider:
            if "accepted" in self.answers:
                provider.respond(self.answers["accepted"])
                provider.spare(lambda request: not self.is_send(request), self.answers["accepted"])
            yield provider

    @pytest.fixture
    def factory(self) -> Any:
        """The class of the backend, found by its entry point."""
        require(self.name, f"Set name = … in {type(self).__name__} to the backend's name.")
        entries = hooks.entry_points(self.name)
        if not entries:
            fail(
                f"No installed distribution has a backend named {self.name!r}. Give pyproject.toml "
                f'[project.entry-points."djsms.backends"] with {self.name} = "package:Class", '
                "and install it: pip install -e ."
            )
        return entries[0].load()

    @pytest.fixture
    def make(self, factory: Any, options: Mapping[str, Any]) -> Iterator[Make]:
        """A function that makes the backend with ``options``, changed by its arguments."""
        made = []

        def make(**changes: Any) -> Any:
            chosen = {**options, **changes}.items()
            backend = factory(**{name: value for name, value in chosen if value is not OMITTED})
            made.append(backend)
            return backend

        yield make
        for backend in made:
            _close(backend)

    @pytest.fixture
    def backend(self, make: Make) -> Any:
        """The backend, made with ``options``."""
        return make()

    # For the tests.

    def need(self, backend: Any, hook: str) -> None:
        """Skip the test if the backend does not implement a hook, or not yet."""
        method = hooks.implemented(backend).get(hook)
        if method is None:
            pytest.skip(f"{self.name} does not implement {hook}()")
        if not hooks.is_written(method):
            pytest.skip(f"{hook}() is still to be written")

    def need_provider(self, backend: Any) -> None:
        """Skip the test if the backend has no provider behind it."""
        self.need(backend, "send")
        if self.answers:
            require(
                "accepted" in self.answers,
                'answers lacks "accepted": say what the provider answers to a message it takes.',
            )
            return
        if _speaks_http(backend):
            fail(
                "The backend sends over HTTP, but answers is empty. Say what its provider answers: "
                'answers = {"accepted": Answer(200, {"id": NEW_ID}), "refused": Answer(…), '
                '"throttled": Answer(…)}'
            )
        pytest.skip(f"{self.name} has no provider behind it: answers is empty")


def _speaks_http(backend: Any) -> bool:
    return any(
        base.__module__ == "djsms.http" and base.__name__ == "HTTPBackend"
        for base in type(backend).__mro__
    )


def _close(backend: Any) -> None:
    """Close what a backend may have opened, so that no test is blamed for another's sockets."""
    for thing in (backend, *getattr(backend, "__dict__", {}).values()):
        close = getattr(thing, "close", None)
        if callable(close):
            close()
