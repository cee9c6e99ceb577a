"""The interface as docs/HTTP.md tells it and as openapi.json does: the same names, both ways."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from astradio_stream.server.http import STATUS_OF_CODE
from astradio_stream.server.media import KINDS
from astradio_stream.server.media_head import CACHE_CONTROL
from astradio_stream.server.openapi import document
from astradio_stream.server.probes import limits_of
from astradio_stream.server.readiness import Readiness
from astradio_stream.settings import TABLE
from astradio_stream.sky.houses import HOUSE_SYSTEMS
from astradio_stream.viz.fields import BODY_FIELDS, FIELDS, N_BANDS
from tests.serving import settings_in

ROOT = Path(__file__).parent.parent
HTTP = (ROOT / "docs" / "HTTP.md").read_text()
PROTOCOL = (ROOT / "docs" / "PROTOCOL.md").read_text()
SERVER = "\n".join(
    path.read_text() for path in sorted((ROOT / "astradio_stream" / "server").glob("*.py"))
).lower()

OF_PROGRAMMES = (
    "Programme", "ComposeRequest", "MidiRequest", "Controls", "Change", "SavedChartId", "Palette",
)  # fmt: skip
"""Schemas whose fields PROTOCOL.md tells: a programme is the same on both ways."""
NOT_SENT = {"Zone"}
"""A list of six hundred names that somebody else keeps."""
_KEY = re.compile("[A-G][#b]?")
"""Keys are told by their letters."""


def in_code(text: str) -> list[str]:
    """Return what stands in backticks or in a block of its own."""
    blocks = re.findall(r"(?:^ {4}.*\n)+", text, re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", text) + blocks


def words_in(texts: list[str]) -> set[str]:
    return set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", "\n".join(texts)))


def fields_in(schema: Any) -> Iterator[str]:
    """Yield the names of all fields in a schema that may be there."""
    if isinstance(schema, dict):
        for name, inner in schema.get("properties", {}).items():
            if inner is not False:
                yield name
        for inner in schema.values():
            yield from fields_in(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from fields_in(inner)


def words_of(schema: Any) -> Iterator[str]:
    """Yield the words of all closed lists in a schema."""
    if isinstance(schema, dict):
        yield from (word for word in schema.get("enum", ()) if isinstance(word, str))
        if isinstance(schema.get("const"), str):
            yield schema["const"]
        for inner in schema.values():
            yield from words_of(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from words_of(inner)


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return document(settings_in(tmp_path_factory.mktemp("docs")))


@pytest.fixture(scope="module")
def schemas(described: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = described["components"]["schemas"]
    return {name: schema for name, schema in found.items() if name not in NOT_SENT}


def parameters_of(described: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return (path, parameter) for all of them."""
    return [
        (path, parameter)
        for path, methods in described["paths"].items()
        for page in methods.values()
        for parameter in page["parameters"]
    ]


# What is described is told -----------------------------------------------------------------------


def test_every_field_is_told(schemas: dict[str, Any]) -> None:
    here = words_in(in_code(HTTP))
    there = here | words_in(in_code(PROTOCOL))
    for name, schema in schemas.items():
        told = there if name in OF_PROGRAMMES else here
        assert set(fields_in(schema)) - told == set(), name


def test_every_word_of_a_closed_list_is_told(schemas: dict[str, Any]) -> None:
    text = f"{HTTP}\n{PROTOCOL}"
    for name, schema in schemas.items():
        words = {word for word in words_of(schema) if not _KEY.fullmatch(word)}
        missing = {word for word in words if not is_word(word, text)}
        assert missing == set(), name


def is_word(word: str, text: str) -> bool:
    return re.search(rf"(?<![\w#]){re.escape(word)}(?![\w#])", text) is not None


def test_every_value_of_a_query_is_told_with_its_page(described: dict[str, Any]) -> None:
    for path, parameter in parameters_of(described):
        name = parameter["name"]
        if parameter["in"] == "header":
            assert f"`{name}`" in HTTP
        else:
            row = rf"^\| `[A-Z, ]+ {re.escape(path.split('{')[0])}.*\b{name}\b"
            assert re.search(row, HTTP, re.MULTILINE), (path, name)


