"""What a webhook carries is read whatever its shape, exactly, or it is an ``InvalidWebhook``."""

import io
import json
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.test import AsyncRequestFactory, RequestFactory
from hypothesis import example, given
from hypothesis import strategies as st

from djsms import Status, StatusReport
from djsms.exceptions import Forged, InvalidWebhook
from djsms.ledger.storable import as_given
from djsms.webhooks import (
    MAX_DEPTH,
    MAX_PARAMETERS,
    json_object,
    json_objects,
    parameter_bytes,
    parameter_lists,
    parameters,
    read_each,
)

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=frontier"
JSON = "application/json"

READERS = [parameters, parameter_bytes, parameter_lists, json_object, json_objects]


def get(query: str) -> HttpRequest:
    return RequestFactory().get("/", QUERY_STRING=query)


def post(body: bytes | str, content_type: str = FORM) -> HttpRequest:
    data = body.encode() if isinstance(body, str) else body
    return RequestFactory().generic("POST", "/", data, CONTENT_TYPE=content_type)


def part(name: str, value: bytes) -> bytes:
    return b'--frontier\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (
        name.encode(),
        value,
    )


def multipart(*parts: bytes) -> HttpRequest:
    return post(b"".join(parts) + b"--frontier--\r\n", MULTIPART)


class TestParametersAreReadFrom:
    def test_the_query_of_a_get(self) -> None:
        assert parameters(get("to=447700900000&text=Hi")) == {"to": "447700900000", "text": "Hi"}

    def test_a_posted_form(self) -> None:
        assert parameters(post("to=447700900000&text=Hi")) == {"to": "447700900000", "text": "Hi"}

    def test_a_multipart_form(self) -> None:
        request = multipart(part("to", b"447700900000"), part("text", "Grüße".encode()))
        assert parameters(request) == {"to": "447700900000", "text": "Grüße"}

    def test_a_json_object(self) -> None:
        assert parameters(post('{"to": "447700900000"}', JSON)) == {"to": "447700900000"}

    @pytest.mark.parametrize("content_type", ["", "text/plain", "application/json; charset=utf-8"])
    def test_json_whatever_it_calls_itself(self, content_type: str) -> None:
        assert parameters(post('{"a": "b"}', content_type)) == {"a": "b"}

    def test_json_that_calls_itself_a_form(self) -> None:
        assert parameters(post(' {"a": "b"}', FORM)) == {"a": "b"}

    def test_nothing(self) -> None:
        assert parameters(get("")) == {}
        assert parameters(post("", FORM)) == {}

    def test_the_query_alone_if_it_is_a_get(self) -> None:
        request = RequestFactory().generic("GET", "/", b"a=1", FORM, QUERY_STRING="b=2")
        assert parameters(request) == {"b": "2"}

    def test_the_body_alone_if_it_is_a_post(self) -> None:
        request = RequestFactory().post("/?b=2", b"a=1", content_type=FORM)
        assert parameters(request) == {"a": "1"}


class TestValuesAreExactlyAsTheyCame:
    @pytest.mark.parametrize(
        ("query", "value"),
        [
            ("text=+Hi+", " Hi "),
            ("text=%2B447700900000", "+447700900000"),
            ("text=a%0D%0Ab%00", "a\r\nb\0"),
            ("text=", ""),
            ("text", ""),
            ("text=a=b", "a=b"),
            ("text=%C3%BC%F0%9F%98%80", "ü😀"),
            ("text=100%", "100%"),
            ("text=a;b", "a;b"),
        ],
    )
    def test_in_a_query_and_in_a_form(self, query: str, value: str) -> None:
        assert parameters(get(query)) == {"text": value}
        assert parameters(post(query)) == {"text": value}

    def test_bytes_that_should_have_been_percent_encoded_are_the_same_under_wsgi_and_asgi(
        self,
    ) -> None:
        raw = "text=ü".encode()
        wsgi = get(raw.decode("latin-1"))
        asgi = AsyncRequestFactory().get("/", QUERY_STRING=raw.decode())
        assert parameters(wsgi) == parameters(asgi) == {"text": "ü"}

    def test_other_encodings_as_bytes(self) -> None:
        utf_16 = "Grüße"
        query = "text=" + "".join(f"%{byte:02X}" for byte in utf_16.encode("utf-16-be"))
        assert parameter_bytes(get(query)) == {"text": utf_16.encode("utf-16-be")}
        assert parameter_bytes(post(b"text=Gr\xfc\xdfe")) == {"text": "Grüße".encode("latin-1")}

    @given(st.dictionaries(st.text(min_size=1), st.text(), max_size=5))
    def test_json_texts(self, values: dict[str, str]) -> None:
        assert parameters(post(json.dumps(values), JSON)) == values

    @pytest.mark.parametrize(
        ("written", "value"),
        [
            ("0.0330", "0.0330"),
            ("1.10", "1.10"),
            ("1E3", "1E3"),
            ("-0", "-0"),
            ("447700900000", "447700900000"),
            ("9" * 5000, "9" * 5000),
            ("1e999", "1e999"),
            ("true", "true"),
            ("false", "false"),
        ],
    )
    def test_json_numbers_keep_their_digits(self, written: str, value: str) -> None:
        assert parameters(post(f'{{"price": {written}}}', JSON)) == {"price": value}

    def test_json_nulls_are_left_out(self) -> None:
        assert parameters(post('{"a": null, "b": ""}', JSON)) == {"b": ""}

    def test_a_byte_order_mark_is_no_part_of_the_json(self) -> None:
        body = b'\xef\xbb\xbf{"a": "\xef\xbb\xbfb"}'
        assert parameters(post(body, JSON)) == {"a": "\ufeffb"}
        assert json_object(post(body, JSON)) == {"a": "\ufeffb"}


