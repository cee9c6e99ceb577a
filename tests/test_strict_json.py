"""Strict JSON: what is read is read exactly, what is doubtful is refused with a sentence."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astradio_stream.errors import BadJson
from astradio_stream.strict_json import MAX_INTEGER_DIGITS, dump_json, dump_text, parse_json

LIMIT = 1_000_000

REFUSED = {
    "nothing": b"",
    "half an object": b'{"a":',
    "two values": b"{} {}",
    "a comment": b"{} // no",
    "single quotes": b"{'a': 1}",
    "a trailing comma": b"[1,]",
    "a leading zero": b"01",
    "a control character": b'"\x01"',
    "doubled keys": b'{"a": 1, "a": 2}',
    "doubled keys deep inside": b'[{"b": {"a": 1, "\\u0061": 2}}]',
    "NaN": b"[NaN]",
    "Infinity": b"Infinity",
    "minus Infinity": b"-Infinity",
    "a number beyond a double": b"1e999",
    "a negative number beyond a double": b"-1e999",
    "doubled keys between others": b'{"a": 1, "b": "1", "a": 2}',
    "doubled keys with text": b'{"type": "report", "type": "report"}',
    "doubled empty keys": b'{"": 1, "": 1}',
    "a doubled key that a text makes up for": b'{"a": "b", "a": "\\""}',
    "a flat object beyond a double": b'{"a": 1e400}',
    "an integer of 301 digits": b'{"a": ' + b"9" * 301 + b"}",
    "a flat object with NaN": b'{"a": NaN}',
    "a lone high surrogate": b'"\\ud800"',
    "a lone low surrogate": b'["\\udc00"]',
    "a lone surrogate as a key": b'{"\\ud800": 1}',
    "surrogates in the wrong order": b'"\\udc00\\ud800"',
    "bytes that are not UTF-8": b'"\xff"',
    "a surrogate as raw bytes": b'"\xed\xa0\x80"',
    "an overlong encoding": b'"\xc0\xaf"',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "an array bomb": b"[" * 100_000,
    "an object bomb": b'{"a":' * 100_000,
    "a closed bomb": b"[" * 50_000 + b"]" * 50_000,
    "100 000 digits": b"9" * 100_000,
    "100 000 digits below zero": b"-" + b"9" * 100_000,
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_doubtful_text_is_refused(text: bytes) -> None:
    with pytest.raises(BadJson):
        parse_json(text, LIMIT)


def test_a_lone_surrogate_in_a_string_is_refused() -> None:
    with pytest.raises(BadJson, match="UTF-8"):
        parse_json('"\ud800"', LIMIT)


def test_a_byte_order_mark_in_a_string_is_refused() -> None:
    with pytest.raises(BadJson, match="byte order mark"):
        parse_json("\ufeff{}", LIMIT)


def test_length_counts_bytes_not_characters() -> None:
    text = '"' + "é" * 10 + '"'
    assert parse_json(text, 22) == "é" * 10
    with pytest.raises(BadJson, match="at most 21 bytes, got 22"):
        parse_json(text, 21)


def test_depth_is_counted_exactly_and_not_inside_strings() -> None:
    assert parse_json("[[[]]]", LIMIT, max_depth=3) == [[[]]]
    with pytest.raises(BadJson, match="nest 3 deep"):
        parse_json("[[[[]]]]", LIMIT, max_depth=3)
    assert parse_json(r'["[[[[", "\"[[[[", "\\"]', LIMIT, max_depth=1) == ["[[[[", '"[[[[', "\\"]


def test_a_limit_beyond_the_readers_own_is_still_a_refusal() -> None:
    with pytest.raises(BadJson):
        parse_json("[" * 200_000 + "]" * 200_000, LIMIT, max_depth=10**9)


def test_a_million_open_quotes_take_no_time() -> None:
    with pytest.raises(BadJson):
        parse_json('"' + '\\"' * 499_000, LIMIT)


def test_integers_stay_exact_and_finite_as_doubles() -> None:
    assert parse_json("9007199254740993", LIMIT) == 9_007_199_254_740_993
    assert float(parse_json("9" * MAX_INTEGER_DIGITS, LIMIT)) < float("inf")  # type: ignore[arg-type]


def test_escaped_pairs_of_surrogates_are_one_character() -> None:
    assert parse_json(rb'"\ud83c\udf19"', LIMIT) == "🌙"


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


FLAT_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(2**63 - 2, 2**64 + 2),
    st.floats(allow_nan=False, allow_infinity=False), st.text('ab"\\{[:, é🌙', max_size=6),
)  # fmt: skip
FLAT = st.lists(st.tuples(st.text('ab"\\', max_size=2), FLAT_VALUES), max_size=4)


@given(FLAT, st.booleans(), st.booleans())
def test_a_short_object_is_read_as_the_slow_reader_reads_it(
    pairs: list[tuple[str, object]], is_ascii: bool, is_spaced: bool
) -> None:
    """Keys come twice here, and integers are longer than 64 bits: both readers say the same."""
    dump, colon = json.JSONEncoder(ensure_ascii=is_ascii).encode, ": " if is_spaced else ":"
    text = "{" + ",".join(f"{dump(key)}{colon}{dump(value)}" for key, value in pairs) + "}"
    told = []
    for padding in ("", " " * 600):  # so long that it is read slowly
        try:
            told.append(repr(parse_json(text + padding, LIMIT)))
        except BadJson as error:
            told.append(error.message)
    assert told[0] == told[1]
    assert ("twice" in told[0]) == (len(dict(pairs)) < len(pairs))


@pytest.mark.parametrize("text", ["-0", "-0.0", "1e5", "18446744073709551616", "9007199254740993"])
def test_a_number_is_of_the_type_that_it_was_written_in(text: str) -> None:
    read = parse_json(f'{{"a": {text}}}', LIMIT)
    assert repr(read) == repr({"a": json.loads(text)})


@given(JSON_VALUES)
def test_what_we_dump_we_parse(value: object) -> None:
    assert parse_json(dump_json(value), LIMIT) == value
    assert parse_json(dump_text(value), LIMIT) == value


@given(JSON_VALUES)
def test_what_others_dump_we_parse(value: object) -> None:
    assert parse_json(json.dumps(value), LIMIT) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        parse_json(data, LIMIT)
    except BadJson as error:
        assert error.message  # noqa: PT017