def test_bounds_and_defaults_of_a_query_are_told(described: dict[str, Any]) -> None:
    n_checked = 0
    for _, parameter in parameters_of(described):
        schema = parameter["schema"]
        told = [schema.get(key) for key in ("minimum", "maximum", "maxLength", "default")]
        numbers = [str(number).replace("-", "−") for number in told if number is not None]
        if parameter["in"] == "query" and len(numbers) > 1:
            places = re.finditer(rf"`{parameter['name']}`", HTTP)
            near = [HTTP[place.start() : place.end() + 80] for place in places]
            assert any(all(is_word(n, text) for n in numbers) for text in near), parameter
            n_checked += 1
    assert n_checked >= 4


def test_every_header_of_an_answer_is_told(described: dict[str, Any]) -> None:
    answers = [
        answer
        for methods in described["paths"].values()
        for page in methods.values()
        for answer in page["responses"].values()
    ]
    for header in {name for answer in answers for name in answer["headers"]}:
        assert is_word(header, "\n".join(in_code(HTTP))), header
    for scheme in described["components"]["securitySchemes"].values():
        assert f"`{scheme['name']}`" in HTTP


def test_what_caches_and_charts_are_promised_is_told_literally() -> None:
    assert f"`{CACHE_CONTROL}`" in HTTP
    houses = re.search(r"`houses`, one of (.*?) and `fold`", HTTP)
    assert houses is not None
    assert re.findall(r"`(\w+)`", houses[1]) == list(HOUSE_SYSTEMS)


# What is told is described ------------------------------------------------------------------------


def test_every_field_of_a_shape_is_described(
    described: dict[str, Any], schemas: dict[str, Any], tmp_path: Path
) -> None:
    """A shape is what stands in braces: a name in it is a field, or a word of a closed list."""
    known = set(fields_in(schemas)) | set(words_of(schemas)) | {"name"}
    known |= {parameter["name"] for _, parameter in parameters_of(described)}
    known |= set(limits_of(SimpleNamespace(settings=settings_in(tmp_path))))  # type: ignore[arg-type]
    shapes = [text for text in in_code(HTTP) if "{" in text]
    named = set()
    for shape in shapes:
        inner = re.sub(r': "[^"]*"', ":", shape)  # values
        named |= set(re.findall(r'(?:(?<=[{,] )|(?<=\{))"?([a-z]\w*)"?(?=[,:}\]])', inner))
    assert len(named) > 100
    assert named - known == set()


def test_every_code_in_capitals_is_one() -> None:
    known = {*STATUS_OF_CODE, *Readiness.__members__, *(row.name for row in TABLE)}
    told = set(re.findall(r"\b[A-Z]{3,}(?:_[A-Z]+)+\b", HTTP))
    assert len(told) > 15
    assert told <= known


def test_every_address_is_one(described: dict[str, Any]) -> None:
    known = [*described["paths"], "/stream"]
    known += [f"/media/{kind}/{{name}}" for kind in KINDS]
    told = set(re.findall(r"(?<!\w)/(?:api|media|static)/[\w/]*|/\w+z\b", "\n".join(in_code(HTTP))))
    assert len(told) > 20
    for path in told:
        assert any(each.startswith(path) for each in known), path


def test_every_header_that_is_told_is_known_to_the_server() -> None:
    told = set(re.findall(r"\b[A-Z][A-Za-z]*(?:-[A-Z][a-zA-Z]+)+\b", "\n".join(in_code(HTTP))))
    assert len(told) > 8
    assert {name for name in told if name.lower() not in SERVER} == set()


# Programmes ---------------------------------------------------------------------------------------


def test_the_fields_of_a_programme_are_those_that_are_read(schemas: dict[str, Any]) -> None:
    table = PROTOCOL.partition("\n### Programme\n")[2].partition("*Here*")[0]
    told = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    asked = {name for kind in schemas["ComposeRequest"]["anyOf"] for name in kind["properties"]}
    assert set(told) == asked - {"durationS"}
    assert len(set(told)) == len(told)


def test_the_fields_of_a_picture_are_those_that_are_sent() -> None:
    bands = {f"band{n}" for n in range(N_BANDS)}
    told = words_in(in_code(PROTOCOL))
    assert {field.name for field in FIELDS} - bands - set(BODY_FIELDS) <= told
    assert {"band0", f"band{N_BANDS - 1}", BODY_FIELDS[0], BODY_FIELDS[-1]} <= told
    assert "eight bands" in PROTOCOL
    assert N_BANDS == 8
