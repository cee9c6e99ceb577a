"""The table of close codes says what the contract says."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest

from astradio_stream.wire import session
from astradio_stream.wire.closing import CLOSING_OF_CODE, Closing
from astradio_stream.wire.faults import CLOSING_OF_ERROR

VECTORS = json.loads((Path(__file__).parent / "vectors" / "closing.json").read_text())

DOCS = Path(__file__).parent.parent / "docs" / "PROTOCOL.md"
CONTRACT = """
1000 done
1003
1007
1009
1011 internal
1012 restart
4000 bad_message
4001 bad_version
4004 no_such_programme
4005 out_of_order
4100 overloaded
4101 rate_limited
4102 slow_consumer
4103 heartbeat_timeout
4104 hello_timeout
"""


def test_codes_and_words_are_those_of_the_contract() -> None:
    ours = {(str(closing.code), closing.word) for closing in Closing}
    rows = (row.split() for row in CONTRACT.strip().splitlines())
    assert ours == {(code, "".join(word)) for code, *word in rows}


def test_no_two_rows_share_a_code_or_a_label() -> None:
    assert len(CLOSING_OF_CODE) == len(Closing) == len({closing.label for closing in Closing})


@pytest.mark.parametrize("closing", Closing)
def test_a_reason_fits_in_a_close_frame(closing: Closing) -> None:
    assert len(closing.word.encode()) <= 123
    assert closing.when


def test_the_vectors_say_of_every_code_what_a_player_does_next() -> None:
    """`web/tests/closing.test.js` reads the same file."""
    said = {code for codes in VECTORS.values() if isinstance(codes, list) for code in codes}
    assert said >= {closing.code for closing in Closing}
    never = {code for code in said if 4000 <= code <= 4099}
    back_off = {code for code in said if 4100 <= code <= 4199} | {1006, 1011, 1013}
    soon = {code for code in said if 4200 <= code <= 4299} | {1012}
    assert never <= set(VECTORS["stop"])
    assert back_off == set(VECTORS["later"])
    assert soon == set(VECTORS["soon"])


def test_the_docs_have_the_same_table() -> None:
    rows = re.findall(r"^\| (\d{4}) \| (\S+) \|", DOCS.read_text(), re.MULTILINE)
    written = {(int(code), word.strip("–")) for code, word in rows}
    assert written == {(closing.code, closing.word) for closing in Closing}


def test_the_docs_have_every_code_of_an_error_and_how_it_closes() -> None:
    """Codes stand in the table of faults, and in the session where it speaks for itself."""
    source = inspect.getsource(session)
    ends = re.findall(r'_end\("([A-Z_]+)", .*, Closing\.([A-Z_]+)\)', source)
    closes = {code: Closing[name].code for code, name in ends}
    closes |= {error.code: closing.code for error, closing in CLOSING_OF_ERROR.items()}
    refused = set(re.findall(r'_refuse\("([A-Z_]+)"', source))
    rows = re.findall(r"^\| `([A-Z_]+)` \| [^|]+ \| (\d{4}|–) \|", DOCS.read_text(), re.MULTILINE)
    assert {code: int(told) for code, told in rows if told != "–"} == closes
    assert {code for code, _ in rows} == closes.keys() | refused
