"""A mobile operator for a Kannel to connect to: a small SMPP 3.4 message centre that tests steer.

It runs in a thread of its own. The last four digits of a recipient decide what becomes of a
message (``PLANS``); to all others it is delivered.
"""

from __future__ import annotations

import asyncio
import itertools
import struct
import threading
import time
from collections import deque
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

T = TypeVar("T")

SYSTEM_ID, PASSWORD = b"djsms", b"operator"

BINDS = {1, 2, 9}
SUBMIT_SM, DELIVER_SM, UNBIND, ENQUIRE_LINK, RESPONSE = 0x04, 0x05, 0x06, 0x15, 0x80000000
IS_RECEIPT, HAS_HEADER = 0x04, 0x40
MESSAGE_PAYLOAD, RECEIPTED_ID, MESSAGE_STATE = 0x0424, 0x001E, 0x0427
STATES = {"ENROUTE": 1, "DELIVRD": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5}

GSM7 = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = dict(zip(b"\x0a\x14\x28\x29\x2f\x3c\x3d\x3e\x40\x65", "\f^{}\\[~]|€", strict=True))


@dataclass(frozen=True)
class Receipt:
    state: str
    error: str = "000"
    after: float = 0.1
    with_state: bool = False


DELIVERED = Receipt("DELIVRD")


@dataclass(frozen=True)
class Plan:
    receipts: tuple[Receipt, ...] = ()
    answer: int = 0
    times: int | None = None


PLANS = {
    "0902": Plan((Receipt("UNDELIV", "001"),)),
    "0903": Plan((Receipt("EXPIRED", "027"),)),
    "0904": Plan((Receipt("ENROUTE"), Receipt("DELIVRD", after=0.8))),
    "0905": Plan((Receipt("REJECTD", "069"),)),
    "0906": Plan((Receipt("UNKNOWN", "255"),)),
    "0907": Plan((Receipt("DELETED", "011"),)),
    "0908": Plan(),
    "0910": Plan((DELIVERED, Receipt("DELIVRD", after=0.5))),
    "0911": Plan((Receipt("UNDELIV", "001"), Receipt("DELIVRD", after=0.5))),
    "0913": Plan((Receipt("EXPIRED", "027", with_state=True),)),
    "0916": Plan(answer=0x0B),
    "0917": Plan(answer=0x45),
    "0918": Plan((DELIVERED,), answer=0x58, times=1),
    "0919": Plan((DELIVERED,), answer=0x14, times=1),
}


@dataclass(frozen=True)
class Submitted:
    """One short message as Kannel submitted it; a text in parts is joined by ``arrived``."""

    to: str
    frm: str
    frm_type: int
    data_coding: int
    priority: int
    schedule: str
    validity: str
    udh: bytes = field(repr=False)
    data: bytes = field(repr=False)
    parts: int = 1

    @property
    def text(self) -> str:
        if self.data_coding & 0x0C == 0x08:
            return self.data.decode("utf-16-be")
        return from_gsm7(self.data)


def from_gsm7(data: bytes) -> str:
    septets = iter(data)
    return "".join(
        EXTENSION[next(septets)] if septet == 0x1B else GSM7[septet] for septet in septets
    )


