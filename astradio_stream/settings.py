"""Settings from the environment and `.env`: one validated table, one clear line when it is wrong.

The environment beats `.env`; a variable that is set but empty counts as not set. Every mistake is
told at once, so that one start shows all of them. What a setting means stands in docs/settings.md.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from astradio_stream.errors import SettingsError

PREFIX: Final = "ASTRADIO_"

Origin: TypeAlias = tuple[str, str, int]
"""(scheme, host, port): what two origins must share to be one."""

IpNetwork: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

Reader: TypeAlias = Callable[[str], Any]
"""Text of a setting -> value; raises `ValueError` with what would be right."""

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})
_SHOWN_CHARACTERS: Final = 60


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, checked."""

    host: str
    """Address to listen on."""
    port: int
    """Port to listen on; 0 takes any free one."""
    data_dir: Path
    """Where what must survive a restart is kept."""
    log_file: Path
    """Where log lines go beside standard output."""
    log_level: str
    """The least severe level that is logged."""
    log_format: str
    """How a log line is written: `line` or `json`."""
    log_max_mb: int
    """Size at which the log file is put aside (megabytes)."""
    log_kept: int
    """How many files that were put aside are kept."""
    workers: int
    """Processes that share the port."""
    allowed_origins: tuple[Origin, ...]
    """Origins other than our own that may ask."""
    allowed_hosts: tuple[str, ...]
    """Hosts that this server answers for; empty for any."""
    trusted_proxies: tuple[IpNetwork, ...]
    """Whose X-Forwarded-For is believed."""
    rate_limit_max: int
    """Tokens in a full bucket."""
    rate_limit_window_s: int
    """How long an empty bucket takes to fill (seconds)."""
    enable_viz_engine: bool
    """Whether pictures are made at all."""
    default_audio_model: str
    """The audio model of a programme that names none."""
    opus_bitrate: int
    """Of the stereo stream (bits per second)."""
    drain_s: int
    """How long a stop may take (seconds)."""
    render_threads: int
    """Threads that render segments."""
    cache_mb: int
    """Encoded segments kept (megabytes)."""
    media_mb: int
    """Files of pieces kept (megabytes)."""
    max_listeners: int
    """Beyond this, newcomers are refused."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table."""

    name: str
    """As the environment has it."""
    read: Reader
    """Checks the text and returns the value."""
    default: str
    """The text that stands for an absent setting."""
    reloadable: bool
    """Whether SIGHUP reads it again."""

    @property
    def attribute(self) -> str:
        """The name of the field of `Settings`."""
        return self.name.removeprefix(PREFIX).lower()


def integer(low: int, high: int) -> Reader:
    """Return the reader of an integer from `low` to `high`."""

    def read(text: str) -> int:
        if re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII) and low <= int(text) <= high:
            return int(text)
        right = f"an integer from {low} to {high}" if low < high else str(low)
        raise ValueError(right)

    return read


def boolean(text: str) -> bool:
    """Read true or false."""
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise ValueError("true or false")


def word(*words: str) -> Reader:
    """Return the reader of one word out of a list."""

    def read(text: str) -> str:
        if text.lower() in words:
            return text.lower()
        raise ValueError(f"one of {', '.join(words)}")

    return read


def host(text: str) -> str:
    """Read a host name or an address."""
    if re.fullmatch(r"[A-Za-z0-9._:%-]{1,255}", text):
        return text
    raise ValueError("a host name or an IP address without a port")


def path(text: str) -> Path:
    """Read a path."""
    if "\0" in text:
        raise ValueError("a path")
    return Path(text)


def origin_of(text: str) -> Origin:
    """Return the (scheme, host, port) of an origin such as ``https://radio.example``.

    Raises:
        ValueError: the text is not an origin: a path, credentials, `*`, `null`.
    """
    parts = urlsplit(text)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or "*" in text:
        raise ValueError(text)
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc or text[-1] in "?#:":
        raise ValueError(text)
    if re.search(r"[\s\\\x00-\x1f]", text):
        raise ValueError(text)
    return parts.scheme, parts.hostname.rstrip("."), parts.port or DEFAULT_PORTS[parts.scheme]


def origins(text: str) -> tuple[Origin, ...]:
    """Read a list of origins."""
    try:
        return tuple(origin_of(entry) for entry in _entries(text))
    except ValueError:
        raise ValueError(
            "a comma-separated list of origins such as https://radio.example"
            " (`*` and `null` are never allowed)"
        ) from None


def hosts(text: str) -> tuple[str, ...]:
    """Read a list of host names and addresses."""
    found = tuple(entry.lower() for entry in _entries(text))
    if all(re.fullmatch(r"[a-z0-9._-]{1,253}|\[[0-9a-f:.]+\]", entry, re.ASCII) for entry in found):
        return found
    raise ValueError(
        "a comma-separated list of host names such as radio.example, without scheme and port"
    )


def networks(text: str) -> tuple[IpNetwork, ...]:
    """Read a list of addresses and networks."""
    try:
        found = tuple(ipaddress.ip_network(entry) for entry in _entries(text))
    except ValueError:
        found = None
    if found is None or any(network.prefixlen == 0 for network in found):
        raise ValueError(
            "a comma-separated list of IP addresses or networks such as 10.0.0.0/8"
            " (`*` and whole address spaces would believe anyone)"
        )
    return found


NEWEST: Final = "newest"

