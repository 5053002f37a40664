"""What becomes of a message: every ending that an operator and Kannel know."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from kannel_gateway import Gateway
from kannel_operator import Operator

# by the last digits of the number: the final status, its code, and the words that were reported
OUTCOMES = {
    "0201": ("delivered", "", {"smsc submit", "DELIVRD"}),
    "0902": ("failed", "001", {"smsc submit", "UNDELIV"}),
    "0903": ("expired", "027", {"smsc submit", "EXPIRED"}),
    "0904": ("delivered", "", {"smsc submit", "ENROUTE", "DELIVRD"}),
    "0905": ("rejected", "069", {"smsc submit", "REJECTD"}),
    "0906": ("failed", "255", {"smsc submit", "UNKNOWN"}),
    "0907": ("failed", "011", {"smsc submit", "DELETED"}),
    "0910": ("delivered", "", {"smsc submit", "DELIVRD"}),
    # Kannel forgets a message after its first final receipt
    "0911": ("failed", "001", {"smsc submit", "UNDELIV"}),
    "0913": ("expired", "027", {"smsc submit", "EXPIRED"}),
    "0916": ("refused", "0x0000000b", {"smsc reject"}),
    "0917": ("refused", "0x00000045", {"smsc reject"}),
    "0918": ("delivered", "", {"smsc submit", "DELIVRD"}),
    "0919": ("delivered", "", {"smsc submit", "DELIVRD"}),
}


def test_every_ending(gateway: Gateway, operator: Operator, project: Any) -> None:
    areas = ("113", "114", "115", "116", "117")
    sent = project.send(*({"to": f"+44{area}496{suffix}"} for area in areas for suffix in OUTCOMES))
    assert len({message["to"] for message in sent}) == len(OUTCOMES) * len(areas)
    words = {message["to"]: OUTCOMES[message["to"][-4:]][2] for message in sent}
    messages = project.settled(
        sent, lambda message: {word for _, word, *_ in message["reports"]} >= words[message["to"]]
    )
    for to, message in messages.items():
        status, code, reported = OUTCOMES[to[-4:]]
        assert (message["status"], message["code"]) == (status, code), message
        assert [word for _, word, *_ in message["reports"]] == list(
            dict.fromkeys(word for _, word, *_ in message["reports"])
        ), "a report was kept twice"
        assert {word for _, word, *_ in message["reports"]} == reported
        assert bool(message["words"]) == (status != "delivered")
        # the operator's id is kept, where it gave one
        ids = {ident for *_, ident in message["reports"]}
        assert len(ids) == 1
        assert bool(ids.pop()) == (status != "refused")
    print(f"\n{len(messages)} messages: {Counter(m['status'] for m in messages.values())}")


def test_no_report_ever(gateway: Gateway, project: Any) -> None:
    [message] = project.settled(
        project.send({"to": "+447700900908"}), lambda message: message["status"] == "sent"
    ).values()
    assert [word for _, word, *_ in message["reports"]] == ["smsc submit"]


def test_no_report_wanted(gateway: Gateway, operator: Operator, project: Any) -> None:
    [sent] = project.send({"to": "+447700900202", "status_report": False})
    control = project.send({"to": "+447700900203"})
    project.settled(control)
    [message] = project.ask("messages", [sent["ref"]]).values()
    assert (message["status"], message["reports"]) == ("sending", [])
    assert len(operator.arrived("447700900202")) == 1


def test_no_route(gateway: Gateway, project: Any) -> None:
    sent = project.send({"to": "+447700900204", "extra": {"smsc": "nowhere"}})
    assert sent[0]["status"] == "refused"
    [message] = project.settled(sent, lambda message: bool(message["reports"])).values()
    assert message["status"] == "refused"
    # the report says so, too, and may be faster than the answer
    assert message["words"] in ("Not routable. Do not try again.", "no SMSC")
    assert message["reports"] == [["refused", "smsc reject", "", "no SMSC", ""]]


def test_a_wrong_password(gateway: Gateway, operator: Operator, project: Any) -> None:
    [sent] = project.send({"to": "+447700900205", "using": "intruder"})
    assert (sent["status"], sent["code"]) == ("refused", "403")
    assert sent["words"].startswith("Authorization failed")
    assert operator.arrived("447700900205") == []


def test_https_with_an_authority_of_our_own(
    gateway: Gateway, operator: Operator, project: Any, tmp_path: Path
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate, is not there")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
        "-addext subjectAltName=IP:127.0.0.1"
    )
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    gateway.start_tls(certificate, key)
    secure = project.accounts["default"] | {"url": gateway.tls_url}
    known = dict(project.accounts)
    project.accounts |= {
        "trusting": secure | {"ca_file": str(certificate)},
        "wary": secure,
    }
    project.stop_serving()
    project.stop_working()
    project.work()
    project.serve()
    sent = project.send({"to": "+447700900206", "using": "trusting"})
    assert project.settled(sent)["+447700900206"]["status"] == "delivered"
    [refused] = project.send({"to": "+447700900207", "using": "wary"})
    assert refused["status"] == "failed"
    assert operator.arrived("447700900207") == []
    project.accounts.clear()
    project.accounts |= known
