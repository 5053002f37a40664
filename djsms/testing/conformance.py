"""The conformance kit: what every backend must do, as tests to inherit."""

from __future__ import annotations

from djsms.testing.kit.checks import Checks
from djsms.testing.kit.configuration import Configuration
from djsms.testing.kit.outcomes import Outcomes
from djsms.testing.kit.packaging import Packaging
from djsms.testing.kit.sending import Sending
from djsms.testing.kit.signing import Signing

__all__ = ["BackendConformance"]


class BackendConformance(Packaging, Configuration, Sending, Outcomes, Signing, Checks):
    """Inherit from it, say which backend is meant, and pytest runs all that it must pass::

        class TestAcme(BackendConformance):
            name = "acme"
            answers = {
                "accepted": Answer(202, {"id": NEW_ID}),
                "refused": Answer(400, {"error": "no such number"}),
                "throttled": Answer(429, {"error": "slow down"}),
            }

            @pytest.fixture
            def options(self, provider):
                return {"token": "not-a-real-token", "url": provider.url}

    Attributes to set:

    - ``name``: the backend's name, what its entry point is called.
    - ``answers``: what the provider answers, by outcome; without any the backend is a local one.
    - ``secrets``: the names of the options that nobody may see; None, the default, finds them.
    - ``patience``: the seconds within which a send must end without an answer.
    - ``callback_samples``, ``incoming_samples``: ``Recorded`` requests with the values expected of
      them, signed if the backend verifies webhooks.
    - ``forged_callbacks``, ``forged_incoming``: requests that must be ``Forged``, besides those
      that the kit makes of the samples.
    - ``unsigned``: the names of parameters, headers, or parts of a header that the provider's
      signature does not cover.

    To override: the fixture ``options``, and the methods ``sign``, ``is_send`` and ``message``.

    What is tested follows from the hooks that the backend implements; tests of other hooks are
    skipped and name them.
    Needs no database, no network and, if there are none, no Django settings.
    """
