"""What breaks in production: nothing is lost, nothing is sent twice, the final statuses are right.

The figures are printed: ``pytest -s``.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

from kannel_gateway import Gateway, until
from kannel_operator import Operator


def numbers(prefix: str, count: int) -> list[str]:
    """Return numbers of a range that is kept for fiction, below those that end in 09xx."""
    return [f"{prefix}{number:03}" for number in range(count)]


def arrivals(operator: Operator, prefix: str) -> Counter[str]:
    return Counter(f"+{message.to}" for message in operator.submitted(prefix.removeprefix("+")))


def test_a_burst(gateway: Gateway, operator: Operator, project: Any) -> None:
    recipients = numbers("+441184960", 900) + numbers("+442079460", 100)
    begun = time.monotonic()
    sent = project.send(*({"to": to, "text": f"To {to}"} for to in recipients))
    taken = time.monotonic() - begun
    assert not Counter(message["status"] for message in sent).keys() & {"failed", "unknown"}
    messages = project.settled(sent, lambda message: len(message["reports"]) == 2)
    reported = time.monotonic() - begun
    assert Counter(message["status"] for message in messages.values()) == {"delivered": 1000}
    arrived = arrivals(operator, "+441184960") + arrivals(operator, "+442079460")
    assert arrived == Counter(recipients)
    texts = {f"+{m.to}": m.text for m in operator.arrived("44")}
    assert all(texts[to] == f"To {to}" for to in recipients)
    print(
        f"\n1000 messages taken in {taken:.1f} s ({1000 / taken:.0f}/s), "
        f"2000 reports stored after {reported:.1f} s; each arrived once"
    )


def test_the_project_is_down(gateway: Gateway, operator: Operator, project: Any) -> None:
    project.stop_serving()
    sent = project.send(*({"to": to} for to in numbers("+441214960", 100)))
    for number in range(50):
        operator.inject(*operator.from_phone(f"441314960{number:03}", "12345", f"No. {number}"))
    until(
        "all have arrived",
        lambda: len(arrivals(operator, "+441214960")) == 100,
    )
    time.sleep(3)
    assert {m["status"] for m in project.ask("messages", [m["ref"] for m in sent]).values()} == {
        "sending"
    }
    project.serve()
    messages = project.settled(sent, lambda message: len(message["reports"]) == 2)
    assert Counter(message["status"] for message in messages.values()) == {"delivered": 100}
    came = until(
        "all texts have come in",
        lambda: len(texts := project.ask("incoming", "+441314960")) >= 50 and texts,
    )
    assert Counter(text["text"] for text in came) == Counter(f"No. {n}" for n in range(50))
    assert arrivals(operator, "+441214960") == Counter(numbers("+441214960", 100))
    print("\nthe project was down for 3 s: 200 reports and 50 incoming texts came afterwards")


def test_the_operators_link_is_down(gateway: Gateway, operator: Operator, project: Any) -> None:
    operator.link_down()
    until("Kannel has noticed", lambda: "re-connecting" in gateway.status())
    sent = project.send(*({"to": to} for to in numbers("+441414960", 50)))
    assert {message["status"] for message in sent} == {"sending"}
    assert not arrivals(operator, "+441414960")
    operator.link_up()
    messages = project.settled(sent, lambda message: len(message["reports"]) == 2)
    assert Counter(message["status"] for message in messages.values()) == {"delivered": 50}
    assert arrivals(operator, "+441414960") == Counter(numbers("+441414960", 50))
    print("\nthe operator's link was down: 50 messages queued, each delivered once")


def test_kannel_is_killed_with_messages_in_its_queue(
    gateway: Gateway, operator: Operator, project: Any
) -> None:
    operator.link_down()
    until("Kannel has noticed", lambda: "re-connecting" in gateway.status())
    queued = project.send(*({"to": to} for to in numbers("+441514960", 100)))
    assert {message["status"] for message in queued} == {"sending"}
    gateway.kill("smsbox", "bearerbox")
    # over the connections that the pool holds, and over new ones
    lost = project.send(*({"to": to} for to in numbers("+441614960", 20)))
    assert {message["status"] for message in lost} == {"failed"}
    operator.link_up()
    gateway.start()
    after = project.send(*({"to": to} for to in numbers("+441914980", 20)))
    messages = project.settled(queued + after, lambda message: len(message["reports"]) == 2)
    assert Counter(message["status"] for message in messages.values()) == {"delivered": 120}
    assert arrivals(operator, "+441514960") == Counter(numbers("+441514960", 100))
    assert arrivals(operator, "+441914980") == Counter(numbers("+441914980", 20))
    assert not arrivals(operator, "+441614960")
    print("\nKannel was killed: 100 messages of its queue delivered once, 20 not taken, none lost")


def test_kannel_is_killed_in_the_midst(gateway: Gateway, operator: Operator, project: Any) -> None:
    recipients = numbers("+442920180", 500)
    sent: list[dict[str, str]] = []
    sender = threading.Thread(
        target=lambda: sent.extend(project.send(*({"to": to} for to in recipients)))
    )
    sender.start()
    until("some have arrived", lambda: len(arrivals(operator, "+442920180")) > 50)
    gateway.kill("smsbox", "bearerbox")
    gateway.start()
    sender.join(60)
    assert len(sent) == 500
    by_answer: dict[str, set[str]] = {}
    for message in sent:
        answer = (
            "accepted"
            if message["status"] in ("sending", "sent", "delivered")
            else message["status"]
        )
        by_answer.setdefault(answer, set()).add(message["to"])
    until(
        "all that was accepted has arrived",
        lambda: set(arrivals(operator, "+442920180")) >= by_answer["accepted"],
    )
    arrived = arrivals(operator, "+442920180")
    # What we say was surely not taken was not, so that it may be sent again.
    assert by_answer.keys() <= {"accepted", "failed", "unknown"}
    assert not set(arrived) & by_answer.get("failed", set())
    messages = project.ask("messages", [message["ref"] for message in sent])
    stands = {message["to"]: message["status"] for message in messages.values()}
    assert {stands[to] for to in by_answer["accepted"]} <= {"sending", "sent", "delivered"}
    assert {to for to, status in stands.items() if status == "delivered"} <= set(arrived)
    # We never call twice for one message. What arrives twice was sent twice by Kannel, which does
    # not know what the operator had answered when it died.
    assert all(gateway.requests(to) <= 1 for to in recipients)
    twice = {to for to, count in arrived.items() if count > 1}
    assert len(twice) <= 50, "more than max-pending-submits"
    print(
        "\nKannel was killed among 500 messages: "
        + ", ".join(f"{len(tos)} {answer}" for answer, tos in by_answer.items())
        + f"; {len(arrived)} arrived, {len(twice)} of them twice by Kannel's own doing"
    )