DOUBLED = {
    "a query": get("status=delivered&status=failed&to=a"),
    "a query without values": get("status=&status=&to=a"),
    "a query, written otherwise": get("%73tatus=1&status=2&to=a"),
    "a form": post("status=delivered&status=failed&to=a"),
    "a multipart form": multipart(
        part("status", b"delivered"), part("status", b"failed"), part("to", b"a")
    ),
    "json": post('{"status": "delivered", "status": "failed", "to": "a"}', JSON),
}
UNSURE = {
    "json with an empty list": post('{"status": [], "to": "a"}', JSON),
    "json with a list": post('{"status": ["a"], "to": "a"}', JSON),
    "json with an object": post('{"status": {"b": "c"}, "to": "a"}', JSON),
    "bytes that are no UTF-8": get("status=%FF&to=a"),
    "bytes that are none in a form": post(b"status=\xc3&to=a"),
    **{f"twice in {name}": request for name, request in DOUBLED.items()},
}
every_unsure = pytest.mark.parametrize("request_", UNSURE.values(), ids=UNSURE)


class TestOnlyParametersThatAreReadMustBeSure:
    @every_unsure
    @pytest.mark.parametrize(
        "read",
        [lambda f: f["status"], lambda f: f.get("status", ""), lambda f: f.pop("status")],
        ids=["by index", "by get", "by pop"],
    )
    def test_one_that_is_not_is_refused_when_it_is_read(
        self, request_: HttpRequest, read: Any
    ) -> None:
        with pytest.raises(InvalidWebhook, match=r"The parameter 'status' (is not|occurs more)"):
            read(parameters(request_))

    @every_unsure
    def test_the_others_are_read_all_the_same(self, request_: HttpRequest) -> None:
        found = parameters(request_)
        assert found["to"] == found.get("to") == found.pop("to") == "a"
        assert found.get("text", "none") == found.pop("text", "none") == "none"
        with pytest.raises(KeyError):
            found["text"]
        assert "status" in found

    @every_unsure
    def test_the_whole_can_be_kept_as_json(self, request_: HttpRequest) -> None:
        kept = json.loads(json.dumps(parameters(request_)))
        assert kept["to"] == "a"
        assert kept == json.loads(json.dumps(as_given(parameters(request_))))
        assert kept == json.loads(json.dumps(dict(parameters(request_))))

    @pytest.mark.parametrize("request_", DOUBLED.values(), ids=DOUBLED)
    def test_of_a_repeated_one_every_value_is_kept(self, request_: HttpRequest) -> None:
        assert len(dict(parameters(request_))["status"]) == 2

    def test_it_is_so_in_bytes(self) -> None:
        found = parameter_bytes(get("status=%FF&status=b&to=%FF"))
        assert found["to"] == b"\xff"
        with pytest.raises(InvalidWebhook, match="more than once"):
            found.get("status")
        assert dict(found)["status"] == [b"\xff", b"b"]

    def test_bytes_that_are_no_utf_8_may_be_replaced(self) -> None:
        found = parameters(get("answer=a%FFb&text=%C3%BC"), errors="replace")
        assert found == {"answer": "a\ufffdb", "text": "ü"}
        assert found["answer"] == "a\ufffdb"

    def test_a_name_that_is_no_utf_8_does_no_harm(self) -> None:
        assert parameters(get("%FF=text&to=a"))["to"] == "a"


class TestAmbiguousJSONIsRefused:
    def test_a_name_repeated_deep_inside(self) -> None:
        with pytest.raises(InvalidWebhook, match="more than once"):
            json_object(post('{"a": [{"b": 1, "b": 2}]}', JSON))