class Operator:
    """The message centre. All its state is touched by its own thread alone."""

    def __init__(self) -> None:
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="operator")
        self._server: asyncio.Server | None = None
        self._links: set[Link] = set()
        self._submitted: list[Submitted] = []
        self._waiting: deque[bytes] = deque()
        self._used: dict[str, int] = {}
        self._ids = itertools.count(int(time.time()))
        self._references = itertools.count(1)

    def start(self) -> None:
        self._thread.start()
        self.link_up()

    def stop(self) -> None:
        self.link_down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def link_up(self) -> None:
        self._run(self._listen())

    def link_down(self) -> None:
        """Close the connection, and refuse new ones."""
        self._run(self._hang_up())

    def submitted(self, to: str = "") -> list[Submitted]:
        """Every short message that was taken, to numbers that begin like this."""

        async def collect() -> list[Submitted]:
            return [message for message in self._submitted if message.to.startswith(to)]

        return self._run(collect())

    def arrived(self, to: str = "") -> list[Submitted]:
        """What the phones show: the texts, those in parts joined."""
        texts: dict[tuple[object, ...], list[Submitted]] = {}
        for index, message in enumerate(self.submitted(to)):
            header = message.udh
            joined = header[1:2] == b"\x00" and len(header) == 6
            key = (message.to, message.frm, header[3:5]) if joined else (index,)
            texts.setdefault(key, []).append(message)
        return [
            replace(parts[0], data=b"".join(part.data for part in ordered), parts=len(parts))
            for parts in texts.values()
            for ordered in [sorted(parts, key=lambda part: part.udh[-1:])]
        ]

    def inject(self, *messages: bytes) -> None:
        """Hand messages to Kannel as coming from phones; see ``from_phone``."""

        async def enqueue() -> None:
            self._waiting.extend(messages)
            self._deliver()

        self._run(enqueue())

    def from_phone(self, frm: str, to: str, text: str, **how: Any) -> list[bytes]:
        """Make the short messages of which a text consists; see ``in_parts``."""
        return [
            deliver_sm(frm, to, part, header=header, data_coding=coding, **how)
            for header, part, coding in in_parts(text, next(self._references))
        ]

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=10)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _hang_up(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        links = list(self._links)
        for link in links:
            link.writer.close()
        while links and self._links & set(links):
            await asyncio.sleep(0.01)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(writer)
        try:
            while True:
                length, command, _, sequence = struct.unpack(">IIII", await reader.readexactly(16))
                body = await reader.readexactly(length - 16)
                self._handle(link, command, sequence, body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._links.discard(link)
            self._waiting.extendleft(reversed(link.unanswered.values()))
            writer.close()

    def _handle(self, link: Link, command: int, sequence: int, body: bytes) -> None:
        if command in BINDS:
            user, password, _ = body.split(b"\0", 2)
            right = (user, password) == (SYSTEM_ID, PASSWORD)
            link.send(command | RESPONSE, b"operator\0", sequence, status=0 if right else 0x0E)
            if right:
                self._links.add(link)
                self._deliver()
        elif command == SUBMIT_SM:
            self._submit(link, sequence, body)
        elif command == DELIVER_SM | RESPONSE:
            link.unanswered.pop(sequence, None)
        elif command in (ENQUIRE_LINK, UNBIND):
            link.send(command | RESPONSE, b"", sequence)

    def _submit(self, link: Link, sequence: int, body: bytes) -> None:
        message, wants_receipt = parse_submit_sm(body)
        plan = PLANS.get(message.to[-4:], Plan((DELIVERED,)))
        used = self._used[message.to] = self._used.get(message.to, 0) + 1
        answer = 0 if plan.times is not None and used > plan.times else plan.answer
        ident = str(next(self._ids)) if not answer else ""
        link.send(SUBMIT_SM | RESPONSE, ident.encode() + b"\0", sequence, status=answer)
        if answer:
            return
        self._submitted.append(message)
        for receipt in plan.receipts if wants_receipt else ():
            self._loop.call_later(receipt.after, self._report, message, ident, receipt)

    def _report(self, message: Submitted, ident: str, receipt: Receipt) -> None:
        now = time.strftime("%y%m%d%H%M")
        words = (
            f"id:{ident} sub:001 dlvrd:001 submit date:{now} done date:{now} "
            f"stat:{receipt.state} err:{receipt.error} text:{message.data[:12].hex()}"
        )
        values = {}
        if receipt.with_state:
            values = {
                RECEIPTED_ID: ident.encode() + b"\0",
                MESSAGE_STATE: bytes([STATES[receipt.state]]),
            }
        self._waiting.append(
            deliver_sm(message.to, message.frm, words.encode(), esm_class=IS_RECEIPT, values=values)
        )
        self._deliver()

    def _deliver(self) -> None:
        link = next(iter(self._links), None)
        while link and self._waiting:
            link.deliver(self._waiting.popleft())


class Link:
    """One connection of Kannel's."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.unanswered: dict[int, bytes] = {}
        self._sequence = itertools.count(1)

    def deliver(self, body: bytes) -> None:
        sequence = next(self._sequence)
        self.unanswered[sequence] = body
        self.send(DELIVER_SM, body, sequence)

    def send(self, command: int, body: bytes, sequence: int, status: int = 0) -> None:
        if not self.writer.is_closing():
            head = struct.pack(">IIII", 16 + len(body), command, status, sequence)
            self.writer.write(head + body)


def parse_submit_sm(body: bytes) -> tuple[Submitted, bool]:
    """Return the message, and whether a receipt is wanted for it."""
    rest = body

    def word() -> bytes:
        nonlocal rest
        value, rest = rest.split(b"\0", 1)
        return value

    def octets(count: int) -> bytes:
        nonlocal rest
        value, rest = rest[:count], rest[count:]
        return value

    word()
    frm_type, _ = octets(2)
    frm = word().decode("latin-1")
    octets(2)
    to = word().decode("latin-1")
    esm_class, _, priority = octets(3)
    schedule, validity = word().decode(), word().decode()
    registered, _, data_coding, _, length = octets(5)
    data = octets(length)
    for tag, value in parse_values(rest):
        if tag == MESSAGE_PAYLOAD:
            data = value
    size = data[0] + 1 if esm_class & HAS_HEADER else 0
    message = Submitted(
        to=to,
        frm=frm,
        frm_type=frm_type,
        data_coding=data_coding,
        priority=priority,
        schedule=schedule,
        validity=validity,
        udh=data[:size],
        data=data[size:],
    )
    return message, bool(registered & 0x1F)


def parse_values(rest: bytes) -> Iterator[tuple[int, bytes]]:
    while len(rest) >= 4:
        tag, length = struct.unpack(">HH", rest[:4])
        yield tag, rest[4 : 4 + length]
        rest = rest[4 + length :]


def deliver_sm(
    frm: str,
    to: str,
    data: bytes,
    *,
    header: bytes = b"",
    data_coding: int = 0,
    esm_class: int = 0,
    frm_type: int = 1,
    values: dict[int, bytes] | None = None,
) -> bytes:
    esm_class |= HAS_HEADER if header else 0
    data = header + data
    return b"".join(
        [
            b"\0",
            bytes([frm_type, 1]),
            frm.encode("latin-1") + b"\0",
            bytes([0, 1]),
            to.encode("latin-1") + b"\0",
            bytes([esm_class, 0, 0, 0, 0, 0, 0, data_coding, 0, len(data)]),
            data,
            *(struct.pack(">HH", tag, len(item)) + item for tag, item in (values or {}).items()),
        ]
    )


def in_parts(text: str, reference: int) -> Iterator[tuple[bytes, bytes, int]]:
    """Cut a text as a phone does; even references take two octets, odd ones take one."""
    data, coding, single, joined = encoded(text)
    if len(data) <= single:
        yield b"", data, coding
        return
    pieces = [data[start : start + joined] for start in range(0, len(data), joined)]
    for number, piece in enumerate(pieces, 1):
        place = bytes([len(pieces), number])
        if reference % 2:
            yield bytes([5, 0, 3, reference % 256]) + place, piece, coding
        else:
            yield bytes([6, 8, 4]) + reference.to_bytes(2, "big") + place, piece, coding


def encoded(text: str) -> tuple[bytes, int, int, int]:
    """Return the octets, their coding, and how many of them fit alone and in a part."""
    escapes = {char: bytes([0x1B, code]) for code, char in EXTENSION.items()}
    try:
        septets = b"".join(escapes.get(char) or bytes([GSM7.index(char)]) for char in text)
    except ValueError:
        return text.encode("utf-16-be"), 8, 140, 132
    return septets, 0, 160, 152
