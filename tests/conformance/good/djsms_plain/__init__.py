"""The same with nothing but the standard library: the kit does not care which one speaks HTTP."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from djsms import OutgoingText, SendResult, hookimpl
from djsms.backends import BaseBackend
from djsms.exceptions import (
    AuthenticationFailed,
    InvalidOptions,
    OutcomeUnknown,
    Refused,
    TemporarilyUnavailable,
    Throttled,
)

MAX_ANSWER = 1024 * 1024
LONGEST = 300


@dataclass(frozen=True, kw_only=True)
class PlainBackend(BaseBackend):
    token: str = field(repr=False)
    url: str
    timeout: float = 5.0

    def __post_init__(self) -> None:
        if not isinstance(self.timeout, int | float) or not 0 < self.timeout < LONGEST:
            raise InvalidOptions(f"timeout is {self.timeout!r}")

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        host = urlsplit(self.url).netloc
        connection = http.client.HTTPConnection(host, timeout=self.timeout)
        try:
            connection.connect()
        except OSError as error:
            raise TemporarilyUnavailable(f"No connection: {type(error).__name__}") from error
        # A timeout of sockets begins anew with each byte: this ends the call as a whole.
        deadline = threading.Timer(self.timeout * 2, connection.sock.shutdown, [socket.SHUT_RDWR])
        deadline.start()
        fields = {"to": message.to, "from": message.frm, "text": message.text}
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            connection.request("POST", "/messages", json.dumps(fields), headers)
            response = connection.getresponse()
            status, body = response.status, response.read(MAX_ANSWER + 1)
        except (OSError, http.client.HTTPException) as error:
            raise OutcomeUnknown(f"No answer: {type(error).__name__}") from error
        finally:
            deadline.cancel()
            deadline.join()
            connection.close()
        if len(body) > MAX_ANSWER:
            raise OutcomeUnknown("The answer is too large.")
        return self.read(status, body)

    def read(self, status: int, body: bytes) -> SendResult:
        if status == 429:
            raise Throttled("Too many", code="429")
        if status == 401:
            raise AuthenticationFailed("Not known", code="401")
        if 400 <= status < 500:
            raise Refused("Refused", code=str(status))
        try:
            answer = json.loads(body)
            if not isinstance(answer["id"], str) or not answer["id"]:
                raise ValueError("no id")
            return SendResult.accepted(answer["id"], raw=answer)
        except (ValueError, KeyError, TypeError, RecursionError):
            raise OutcomeUnknown("The answer is not one.") from None