# fmt: off
TABLE: Final = (
    #       name                       type                      default      reloadable
    Setting("ASTRADIO_HOST",           host,                     "127.0.0.1",      False),
    Setting("ASTRADIO_PORT",           integer(0, 65_535),       "3000",           False),
    Setting("ASTRADIO_DATA_DIR",       path,                     "data",           False),
    Setting("ASTRADIO_LOG_FILE",       path,                     "logs/app.log",   False),
    Setting("ASTRADIO_LOG_LEVEL",      word(*LOG_LEVELS),        "info",           True),
    Setting("ASTRADIO_LOG_FORMAT",     word("line", "json"),     "line",         False),
    Setting("ASTRADIO_LOG_MAX_MB",     integer(1, 102_400),      "50",           False),
    Setting("ASTRADIO_LOG_KEPT",       integer(0, 1_000),        "5",            False),
    Setting("ASTRADIO_WORKERS",        integer(1, 64),           "1",              False),
    Setting("ALLOWED_ORIGINS",         origins,                  "",               False),
    Setting("ALLOWED_HOSTS",           hosts,                    "",               False),
    Setting("TRUSTED_PROXIES",         networks,                 "",               False),
    Setting("RATE_LIMIT_MAX",          integer(1, 1_000_000),    "50",             True),
    Setting("RATE_LIMIT_WINDOW_S",     integer(1, 86_400),       "10",             True),
    Setting("ENABLE_VIZ_ENGINE",       boolean,                  "true",           True),
    Setting("DEFAULT_AUDIO_MODEL",     str,                      NEWEST,           True),
    Setting("OPUS_BITRATE",            integer(16_000, 510_000), "96000",          False),
    Setting("DRAIN_S",                 integer(0, 600),          "25",             False),
    Setting("ASTRADIO_RENDER_THREADS", integer(1, 64),           "2",              False),
    Setting("ASTRADIO_CACHE_MB",       integer(1, 65_536),       "128",            False),
    Setting("ASTRADIO_MEDIA_MB",       integer(1, 1_048_576),    "512",            False),
    Setting("ASTRADIO_MAX_LISTENERS",  integer(1, 1_000_000),    "2000",           False),
)
# fmt: on

SETTING_OF_NAME: Final = {setting.name: setting for setting in TABLE}


def load_settings(
    environ: Mapping[str, str],
    dotenv_path: Path | None = None,
    audio_models: Sequence[str] = (),
) -> Settings:
    """Return the settings of this start.

    Args:
        environ: The environment; it beats the file.
        dotenv_path: A `.env` file; one that does not exist counts as empty.
        audio_models: Names of the audio models there are, oldest first; with none given
            DEFAULT_AUDIO_MODEL is taken as it stands.

    Raises:
        SettingsError: one line that names every setting that is wrong and what would be right.
    """
    written, mistakes = _written(environ, dotenv_path)
    mistakes += [_unknown(name) for name in sorted(written) if _is_unknown(name)]
    values: dict[str, Any] = {}
    for setting in TABLE:
        text = (written.get(setting.name) or "").strip() or setting.default
        try:
            values[setting.attribute] = setting.read(text)
        except ValueError as wanted:
            mistakes.append(f"{setting.name} must be {wanted}, got {_shown(text)}")
    model = values["default_audio_model"]
    if audio_models and model == NEWEST:
        values["default_audio_model"] = audio_models[-1]
    elif audio_models and model not in audio_models:
        right = f"one of {', '.join(audio_models)}"
        mistakes.append(f"DEFAULT_AUDIO_MODEL must be {right}, got {_shown(model)}")
    if mistakes:
        raise SettingsError("; ".join(mistakes))
    return Settings(**values)


def _written(
    environ: Mapping[str, str], dotenv_path: Path | None
) -> tuple[dict[str, str], list[str]]:
    """Return the texts of file and environment together, and what is wrong with the file."""
    written: dict[str, str] = {}
    mistakes: list[str] = []
    if dotenv_path is not None and dotenv_path.is_file():
        try:
            with dotenv_path.open(encoding="utf-8") as file:
                broken = [b.original.line for b in parse_stream(file) if b.error]
            if broken:
                mistakes.append(f"{dotenv_path.name} line {broken[0]} must read NAME=value")
            else:
                found = dotenv_values(dotenv_path, interpolate=False, encoding="utf-8")
                written.update({name: value or "" for name, value in found.items()})
        except (OSError, UnicodeError):
            mistakes.append(f"{dotenv_path.name} must be a readable UTF-8 file")
    written.update(environ)
    return written, mistakes


def _is_unknown(name: str) -> bool:
    """Return whether a name looks like a setting of ours and is none."""
    return name.upper().startswith(PREFIX) and name not in SETTING_OF_NAME


def _unknown(name: str) -> str:
    """Return the sentence that refuses an unknown name and suggests the nearest."""
    near = difflib.get_close_matches(name.upper(), SETTING_OF_NAME, n=1)
    hint = f", did you mean {near[0]}?" if near else ""
    return f"{_shown(name, quoted=False)} is not a setting{hint}"


def _entries(text: str) -> list[str]:
    """Return the entries of a comma-separated list."""
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def _shown(text: str, *, quoted: bool = True) -> str:
    """Return a text so that it stays on one line of bounded length."""
    short = text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
    return repr(short) if quoted else repr(short)[1:-1]