class TestWhatCannotBeReadIsRefused:
    @pytest.mark.parametrize(
        "request_",
        [
            get("text=%FF"),
            get("text=\xff"),
            post("text=%C3"),
            post(b"text=\xc3"),
            post(b'{"text": "\xc3"}', JSON),
            post('{"text": "ü"}'.encode("utf-16"), JSON),
            AsyncRequestFactory().get("/", QUERY_STRING="text=%FF"),
        ],
    )
    def test_bad_utf_8(self, request_: HttpRequest) -> None:
        with pytest.raises(InvalidWebhook):
            parameters(request_)["text"]

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "{",
            '{"a": "b"',
            '{"a": "b',
            '{"a": "b"} {}',
            '{"a": NaN}',
            '{"a": -Infinity}',
            "{'a': 'b'}",
            '{"a": "\n"}',
            "[]",
            '"a"',
            "1",
            "null",
            "[" * 100_000,
            '{"a":' * 100_000,
        ],
    )
    def test_what_is_no_json_object(self, body: str) -> None:
        for read in (parameters, json_object):
            with pytest.raises(InvalidWebhook):
                read(post(body, JSON))

    @pytest.mark.parametrize("number", ["9" * 5000, "-" + "9" * 5000, "1e999", "-1e999"])
    def test_a_number_that_could_not_be_stored(self, number: str) -> None:
        with pytest.raises(InvalidWebhook):
            json_object(post(f'{{"a": [{number}]}}', JSON))

    def test_values_nested_deeper_than_anybody_means(self) -> None:
        deepest = '{"a":' * MAX_DEPTH + "1" + "}" * MAX_DEPTH
        assert json_object(post(deepest, JSON))
        for body in (f'{{"a": {deepest}}}', '{"a": ' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}"):
            with pytest.raises(InvalidWebhook, match="nested"):
                json_object(post(body, JSON))

    def test_too_many_parameters(self) -> None:
        query = "&".join(f"a{n}=" for n in range(MAX_PARAMETERS))
        assert len(parameters(get(query))) == MAX_PARAMETERS
        with pytest.raises(InvalidWebhook):
            parameters(get(query + "&b="))

    @pytest.mark.parametrize(
        "request_",
        [
            post(b"", "multipart/form-data"),
            post(b"--frontier", "multipart/form-data; boundary=" + "x" * 300),
            post(
                part("a", b"b") + b"--frontier--\r\n",
                "multipart/form-data; boundary=frontier; charset=base64",
            ),
            multipart(*(part(f"a{n}", b"") for n in range(1001))),
            post(
                b'--frontier\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n'
                b"Content-Transfer-Encoding: base64\r\n\r\n\xff!\r\n--frontier--\r\n",
                MULTIPART,
            ),
        ],
        ids=["no boundary", "long boundary", "no charset", "too many", "no base64"],
    )
    def test_a_malformed_multipart_form(self, request_: HttpRequest) -> None:
        with pytest.raises(InvalidWebhook):
            parameters(request_)

    @pytest.mark.parametrize("content_type", [FORM, JSON, MULTIPART])
    def test_a_body_cut_off_on_its_way(self, content_type: str) -> None:
        class CutOff(io.BytesIO):
            def read(self, *_: object) -> bytes:
                raise ConnectionResetError

        for read in READERS:
            request = RequestFactory().generic("POST", "/", "{}", content_type)
            request._stream = CutOff()
            with pytest.raises(InvalidWebhook):
                read(request)

    def test_a_body_that_a_middleware_has_read_before(self) -> None:
        request = multipart(part("a", b"b"))
        assert request.POST
        with pytest.raises(InvalidWebhook):
            json_object(request)

    @pytest.mark.parametrize("content_type", [FORM, JSON, MULTIPART])
    def test_but_a_body_that_is_too_large_is_for_the_view_to_answer(
        self, content_type: str, settings: Any
    ) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
        body = part("a", b"b" * 20) + b"--frontier--\r\n"
        with pytest.raises(RequestDataTooBig):
            parameters(post(body, content_type))


def report_of(entry: Any) -> StatusReport | None:
    if entry == "nothing":
        return None
    if entry == "forged":
        raise Forged("It is not theirs.")
    if entry == "unreadable":
        raise InvalidWebhook("It has no status.")
    return StatusReport(status=Status.SENT, provider_id=entry["id"], raw=entry)


