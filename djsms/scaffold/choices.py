"""What differs from one provider to the next: how it knows us, and how we know its webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["AUTH", "WEBHOOKS", "Choice", "placeholders"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a choice puts into the templates, each part with its last line break."""

    title: str
    """For people, in a sentence about the provider."""
    options: Mapping[str, str]
    """The options of the backend that it brings, and what each means."""
    standard: tuple[str, ...] = ()
    """Imports from the standard library."""
    djsms: tuple[str, ...] = ()
    """Imports from ``djsms``, as ``module: name``."""
    fields: str = ""
    methods: str = ""
    test_standard: tuple[str, ...] = ()
    test_djsms: tuple[str, ...] = ()
    test_constants: str = ""
    test_answers: str = ""
    test_methods: str = ""
    test_options: str = ""


AUTH: Mapping[str, Choice] = {
    "key": Choice(
        title="knows an account by an API key in a header",
        options={"api_key": "the API key of the account with $title"},
        fields='''\
    api_key: str = field(repr=False)
    """The API key of the account with $title."""
''',
        methods="""\
    def configure(self, session: requests.Session) -> None:
        session.headers["Authorization"] = f"Bearer {self.api_key}"

""",
        test_options='            "api_key": "no-key-of-anybody",\n',
    ),
    "basic": Choice(
        title="knows an account by a user name and a password",
        options={
            "username": "the user name of the account with $title",
            "password": "its password",
        },
        fields='''\
    username: str
    """The user name of the account with $title."""
    password: str = field(repr=False)
    """Its password."""
''',
        methods="""\
    def configure(self, session: requests.Session) -> None:
        session.auth = (self.username, self.password)

""",
        test_options="""\
            "username": "nobody",
            "password": "no-password-of-anybody",
""",
    ),
    "token": Choice(
        title="lends a token for a while, by OAuth's client credentials",
        options={
            "client_id": "the client id of the account with $title",
            "client_secret": "its secret",
        },
        djsms=("djsms.http: BearerToken",),
        fields='''\
    client_id: str
    """The client id of the account with $title."""
    client_secret: str = field(repr=False)
    """Its secret."""
''',
        methods='''\
    def configure(self, session: requests.Session) -> None:
        session.auth = BearerToken(self._fetch_token)

    def _fetch_token(self) -> tuple[str, float | None]:
        """Return a new token and the seconds that it is good for."""
        credentials = (self.client_id, self.client_secret)
        fields = {"grant_type": "client_credentials"}
        answer = self.post(f"{self.url}/oauth/token", auth=credentials, data=fields).json()
        return answer["access_token"], answer.get("expires_in")

''',
        test_answers="""\
        "token": Answer(200, {"access_token": NEW_ID, "expires_in": 3600}),
""",
        test_options="""\
            "client_id": "nobody",
            "client_secret": "no-secret-of-anybody",
""",
    ),
}

