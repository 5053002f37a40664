"""Sins of backends with tokens, lists, prices, signed times and questions; as in ``sins``."""

from __future__ import annotations

from conformance.sins import Sin, sin

__all__ = ["RICH_SINS"]


def rich(fails: str, body: str, **more: object) -> Sin:
    return sin(fails, body, base="rich", **more)


# A cache of tokens that an author writes without BearerToken.
OWN_TOKEN = """
    _tokens: dict = field(init=False, repr=False, compare=False, default_factory=dict)

    def configure(self, session):
        pass

    def ask(self):
        return self.post(f"{self.url}/oauth/token", auth=(self.client_id, self.client_secret))

    def new_token(self):
        try:
            return self.ask().json()["access_token"]
        except Refused as error:
            raise AuthenticationFailed(error.text, code=error.code) from None
        except SendError as error:
            raise TemporarilyUnavailable(error.text) from None
        except (ValueError, LookupError, TypeError):
            raise TemporarilyUnavailable("No token") from None

    def headers(self):
        if "token" not in self._tokens:
            token = self.new_token()
            if not isinstance(token, str) or not token or not token.isalnum():
                raise TemporarilyUnavailable("No token")
            self._tokens["token"] = token
        return {"Authorization": f"Bearer {self._tokens['token']}"}

    def deliver(self, message):
        return self.post(f"{self.url}/messages", json=self.fields(message), headers=self.headers())

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        try:
            return self.read(self.deliver(message))
        except AuthenticationFailed:
            if not self._tokens:
                raise
            self._tokens.clear()
            return self.read(self.deliver(message))

    def asked(self, url, **request):
        session = requests.Session
        return RichBackend.asked(self, url, headers=self.headers(), **request)
"""


def own(fails: str, *changes: tuple[str, str], more: str = "", **said: str) -> Sin:
    """Return a sin of one who keeps a token without BearerToken, else well."""
    body = OWN_TOKEN
    for before, after in changes:
        assert before in body, before
        body = body.replace(before, after)
    return rich(fails, body + more, conformance=said)


