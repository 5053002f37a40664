"""The same with nothing but the standard library: the kit does not care which one speaks HTTP."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from djsms import OutgoingText, SendResult, hookimpl
from djsms.backends import BaseBackend
from djsms.exceptions import (
    AuthenticationFailed,
    OutcomeUnknown,
    Refused,
    TemporarilyUnavailable,
    Throttled,
)


@dataclass(frozen=True, kw_only=True)
class PlainBackend(BaseBackend):
    token: str = field(repr=False)
    url: str
    timeout: float = 5.0

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        host = urlsplit(self.url).netloc
        connection = http.client.HTTPConnection(host, timeout=self.timeout)
        try:
            connection.connect()
        except OSError as error:
            raise TemporarilyUnavailable(f"No connection: {type(error).__name__}") from error
        fields = {"to": message.to, "from": message.frm, "text": message.text}
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            connection.request("POST", "/messages", json.dumps(fields), headers)
            response = connection.getresponse()
            status, body = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise OutcomeUnknown(f"No answer: {type(error).__name__}") from error
        finally:
            connection.close()
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
            return SendResult.accepted(answer["id"], raw=answer)
        except (ValueError, KeyError, TypeError, RecursionError):
            raise OutcomeUnknown("The answer is not one.") from None
