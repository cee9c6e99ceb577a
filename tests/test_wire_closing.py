"""The table of close codes says what the contract says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from astradio_stream.wire.closing import CLOSING_OF_CODE, Again, Closing, again_after

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


@pytest.mark.parametrize(
    ("codes", "again"),
    [
        (range(4000, 4100), Again.NEVER),
        ((1000, 1003, 1007, 1009, 3000, 4300), Again.NEVER),
        (range(4100, 4200), Again.BACK_OFF),
        ((1006, 1011, 1013), Again.BACK_OFF),
        (range(4200, 4300), Again.SOON),
        ((1012,), Again.SOON),
    ],
)
def test_what_a_client_may_do_next(codes: range | tuple[int, ...], again: Again) -> None:
    assert {again_after(code) for code in codes} == {again}


def test_the_docs_have_the_same_table() -> None:
    docs = Path(__file__).parent.parent / "docs" / "PROTOCOL.md"
    rows = re.findall(r"^\| (\d{4}) \| (\S+) \|", docs.read_text(), re.MULTILINE)
    written = {(int(code), word.strip("–")) for code, word in rows}
    assert written == {(closing.code, closing.word) for closing in Closing}