RICH_SINS = {
    # token calls
    "shares a token among all accounts": own(
        "test_token_is_the_accounts_own test_no_token_is_no_send test_refused_credentials "
        "test_throttled_token_call test_odd_token_answer",
        (
            "    _tokens: dict = field(init=False, repr=False, compare=False, "
            "default_factory=dict)",
            "    _tokens = {}",
        ),
    ),
    "keeps tokens by the account's name alone": own(
        "test_token_is_the_accounts_own",
        (
            "    _tokens: dict = field(init=False, repr=False, compare=False, "
            "default_factory=dict)",
            "    KEPT = {}\n"
            "    @property\n"
            "    def _tokens(self):\n"
            "        return self.KEPT.setdefault(self.client_id, {})",
        ),
    ),
    "never renews a token": own(
        "test_refused_token_is_renewed",
        (
            "            self._tokens.clear()\n            return self.read(self.deliver(message))",
            "",
        ),
        ("            if not self._tokens:\n                raise\n", "            raise\n"),
    ),
    "asks for a token again for ever": own(
        "test_refused_tokens_end_in_a_failure test_errors_hold_no_secret test_log_holds_no_secret",
        (
            "            return self.read(self.deliver(message))\n\n    def asked",
            "            return self.send(message)\n\n    def asked",
        ),
    ),
    "asks for a token for each text": own(
        "test_token_is_kept",
        ('        if "token" not in self._tokens:\n', "        if True:\n"),
    ),
    "takes a failing call for a token for a text that may be sent": own(
        "test_no_token_is_no_send test_odd_token_answer test_throttled_token_call",
        (
            "        except SendError as error:\n"
            "            raise TemporarilyUnavailable(error.text) from None\n"
            "        except (ValueError, LookupError, TypeError):\n"
            '            raise TemporarilyUnavailable("No token") from None\n',
            "        except (SendError, ValueError, LookupError, TypeError):\n"
            '            raise OutcomeUnknown("No token") from None\n',
        ),
    ),
    "lets a failing call for a token out as it is": own(
        "test_no_token_is_no_send test_refused_credentials test_odd_token_answer",
        (
            "        try:\n"
            '            return self.ask().json()["access_token"]\n'
            "        except Refused as error:\n"
            "            raise AuthenticationFailed(error.text, code=error.code) from None\n"
            "        except SendError as error:\n"
            "            raise TemporarilyUnavailable(error.text) from None\n"
            "        except (ValueError, LookupError, TypeError):\n"
            '            raise TemporarilyUnavailable("No token") from None\n',
            '        return self.ask().json()["access_token"]\n',
        ),
    ),
    "keeps a lock after a failed call for a token": own(
        "test_no_token_is_no_send test_refused_credentials test_throttled_token_call "
        "test_errors_hold_no_secret test_log_holds_no_secret",
        (
            "            token = self.new_token()\n",
            '            lock = self._tokens.setdefault("lock", __import__("threading").Lock())\n'
            "            lock.acquire()\n"
            "            token = self.new_token()\n"
            '            self._tokens.pop("lock").release()\n',
        ),
        patience="0.2",
    ),
    "keeps the failure of a call for a token": own(
        "test_no_token_is_no_send test_throttled_token_call",
        (
            "            token = self.new_token()\n",
            '            if "failure" in self._tokens:\n'
            '                raise self._tokens["failure"]\n'
            "            try:\n"
            "                token = self.new_token()\n"
            "            except SendError as error:\n"
            '                self._tokens["failure"] = error\n'
            "                raise\n",
        ),
    ),
    "repeats a failing call for a token without end": own(
        "test_no_token_is_no_send test_errors_hold_no_secret test_log_holds_no_secret "
        "test_odd_token_answer test_throttled_token_call",
        (
            "        except SendError as error:\n"
            "            raise TemporarilyUnavailable(error.text) from None\n",
            "        except SendError as error:\n            return self.new_token()\n",
        ),
        (
            '            raise TemporarilyUnavailable("No token") from None\n',
            "            return self.new_token()\n",
        ),
    ),
    "sends with a token that is none": own(
        "test_odd_token_answer",
        (
            "            if not isinstance(token, str) or not token or not token.isalnum():\n"
            '                raise TemporarilyUnavailable("No token")\n',
            "",
        ),
    ),
    "needs to know how long a token lives": own(
        "test_odd_token_answer",
        (
            '            return self.ask().json()["access_token"]\n',
            "            answer = self.ask().json()\n"
            '            time.sleep(0 * float(answer["expires_in"] or "none at all"))\n'
            '            return answer["access_token"]\n',
        ),
        ("except (ValueError, LookupError, TypeError):", "except (LookupError, TypeError):"),
    ),
    "tells the token in an error": own(
        "test_errors_hold_no_secret",
        more="""
    def raise_for_status(self, response):
        try:
            super().raise_for_status(response)
        except SendError as error:
            headers = dict(response.request.headers)
            raise type(error)(f"{error.text} {headers}", code=error.code) from None
""",
    ),
    "logs the token": own(
        "test_log_holds_no_secret",
        more="""
    def post(self, url, **request):
        logging.getLogger("djsms_bad").info("POST %s %s", url, request.get("headers"))
        return super().post(url, **request)
""",
    ),
    "logs the credentials as the header has them": rich(
        "test_log_holds_no_secret",
        """
        def fetch_token(self):
            import base64
            basic = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
            logging.getLogger("djsms_bad").warning("Authorization: Basic %s", basic)
            return super().fetch_token()
        """,
    ),
    "keeps the token in raw": own(
        "test_raw_holds_no_secret",
        more="""
    def read(self, response):
        result = super().read(response)
        return replace(result, raw={**result.raw, "sent": dict(response.request.headers)})
""",
    ),
    "keeps its secret in the raw of a balance": rich(
        "test_question_holds_no_secret",
        """
        @hookimpl
        def fetch_balance(self) -> Balance:
            return replace(super().fetch_balance(), raw={"secret": self.client_secret})
        """,
    ),
    "tells its secret in a check message": rich(
        "test_check",
        """
        @hookimpl
        def check(self) -> list[CheckMessage]:
            return [checks.Warning(f"{self.client_secret} is short", id="djsms_bad.W001")]
        """,
    ),
    # sending
    "lets its library repeat what a proxy answers": rich(
        "test_nothing_is_sent_twice",
        """
        def configure(self, session) -> None:
            super().configure(session)
            retries = requests.adapters.Retry(
                2, allowed_methods=None, status_forcelist=[500, 502, 504],
                raise_on_status=False, redirect=0, backoff_factor=0,
            )
            session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retries))
        """,
    ),
    "takes a failure of the server for a text that was not taken": rich(
        "test_server_error_proves_nothing",
        """
        errors_by_status = {code: TemporarilyUnavailable for code in range(500, 600)}
        """,
    ),
    "takes a failure of the server for a refusal": rich(
        "test_server_error_proves_nothing",
        """
        errors_by_status = {500: Refused}
        """,
    ),
    "does not look at what became of the text": rich(
        "test_answer",
        """
        def read(self, response) -> SendResult:
            try:
                return super().read(response)
            except Refused:
                return SendResult.accepted(response.json()["messages"][0]["id"])
        """,
    ),
    "does not look at it, and its test tries no such answer": rich(
        "test_rejection_in_a_success",
        """
        def read(self, response) -> SendResult:
            try:
                return super().read(response)
            except Refused:
                return SendResult.accepted(response.json()["messages"][0]["id"])
        """,
        conformance={"answers": "{**answers, 'refused': answers['refused'][0]}"},
    ),
    "takes an answer without an id for a success": rich(
        "test_answer_without_an_id",
        """
        def read(self, response) -> SendResult:
            try:
                return super().read(response)
            except OutcomeUnknown:
                answer = response.json()
                if not isinstance(answer, dict) or "cost" not in answer:
                    raise
                return SendResult.accepted(str(None), raw=answer)
        """,
    ),
    "takes Retry-After for a number": rich(
        "test_retry_after",
        """
        def raise_for_status(self, response):
            if response.status_code == 429:
                raise Throttled("Slow", retry_after=float(response.headers.get("Retry-After", 1)))
            super().raise_for_status(response)
        """,
    ),
    "hands on Retry-After as it is": rich(
        "test_retry_after",
        """
        def raise_for_status(self, response):
            if response.status_code == 429:
                raise Throttled("Slow", retry_after=response.headers.get("Retry-After"))
            super().raise_for_status(response)
        """,
    ),
    "sleeps as long as it is told": rich(
        "test_retry_after test_throttled_token_call",
        """
        def raise_for_status(self, response):
            try:
                super().raise_for_status(response)
            except Throttled as error:
                time.sleep(min(error.retry_after or 0, 20))
                raise
        """,
        conformance={"patience": "0.5"},
    ),
    "keeps the extras of a text for the next": rich(
        "test_nothing_of_a_text_is_left_in_the_next",
        """
        kept: dict = field(init=False, repr=False, compare=False, default_factory=dict)

        def fields(self, message):
            self.kept.update(message.extra)
            return {**super().fields(message), **self.kept}
        """,
    ),
    "keeps the expiry of a text for the next": rich(
        "test_nothing_of_a_text_is_left_in_the_next",
        """
        def fields(self, message, kept={}):
            kept.update(super().fields(message))
            return dict(kept)
        """,
    ),
    "changes the extras that it is given": rich(
        "test_nothing_of_a_text_is_left_in_the_next",
        """
        def fields(self, message):
            message.extra.setdefault("channel", "sms")
            return super().fields(message)
        """,
    ),
    "takes an expiry for one in its own zone": rich(
        "test_expiry",
        """
        def fields(self, message):
            fields = super().fields(message)
            if message.expires_on is not None:
                fields["until"] = message.expires_on.replace(tzinfo=None).isoformat()
            return fields
        """,
    ),
    "cannot send what has expired": rich(
        "test_expiry",
        """
        def fields(self, message):
            if message.expires_on is not None:
                time.sleep((message.expires_on - datetime.now(message.expires_on.tzinfo)
                    ).total_seconds() * 0 - (message.expires_on.timestamp() < time.time()))
            return super().fields(message)
        """,
    ),
    "calls the provider when it is made": rich(
        "test_constructor_needs_no_network",
        """
        def __post_init__(self):
            super().__post_init__()
            try:
                requests.get(self.url, timeout=1)
            except requests.RequestException:
                pass
        """,
    ),
    "does not look at certificates": rich(
        "test_certificate_is_looked_at",
        """
        def configure(self, session) -> None:
            super().configure(session)
            session.verify = False
        """,
    ),
    "does not look for whom a certificate is": rich(
        "test_certificate_is_looked_at",
        """
        def configure(self, session) -> None:
            super().configure(session)
            class Lax(type(session.adapters["https://"])):
                def init_poolmanager(self, *args, **kwargs):
                    super().init_poolmanager(*args, assert_hostname=False, **kwargs)
            session.mount("https://", Lax())
        """,
    ),
    "loses what its base class looks at": rich(
        "test_limits_are_required",
        """
        def __post_init__(self):
            if not self.client_id:
                raise InvalidOptions("client_id is empty")
        """,
    ),
    "waits for each byte anew": rich(
        "test_no_answer_in_time test_endless_answer",
        """
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            try:
                response = requests.post(
                    f"{self.url}/messages", json=self.fields(message), auth=self.session.auth,
                    timeout=self.timeout, allow_redirects=False,
                )
                auth = self.session.auth
                if auth.is_renewed_after(response):
                    response = requests.post(
                        f"{self.url}/messages", json=self.fields(message), auth=auth,
                        timeout=self.timeout, allow_redirects=False,
                    )
            except requests.exceptions.SSLError:
                raise TemporarilyUnavailable("No connection") from None
            except requests.ConnectionError as error:
                refused = "NewConnectionError" in repr(error)
                raise (TemporarilyUnavailable if refused else OutcomeUnknown)("No") from None
            except requests.RequestException:
                raise OutcomeUnknown("No") from None
            self.raise_for_status(response)
            return self.read(response)
        """,
    ),
    "makes floats of prices": rich(
        "test_prices_in_answers_keep_their_digits",
        """
        def read(self, response) -> SendResult:
            result = super().read(response)
            [part] = result.parts
            price = __import__("decimal").Decimal(float(part.price))
            return replace(result, parts=(replace(part, price=price),))
        """,
    ),
    # receiving
    "believes everybody while no key is set": rich(
        "test_unset_secret_proves_nothing test_empty_key_proves_nothing",
        """
        @property
        def verifies_webhooks(self) -> bool:
            return True

        def verify(self, request):
            if self.webhook_secrets:
                super().verify(request)
        """,
    ),
    "believes everybody while no public key is set": rich(
        "test_unset_secret_proves_nothing test_empty_key_proves_nothing",
        """
        webhook_secrets: tuple = ()
        public_keys: tuple = ()

        @property
        def verifies_webhooks(self) -> bool:
            return True

        def verify(self, request):
            if self.public_keys:
                replace(self, webhook_secrets=self.public_keys, public_keys=()).check(request)

        def check(self, request):
            RichBackend.verify(self, request)
        """,
        conformance={
            "options": "pytest.fixture(lambda self, provider: {'client_id': 'shop', "
            "'client_secret': 'not-a-real-secret-0003', 'public_keys': SECRETS, "
            "'url': provider.url})"
        },
    ),
    "takes an empty key for one": rich(
        "test_empty_key_proves_nothing",
        """
        @property
        def verifies_webhooks(self) -> bool:
            return bool(self.webhook_secrets)
        """,
    ),
    "takes the letters of a key for keys": rich(
        "test_letters_of_a_key_are_no_keys",
        """
        def __post_init__(self):
            if not isinstance(self.webhook_secrets, str):
                super().__post_init__()
        """,
    ),
    "says that it proves one kind, and proves the other": rich(
        "test_forgeries_are_refused test_altered_signature_is_refused "
        "test_signature_that_is_no_ascii_is_refused test_signed_time_is_looked_at",
        """
        @property
        def verifies_webhooks(self):
            return frozenset({"parse_incoming"}) if self.webhook_secrets[0] else frozenset()

        @hookimpl
        def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
            from djsms_rich import entries, text_of
            return [text_of(entry) for entry in entries(json_object(request), "messages")]
        """,
        conformance={"proofs": "['webhook_secrets']"},
    ),
    "tries the first key alone": rich(
        "test_each_key_will_do",
        """
        def verify(self, request):
            RichBackend.verify(replace(self, webhook_secrets=self.webhook_secrets[:1]), request)
        """,
    ),
    "signs what it has read and written again": rich(
        "test_what_is_signed_is_what_came",
        """
        def verify(self, request):
            import json
            body = json.dumps(json_object(request), ensure_ascii=False).encode()
            class Rewritten:
                headers = request.headers
            Rewritten.body = body
            super().verify(Rewritten)
        """,
    ),
    "does not look how old a signature is": rich(
        "test_signed_time_is_looked_at",
        """
        def refuse_stale(self, made):
            pass
        """,
    ),
    "believes a signature from the future": rich(
        "test_signed_time_is_looked_at",
        """
        def refuse_stale(self, made):
            if made < time.time() - 300:
                raise Forged("Too old")
        """,
    ),
    "believes an old signature": rich(
        "test_signed_time_is_looked_at",
        """
        def refuse_stale(self, made):
            if made > time.time() + 300:
                raise Forged("Too new")
        """,
    ),
    "takes an unknown word for delivered": rich(
        "test_unknown_word_is_unknown",
        """
        @hookimpl
        def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
            return [
                replace(report, status=Status.DELIVERED)
                if report.provider_status and report.status is Status.UNKNOWN
                and report.provider_status != "unreadable" else report
                for report in super().parse_callback(request)
            ]
        """,
    ),
    "takes everything for delivered, and keeps no word": rich(
        "test_unknown_word_is_unknown",
        """
        @hookimpl
        def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
            return [
                replace(report, status=Status.DELIVERED, provider_status="")
                if report.provider_id else report
                for report in super().parse_callback(request)
            ]
        """,
        conformance={
            "callback_samples": "tuple(replace(sample, expected=[replace(sample.expected[0], "
            "provider_status='')]) for sample in callback_samples)",
            "expected_reports": "()",
            "answers": "{k: v for k, v in answers.items() if k != 'reports'}",
        },
    ),
    "refuses an unknown word": rich(
        "test_unknown_word_is_unknown",
        """
        @hookimpl
        def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
            reports = super().parse_callback(request)
            for report in reports:
                if report.status is Status.UNKNOWN and report.provider_status != "unreadable":
                    raise InvalidWebhook("Not known")
            return reports
        """,
    ),
    "reads times in the machine's zone": rich(
        "test_times_are_in_the_providers_zone",
        """
        @hookimpl
        def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
            return [
                replace(text, received_on=text.received_on.replace(tzinfo=None).astimezone())
                for text in super().parse_incoming(request)
            ]
        """,
    ),
    "reads times in Django's zone": rich(
        "test_times_are_in_the_providers_zone",
        """
        @hookimpl
        def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
            from django.utils import timezone
            return [
                replace(text, received_on=timezone.make_aware(
                    text.received_on.replace(tzinfo=None)))
                for text in super().parse_incoming(request)
            ]
        """,
    ),
    "puts the clock in for a missing time": rich(
        "test_times_are_the_providers test_what_is_missing_is_not_made_up",
        """
        @hookimpl
        def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
            from djsms_rich import text, entries
            from datetime import UTC
            now = datetime.now(UTC)
            return [
                IncomingText(
                    frm=text(entry, "from"), to=text(entry, "to"), text=text(entry, "text"),
                    provider_id=text(entry, "id"), raw=entry,
                    received_on=datetime(2026, 3, 29, tzinfo=UTC) if entry.get("at") else now,
                )
                for entry in entries(self.believed(request), "messages")
            ]
        """,
    ),
    "makes up an id": rich(
        "test_what_is_missing_is_not_made_up",
        """
        @hookimpl
        def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
            from djsms_rich import text, entries, moment
            import uuid
            return [
                IncomingText(
                    frm=text(entry, "from"), to=text(entry, "to"), text=text(entry, "text"),
                    provider_id=str(entry.get("id") or uuid.uuid4()), raw=entry,
                    received_on=moment(entry),
                )
                for entry in entries(self.believed(request), "messages")
            ]
        """,
    ),
    "makes floats of reported prices": rich(
        "test_prices_keep_their_digits",
        """
        @hookimpl
        def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
            from decimal import Decimal
            return [
                replace(report, price=report.price and round(Decimal(
                    float(report.raw["price"]) / 100_000 * 1.0000001), 12))
                if report.price != Decimal("0.0451") else report
                for report in super().parse_callback(request)
            ]
        """,
    ),
    "keeps no raw": rich(
        "test_raw_is_kept",
        """
        @hookimpl
        def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
            return [replace(text, raw={}) for text in super().parse_incoming(request)]
        """,
    ),
    "keeps another thing in raw": rich(
        "test_raw_is_kept",
        """
        @hookimpl
        def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
            reports = super().parse_callback(request)
            return [replace(r, raw={"seen": "yes"}) for r in reports if r.provider_id] + [
                r for r in reports if not r.provider_id]
        """,
    ),
    "reads the first of several reports alone": rich(
        "test_all_in_a_list_are_read test_one_unreadable_report_loses_no_others",
        """
        @hookimpl
        def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
            return super().parse_callback(request)[:1]
        """,
    ),
    "reads the first of several texts alone": rich(
        "test_all_in_a_list_are_read",
        """
        @hookimpl
        def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
            return super().parse_incoming(request)[:1]
        """,
    ),
    "loses all reports for one": rich(
        "test_one_unreadable_report_loses_no_others",
        """
        @hookimpl
        def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
            from djsms_rich import entries, report_of
            return [report_of(entry) for entry in entries(self.believed(request), "reports")]
        """,
    ),
    "trims texts": rich(
        "test_text_is_left_as_it_came",
        """
        @hookimpl
        def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
            texts = super().parse_incoming(request)
            return [replace(text, text=text.text.strip()) for text in texts]
        """,
    ),
    "unescapes texts": rich(
        "test_text_is_left_as_it_came",
        """
        @hookimpl
        def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
            import html
            texts = super().parse_incoming(request)
            return [replace(text, text=html.unescape(text.text)) for text in texts]
        """,
    ),
    # questions
    "has nothing to say when it cannot ask": rich(
        "test_no_answer_is_told test_unreachable_is_told test_question_ends_in_time",
        """
        @hookimpl
        def fetch_reports(self, messages: Sequence[SentText]) -> list[StatusReport]:
            try:
                return super().fetch_reports(messages)
            except SendError:
                return []
        """,
    ),
    "has no credit when it cannot ask": rich(
        "test_no_answer_is_told test_unreachable_is_told test_question_ends_in_time",
        """
        @hookimpl
        def fetch_balance(self) -> Balance:
            try:
                return super().fetch_balance()
            except SendError:
                from decimal import Decimal
                return Balance(amount=Decimal(0))
        """,
    ),
    "crashes on an answer to a question": rich(
        "test_no_answer_is_told",
        """
        @hookimpl
        def fetch_balance(self) -> Balance:
            from decimal import Decimal
            answer = self.get(f"{self.url}/balance").json()
            return Balance(amount=Decimal(answer["balance"]), currency="EUR", raw=answer)
        """,
    ),
    "makes a float of a balance": rich(
        "test_answer_is_read",
        """
        @hookimpl
        def fetch_balance(self) -> Balance:
            from decimal import Decimal
            balance = super().fetch_balance()
            return replace(balance, amount=Decimal(float(balance.amount)))
        """,
    ),
    "reports in words of its own": rich(
        "test_answer_is_read",
        """
        @hookimpl
        def fetch_reports(self, messages: Sequence[SentText]) -> list[StatusReport]:
            return [replace(r, provider_status="DONE") for r in super().fetch_reports(messages)]
        """,
    ),
    "asks when there is nothing to ask": rich(
        "test_nothing_asked_is_nothing_told",
        """
        @hookimpl
        def fetch_reports(self, messages: Sequence[SentText]) -> list[StatusReport]:
            first = messages[0]
            return super().fetch_reports(messages)
        """,
    ),
}
