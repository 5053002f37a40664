"""The five methods against vectors: our own, and those that the provider's SDKs publish."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from djsms.exceptions import Forged
from djsms_nexmo import signatures

DATA = Path(__file__).parent / "data"
VECTORS = json.loads((DATA / "signature_vectors.json").read_text("utf-8"))["vectors"]
PUBLISHED = json.loads((DATA / "published_signatures.json").read_text("utf-8"))


def each_signature(vectors: list[dict[str, Any]]) -> list[Any]:
    return [
        pytest.param(
            vector, method, expected, id=f"{vector.get('name', vector.get('id'))}-{method}"
        )
        for vector in vectors
        for method, expected in vector["signatures"].items()
    ]


@pytest.mark.parametrize(
    ("vector", "method", "expected"), each_signature(VECTORS) + each_signature(PUBLISHED["valid"])
)
def test_signs_and_verifies_the_vectors(vector: dict[str, Any], method: str, expected: str) -> None:
    assert signatures.sign(vector["params"], vector["secret"], method) == expected.lower()
    signatures.verify(vector["params"] | {"sig": expected}, vector["secret"], method)
    signatures.verify(vector["params"] | {"sig": expected.upper()}, vector["secret"], method)


def test_there_are_all_vectors() -> None:
    assert len(each_signature(VECTORS)) == 40
    assert len(each_signature(PUBLISHED["valid"])) == 23


@pytest.mark.parametrize(("vector", "method", "expected"), each_signature(VECTORS))
def test_each_changed_parameter_breaks_the_signature(
    vector: dict[str, Any], method: str, expected: str
) -> None:
    for name in vector["params"]:
        changed = vector["params"] | {name: vector["params"][name] + "x", "sig": expected}
        with pytest.raises(Forged):
            signatures.verify(changed, vector["secret"], method)


def test_a_published_wrong_signature_is_refused() -> None:
    (vector,) = PUBLISHED["invalid"]
    with pytest.raises(Forged):
        signatures.verify(
            vector["params"] | {"sig": vector["sig"]}, vector["secret"], vector["algorithm"]
        )


def test_parameters_without_a_value_may_be_signed_or_left_out() -> None:
    """One SDK leaves them out, the others do not; what the provider does is not documented."""
    left_out, not_the_algorithm = PUBLISHED["sdk_disagreements"]
    signed = left_out["params"] | {"sig": left_out["signature"]}
    signatures.verify(signed, left_out["secret"], left_out["algorithm"])

    other = not_the_algorithm["params"] | {"sig": not_the_algorithm["signature"]}
    with pytest.raises(Forged):
        signatures.verify(other, not_the_algorithm["secret"], not_the_algorithm["algorithm"])


def test_two_parameters_do_not_fit_into_the_name_of_one() -> None:
    signed = {"text": "Hi", "to": "447700900000"}
    sig = signatures.sign(signed, "secret", "sha256")
    with pytest.raises(Forged):
        signatures.verify({"text=Hi&to": "447700900000", "sig": sig}, "secret", "sha256")


@pytest.mark.parametrize("sig", ["", "é", "\ud800", "0" * 64, "zz"])
def test_what_is_no_signature_is_refused(sig: str) -> None:
    with pytest.raises(Forged):
        signatures.verify({"text": "Hi", "sig": sig}, "secret", "sha256")


def test_a_missing_signature_is_refused() -> None:
    with pytest.raises(Forged, match="not signed"):
        signatures.verify({"text": "Hi"}, "secret", "sha256")


def test_half_a_surrogate_pair_can_be_signed() -> None:
    fields = {"text": "\ud83d"}
    signed = fields | {"sig": signatures.sign(fields, "secret", "sha256")}
    signatures.verify(signed, "secret", "sha256")


@pytest.mark.parametrize(
    "timestamp", ["{now}", "{now_minus_299}", "{now_plus_299}", "{now}.0", "{now}.5"]
)
def test_fresh_requests_pass(timestamp: str) -> None:
    now = int(time.time())
    values = {"now": now, "now_minus_299": now - 299, "now_plus_299": now + 299}
    signatures.refuse_stale(timestamp.format(**values), 300)


@pytest.mark.parametrize("timestamp", [None, "", "soon", "nan", "1577880000", "9" * 400, 1e400])
def test_stale_requests_do_not(timestamp: object) -> None:
    with pytest.raises(Forged):
        signatures.refuse_stale(timestamp, 300)