WEBHOOKS: Mapping[str, Choice] = {
    "token": Choice(title="signs nothing: the token in the address will do", options={}),
    "signed": Choice(
        title="signs its webhooks",
        options={"webhook_secrets": "what it signs webhooks with, two while one is exchanged"},
        standard=("hmac", "time", "collections.abc: Sequence"),
        djsms=(
            "djsms.exceptions: Forged",
            "djsms.exceptions: InvalidOptions",
        ),
        fields='''\
    webhook_secrets: Sequence[str] = field(default=(), repr=False)
    """What $title signs webhooks with; two while one is exchanged for the other."""
''',
        methods='''\
    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.webhook_secrets, str):
            raise InvalidOptions("webhook_secrets is a text; it takes a list of texts.")

    @property
    def verifies_webhooks(self) -> bool:
        return any(self.webhook_secrets)

    def _verify(self, request: HttpRequest) -> None:
        """Raise ``Forged`` unless one of the secrets has signed the request, a short while ago."""
        if not self.verifies_webhooks:
            return
        made = request.headers.get("X-Timestamp", "")
        if not (made.isascii() and made.isdigit() and abs(time.time() - int(made[:12])) < 300):
            raise Forged("The signature is not of now.")
        given = request.headers.get("X-Signature", "").encode()
        signed = made.encode() + b"." + request.body
        secrets = [secret.encode() for secret in self.webhook_secrets if secret]
        signatures = [hmac.digest(secret, signed, "sha256").hex() for secret in secrets]
        # Each is tried, since either may be in use while one is exchanged.
        fits = [hmac.compare_digest(signature.encode(), given) for signature in signatures]
        if not any(fits):
            raise Forged("The signature is missing or wrong.")

''',
        test_standard=("hmac", "dataclasses: replace", "datetime: datetime"),
        test_djsms=("Recorded",),
        test_constants='SECRETS = ("no-secret-of-anybody-1", "no-secret-of-anybody-2")\n\n',
        test_methods='''\
    def sign_at(self, request: Recorded, moment: datetime) -> Recorded:
        """Return the request as the provider signs it."""
        made = str(int(moment.timestamp()))
        signed = made.encode() + b"." + request.body
        signature = hmac.digest(SECRETS[0].encode(), signed, "sha256").hex()
        headers = {**request.headers, "X-Timestamp": made, "X-Signature": signature}
        return replace(request, headers=headers)

''',
        test_options='            "webhook_secrets": SECRETS,\n',
    ),
}


def placeholders(auth: str, webhooks: str) -> dict[str, str]:
    """Return what stands for the choices in the templates."""
    chosen = (AUTH[auth], WEBHOOKS[webhooks])
    options = {name: words for choice in chosen for name, words in choice.options.items()}
    return {
        "imports": _imports(
            ["dataclasses: dataclass", "dataclasses: field", "typing: TYPE_CHECKING"],
            [item for choice in chosen for item in choice.standard],
        ),
        "djsms_imports": _imports(
            ["djsms.http: HTTPBackend", *DJSMS],
            [item for choice in chosen for item in choice.djsms],
        ),
        "fields": "".join(choice.fields for choice in chosen),
        "methods": "".join(choice.methods for choice in chosen),
        "rows": "".join(f"| `{name}` | | {words} |\n" for name, words in options.items()),
        "settings": "".join(
            f'$${{prefix}}{name.upper()} = os.environ["$${{prefix}}{name.upper()}"]\n'
            if name != "webhook_secrets"
            else f'$${{prefix}}{name.upper()} = [os.environ["$${{prefix}}WEBHOOK_SECRET"]]\n'
            for name in options
        ).replace("$$", "$"),
        "test_imports": _imports(
            ["collections.abc: Mapping", "typing: Any"],
            [item for choice in chosen for item in choice.test_standard],
        ),
        "test_names": ", ".join(
            sorted({*TESTING, *(name for choice in chosen for name in choice.test_djsms)}, key=_key)
        ),
        "test_constants": "".join(choice.test_constants for choice in chosen),
        "verify": "Call self._verify(). " if webhooks == "signed" else "",
        "test_answers": "".join(choice.test_answers for choice in chosen),
        "test_methods": "".join(choice.test_methods for choice in chosen),
        "test_options": "".join(choice.test_options for choice in chosen),
    }


DJSMS = (
    "djsms: IncomingText",
    "djsms: OutgoingText",
    "djsms: SendResult",
    "djsms: StatusReport",
    "djsms: hookimpl",
)
TESTING = ("NEW_ID", "Answer", "BackendConformance", "Provider")


def _imports(always: list[str], chosen: list[str]) -> str:
    """Return import statements, sorted: of ``module`` or ``module: name``."""
    modules: dict[str, set[str]] = {}
    for item in [*always, *chosen]:
        module, _, name = item.partition(": ")
        modules.setdefault(module, set()).update({name} if name else ())
    plain = [f"import {module}\n" for module, names in sorted(modules.items()) if not names]
    of = [
        f"from {module} import {', '.join(sorted(names, key=_key))}\n"
        for module, names in sorted(modules.items())
        if names
    ]
    return "".join([*plain, *of])


def _key(name: str) -> tuple[bool, bool, str]:
    """Return the order of names in an import: constants, classes, others."""
    return not name.isupper(), name[:1].islower(), name
