"""What a listener says nearly always: one short text, whole in what the socket gave.

The library's parser takes a frame apart in generators, so that it may come in any pieces: ten
microseconds for a report that says a hundred bytes, and there are ten thousand of them a second.
Here the one common case is known by its first bytes (RFC 6455 §5.2)::

    81          the last fragment of a text, and the first
    80 | n      masked, n bytes; or FE and n in two bytes
    4 bytes     the mask
    n bytes     the text; then nothing

Everything else is the library's.
"""

from __future__ import annotations

from typing import Final

from astradio_stream.wire.messages import MAX_MESSAGE_BYTES

try:
    from websockets.speedups import apply_mask
except ImportError:  # a machine for which the library is not compiled
    from websockets.utils import apply_mask

_WHOLE_TEXT: Final = 0x81
_MASKED: Final = 0x80
_TWO_BYTES: Final = 126
_MASK_BYTES: Final = 4
_LENGTH_BYTES: Final = {_TWO_BYTES: 2, 127: 8}
_SHORTEST: Final = 8
"""Bytes of a frame around `{}`."""
_LONGEST: Final = MAX_MESSAGE_BYTES
"""Bytes of a frame. What is longer is refused or nearly so: let the library judge it."""
_END_OF_REQUEST: Final = b"\r\n\r\n"


def whole_text(data: bytes) -> str | None:
    """Return the text if this is one short masked frame of text and nothing else, or None."""
    if not _SHORTEST <= len(data) <= _LONGEST or data[0] != _WHOLE_TEXT:
        return None
    mask, n_bytes = 2, data[1] - _MASKED
    if n_bytes == _TWO_BYTES:
        mask, n_bytes = 4, data[2] << 8 | data[3]
    elif not 0 <= n_bytes < _TWO_BYTES:  # not masked, or longer than anything that is said
        return None
    begins = mask + _MASK_BYTES
    if len(data) != begins + n_bytes:
        return None
    try:
        return apply_mask(data[begins:], data[mask:begins]).decode()
    except UnicodeDecodeError:
        return None


def ends_with_a_frame(data: bytes) -> bool:
    """Return whether bytes that begin with a frame end where one ends."""
    at = 0
    while at + 2 <= len(data):
        n_bytes = data[at + 1] & ~_MASKED
        begins = at + 2
        if n_bytes in _LENGTH_BYTES:
            begins += _LENGTH_BYTES[n_bytes]
            n_bytes = int.from_bytes(data[at + 2 : begins], "big")
        at = begins + n_bytes + (_MASK_BYTES if data[at + 1] & _MASKED else 0)
    return at == len(data)


def ends_with_the_request(data: bytes) -> bool:
    """Return whether bytes are a whole request of a handshake, and no frame behind it."""
    return data.startswith(b"GET ") and data.find(_END_OF_REQUEST) == len(data) - 4
