"""libopus behind one small file: where it is found, and the few calls that we make of it.

opuslib gives the library and its structures; it also searches for the library by itself when it is
imported, raises a bare `Exception` when it finds none, and copies every packet through an `array`.
So its search is answered by us, and its raw functions are called with buffers made once.

The system's libopus serves if it is not older than the one this design was measured with; else
the one that the PyAV wheel carries. Which one is in use is part of every `ready`.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util
import re
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from astradio_stream.errors import CodecUnavailable
from astradio_stream.units import N_CHANNELS, PACKET_SAMPLES, SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

OLDEST_VERSION: Final = (1, 3, 1)
"""Older ones were not measured at the seams between segments."""

COMPLEXITY: Final = 5
"""Twice as fast as 10, and no ear told them apart at 96 kb/s."""

_MAX_PACKET_BYTES: Final = 1275  # RFC 6716 §3.2.1
_OK: Final = 0
_APPLICATION_RESTRICTED_LOWDELAY: Final = 2051  # CELT only: look-ahead 120 samples
_SET_BITRATE: Final = 4002
_SET_COMPLEXITY: Final = 4010
_RESET_STATE: Final = 4028
_GET_LOOKAHEAD: Final = 4027
_SET_PREDICTION_DISABLED: Final = 4042


def _candidates() -> list[str]:
    """Return paths or names under which libopus may be loaded, best first."""
    found = []
    system = ctypes.util.find_library("opus")
    if system is not None:
        found.append(system)
    wheel = importlib.util.find_spec("av")
    if wheel is not None and wheel.origin is not None:
        package = Path(wheel.origin).parent
        for folder in (package.parent / "av.libs", package / ".dylibs"):
            found += [
                str(path) for path in sorted(folder.glob("*opus*")) if "core" not in path.name
            ]
    return found


def _version_of(library: ctypes.CDLL) -> str:
    get_version = library["opus_get_version_string"]
    get_version.restype = ctypes.c_char_p
    return str(get_version().decode())


def _is_recent(version: str) -> bool:
    digits = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
    return digits is not None and tuple(int(d or 0) for d in digits.groups()) >= OLDEST_VERSION


def _choose() -> str:
    """Return the name of the first libopus that loads and is recent enough."""
    refused = []
    for name in _candidates():
        try:
            version = _version_of(ctypes.CDLL(name))
        except (OSError, AttributeError) as error:
            refused.append(f"{name}: {error}")
            continue
        if _is_recent(version):
            return name
        refused.append(f"{name}: {version} is too old")
    oldest = ".".join(map(str, OLDEST_VERSION))
    raise CodecUnavailable(
        f"libopus {oldest} or newer is needed: install the package `av`, which carries it, or "
        f"the system's libopus ({'; '.join(refused) or 'none was found'})"
    )


class Library:
    """The functions of libopus that we call, with their types set."""

    def __init__(self) -> None:
        """Find and load libopus.

        Raises:
            CodecUnavailable: None is there, or none is recent enough.
        """
        chosen = _choose()
        search = ctypes.util.find_library
        ctypes.util.find_library = lambda name: chosen if name == "opus" else search(name)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)  # opuslib compares with `is`
                from opuslib import api  # noqa: PLC0415 - importing it loads the library
        finally:
            ctypes.util.find_library = search
        library: ctypes.CDLL = api.libopus
        self.version: str = _version_of(library)
        self.create_encoder = self._function(
            library, "opus_encoder_create", ctypes.c_void_p, "iiip"
        )
        self.encode = self._function(library, "opus_encode", ctypes.c_int32, "ppipi")
        # Variadic: only the fixed arguments are declared, the rest is typed at the call.
        self.encoder_ctl = self._function(library, "opus_encoder_ctl", ctypes.c_int, "pi")
        self.destroy_encoder = self._function(library, "opus_encoder_destroy", None, "p")
        self.create_decoder = self._function(library, "opus_decoder_create", ctypes.c_void_p, "iip")
        self.decode = self._function(library, "opus_decode", ctypes.c_int, "ppipii")
        self.destroy_decoder = self._function(library, "opus_decoder_destroy", None, "p")

    @staticmethod
    def _function(library: ctypes.CDLL, name: str, returns: Any, takes: str) -> Any:
        function = library[name]  # a new object: opuslib's own types stay as they are
        kinds: dict[str, Any] = {"i": ctypes.c_int32, "p": ctypes.c_void_p}
        function.argtypes = [kinds[kind] for kind in takes]
        function.restype = returns
        return function


@cache
def library() -> Library:
    """Return the libopus of this process, found and loaded once."""
    return Library()


def _checked(result: int, what: str) -> int:
    if result < _OK:
        raise CodecUnavailable(f"libopus {library().version} answered {result} to {what}")
    return result


class Encoder:
    """One run of packets: 48 kHz stereo, 20 ms each, without prediction across packets."""

    def __init__(self, bitrate: int) -> None:
        """Create an encoder with nothing before its first packet.

        Args:
            bitrate: Target (bits per second) of its variable bit rate.
        """
        self._library = library()
        error = ctypes.c_int32()
        self._state: int | None = self._library.create_encoder(
            SAMPLE_RATE_HZ, N_CHANNELS, _APPLICATION_RESTRICTED_LOWDELAY, ctypes.byref(error)
        )
        _checked(error.value, "opus_encoder_create")
        self._set(_SET_BITRATE, bitrate)
        self._set(_SET_COMPLEXITY, COMPLEXITY)
        self._set(_SET_PREDICTION_DISABLED, 1)
        self._packet = ctypes.create_string_buffer(_MAX_PACKET_BYTES)

    def _set(self, request: int, value: int) -> None:
        answer = self._library.encoder_ctl(self._state, request, ctypes.c_int32(value))
        _checked(answer, f"request {request}")

    def reset(self) -> None:
        """Forget every packet: what follows is what a new encoder of this bit rate would make."""
        _checked(self._library.encoder_ctl(self._state, _RESET_STATE), "OPUS_RESET_STATE")

    @property
    def look_ahead(self) -> int:
        """Samples by which what a decoder plays is late: the `preSkip` of the stream."""
        value = ctypes.c_int32()
        _checked(
            self._library.encoder_ctl(self._state, _GET_LOOKAHEAD, ctypes.byref(value)),
            "OPUS_GET_LOOKAHEAD",
        )
        return value.value

    def encode(self, pcm: NDArray[np.int16]) -> list[bytes]:
        """Return the packets of interleaved PCM, shape (960 n_packets, 2), C-contiguous."""
        return [*self.packets(pcm)]

    def packets(self, pcm: NDArray[np.int16]) -> Iterator[bytes]:
        """Yield the packets of `encode` as they come; meanwhile, encode nothing else."""
        if pcm.dtype != np.int16 or not pcm.flags.c_contiguous:
            raise TypeError("the encoder takes C-contiguous int16")
        address, step = pcm.ctypes.data, PACKET_SAMPLES * N_CHANNELS * 2
        out = ctypes.addressof(self._packet)
        for _ in range(len(pcm) // PACKET_SAMPLES):
            n_bytes = self._library.encode(
                self._state, address, PACKET_SAMPLES, out, _MAX_PACKET_BYTES
            )
            yield self._packet.raw[: _checked(n_bytes, "opus_encode")]
            address += step

    def __del__(self) -> None:
        state = getattr(self, "_state", None)
        if state:
            self._state = None
            self._library.destroy_encoder(state)


class Decoder:
    """The other side, for the self-test at start and for tests."""

    def __init__(self) -> None:
        self._library = library()
        error = ctypes.c_int32()
        self._state: int | None = self._library.create_decoder(
            SAMPLE_RATE_HZ, N_CHANNELS, ctypes.byref(error)
        )
        _checked(error.value, "opus_decoder_create")

    def decode(self, packets: Sequence[bytes]) -> NDArray[np.int16]:
        """Return the interleaved PCM of packets, shape (960 n_packets, 2), late by the look-ahead.

        Raises:
            CodecUnavailable: A packet is not Opus.
        """
        pcm = np.empty((len(packets) * PACKET_SAMPLES, N_CHANNELS), np.int16)
        for number, packet in enumerate(packets):
            out = pcm.ctypes.data + number * PACKET_SAMPLES * N_CHANNELS * 2
            n_samples = self._library.decode(
                self._state, packet, len(packet), out, PACKET_SAMPLES, 0
            )
            if _checked(n_samples, "opus_decode") != PACKET_SAMPLES:
                raise CodecUnavailable(f"a packet held {n_samples} samples, not {PACKET_SAMPLES}")
        return pcm

    def __del__(self) -> None:
        state = getattr(self, "_state", None)
        if state:
            self._state = None
            self._library.destroy_decoder(state)


@cache
def look_ahead() -> int:
    """Return the look-ahead of our encoders (samples), the `preSkip` of every stream."""
    return Encoder(96_000).look_ahead