class TestReportsInBulk:
    GOOD, OTHER = {"id": "1"}, {"id": "2"}

    def read(self, *entries: Any) -> list[StatusReport]:
        return read_each(entries, report_of)

    def test_are_each_read(self) -> None:
        assert self.read(self.GOOD, "nothing", self.OTHER) == [
            report_of(self.GOOD),
            report_of(self.OTHER),
        ]
        assert self.read() == self.read("nothing") == []

    @pytest.mark.parametrize("bad", ["unreadable", {"no": "id"}, {"id": 5}, None, 7], ids=str)
    def test_that_cannot_be_read_lose_no_others(self, bad: Any, caplog: Any) -> None:
        first, unreadable, last = self.read(self.GOOD, bad, self.OTHER)
        assert [first, last] == [report_of(self.GOOD), report_of(self.OTHER)]
        assert "Status report 2 cannot be read" in caplog.text
        assert (unreadable.status, unreadable.provider_status) == (Status.UNKNOWN, "unreadable")
        assert unreadable.raw == {"unreadable": bad}
        assert unreadable.ref == unreadable.provider_id == ""

    def test_that_cannot_be_read_are_the_same_when_they_come_again_and_no_others(self) -> None:
        bad = [{"no": "id"}, {"no": "name"}]
        once, again = self.read(self.GOOD, *bad), self.read(self.GOOD, *bad)
        assert once == again
        assert once[1].error_code != once[2].error_code

    @pytest.mark.parametrize(
        ("bad", "error"), [("unreadable", InvalidWebhook), ({"no": "id"}, KeyError)], ids=str
    )
    def test_of_which_none_can_be_read_are_an_error(self, bad: Any, error: type[Exception]) -> None:
        with pytest.raises(error):
            self.read(bad, bad)

    def test_that_are_forged_are_refused_with_all_others(self) -> None:
        with pytest.raises(Forged):
            self.read(self.GOOD, "forged")


CONTENT_TYPES = st.sampled_from(
    [FORM, JSON, MULTIPART, "", "text/plain", "multipart/form-data", f"{FORM}; charset=idna"]
) | st.text(st.characters(codec="ascii", exclude_categories=["Cc"]))


class TestNothingButInvalidWebhookGetsOut:
    @given(st.binary(), CONTENT_TYPES)
    @example(part("a", b"=?") + b"--frontier--", MULTIPART + "; charset=punycode")
    def test_of_a_post(self, body: bytes, content_type: str) -> None:
        for read in READERS:
            self.read(read, post(body, content_type))

    @given(st.binary())
    def test_of_a_get(self, query: bytes) -> None:
        for read in READERS:
            self.read(read, get(query.decode("latin-1")))

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        )
    )
    def test_of_json(self, value: Any) -> None:
        body = json.dumps(value)
        for read in READERS:
            self.read(read, post(body, JSON))

    @given(st.lists(st.binary(max_size=20), max_size=4))
    def test_of_a_multipart_form(self, pieces: list[bytes]) -> None:
        self.read(parameters, post(b"\r\n--frontier\r\n".join(pieces), MULTIPART))

    def read(self, read: Any, request: HttpRequest) -> None:
        try:
            values = read(request)
        except InvalidWebhook:
            return
        assert isinstance(values, list if read is json_objects else dict)
        if read in (json_object, json_objects):
            assert json.loads(json.dumps(values, allow_nan=False)) == values
        elif read is parameter_lists:
            assert all(isinstance(value, str) for given in values.values() for value in given)
        else:
            kind = bytes if read is parameter_bytes else str
            for name in values:
                try:
                    assert isinstance(values[name], kind)
                except InvalidWebhook:
                    assert name in dict(values)


class TestSeveralObjects:
    def test_come_as_a_list(self) -> None:
        assert json_objects(post('[{"a": 1}, {"b": 2}]', JSON)) == [{"a": 1}, {"b": 2}]

    def test_may_be_one_alone(self) -> None:
        assert json_objects(post('{"a": 1}', JSON)) == [{"a": 1}]

    def test_may_be_none(self) -> None:
        assert json_objects(post("[]", JSON)) == []

    @pytest.mark.parametrize("body", ['[{"a": 1}, 2]', "[[]]", "7", '"a"', "null"])
    def test_are_objects_all(self, body: str) -> None:
        with pytest.raises(InvalidWebhook, match="not an object"):
            json_objects(post(body, JSON))


class TestListsOfValues:
    def test_keep_all_of_a_name_in_order(self) -> None:
        assert parameter_lists(get("b=2&a=1&b=&b=2")) == {"b": ["2", "", "2"], "a": ["1"]}
        assert parameter_lists(post("b=2&a=1&b=3")) == {"b": ["2", "3"], "a": ["1"]}

    def test_of_a_multipart_form(self) -> None:
        request = multipart(part("to", b"1"), part("to", "é".encode()))
        assert parameter_lists(request) == {"to": ["1", "é"]}

    def test_of_a_json_object_have_one_each(self) -> None:
        assert parameter_lists(post('{"to": 1, "text": "Hi"}', JSON)) == {
            "to": ["1"],
            "text": ["Hi"],
        }

    def test_are_utf8(self) -> None:
        with pytest.raises(InvalidWebhook, match="UTF-8"):
            parameter_lists(get("a=%ff"))
