"""Settings: defaults, precedence, and every mistake named in one line."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astradio_stream.errors import SettingsError
from astradio_stream.settings import TABLE, Settings, load_settings, origin_of

DOCS = Path(__file__).parent.parent / "docs" / "settings.md"
MODELS = ("v1.0", "v2.0")


def refusal_of(**environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, None, MODELS)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_defaults() -> None:
    settings = load_settings({}, None, MODELS)
    assert settings == Settings(
        host="127.0.0.1",
        port=3000,
        data_dir=Path("data"),
        log_file=Path("logs/app.log"),
        log_level="info",
        log_format="line",
        log_max_mb=50,
        log_kept=5,
        workers=1,
        allowed_origins=(),
        allowed_hosts=(),
        trusted_proxies=(),
        rate_limit_max=50,
        rate_limit_window_s=10,
        enable_viz_engine=True,
        default_audio_model="v2.0",
        opus_bitrate=96_000,
        drain_s=25,
        render_threads=2,
        cache_mb=128,
        media_mb=512,
        max_listeners=2_000,
    )


def test_the_environment_beats_the_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("ASTRADIO_PORT=4000\n# a comment\nexport OPUS_BITRATE='128000'\nOTHER=${X}\n")
    settings = load_settings({"ASTRADIO_PORT": "5000"}, dotenv)
    assert (settings.port, settings.opus_bitrate) == (5000, 128_000)


def test_a_file_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert load_settings({}, tmp_path / ".env") == load_settings({})


def test_an_empty_setting_is_not_set() -> None:
    assert load_settings({"ASTRADIO_PORT": " ", "ALLOWED_ORIGINS": ""}).port == 3000


def test_other_peoples_variables_are_not_looked_at() -> None:
    load_settings({"PATH": "/bin", "PORT": "x", "MY_ASTRADIO_PORT": "x"})


WRONG = [
    ("ASTRADIO_PORT", "65536"),
    ("ASTRADIO_PORT", "-1"),
    ("ASTRADIO_PORT", "3000.0"),
    ("ASTRADIO_PORT", "http"),
    ("ASTRADIO_PORT", "٣٠٠٠"),
    ("ASTRADIO_PORT", "9" * 5_000),
    ("ASTRADIO_HOST", "http://x"),
    ("ASTRADIO_HOST", "a b"),
    ("ASTRADIO_WORKERS", "0"),
    ("ASTRADIO_WORKERS", "65"),
    ("ASTRADIO_LOG_LEVEL", "loud"),
    ("ASTRADIO_CACHE_MB", "0"),
    ("ASTRADIO_RENDER_THREADS", "0"),
    ("ASTRADIO_MAX_LISTENERS", "0"),
    ("ASTRADIO_LOG_FILE", "a\0b"),
    ("RATE_LIMIT_MAX", "0"),
    ("RATE_LIMIT_WINDOW_S", "0"),
    ("ENABLE_VIZ_ENGINE", "maybe"),
    ("DEFAULT_AUDIO_MODEL", "v0.0"),
    ("OPUS_BITRATE", "96k"),
    ("OPUS_BITRATE", "600000"),
    ("DRAIN_S", "-1"),
    ("ALLOWED_ORIGINS", "*"),
    ("ALLOWED_ORIGINS", "null"),
    ("ALLOWED_ORIGINS", "https://*.example"),
    ("ALLOWED_ORIGINS", "https://a.example/"),
    ("ALLOWED_ORIGINS", "https://a.example, *"),
    ("ALLOWED_ORIGINS", "https://me@a.example"),
    ("ALLOWED_ORIGINS", "https://a.example:99999"),
    ("ALLOWED_ORIGINS", "ftp://a.example"),
    ("ALLOWED_ORIGINS", "a.example"),
    ("ALLOWED_HOSTS", "*"),
    ("ALLOWED_HOSTS", "https://radio.example"),
    ("ALLOWED_HOSTS", "radio.example:443"),
    ("TRUSTED_PROXIES", "*"),
    ("TRUSTED_PROXIES", "0.0.0.0/0"),
    ("TRUSTED_PROXIES", "::/0"),
    ("TRUSTED_PROXIES", "proxy.example"),
    ("TRUSTED_PROXIES", "10.0.0.1/8"),
]


@pytest.mark.parametrize(("name", "text"), WRONG)
def test_a_wrong_value_is_named_with_what_would_be_right(name: str, text: str) -> None:
    line = refusal_of(**{name: text})
    assert line.startswith(f"{name} must be ")
    assert "got" in line
    assert len(line) < 300


def test_several_mistakes_are_told_in_one_line() -> None:
    line = refusal_of(ASTRADIO_PORT="x", OPUS_BITRATE="y", ASTRADIO_PROT="1", ALLOWED_ORIGINS="*")
    for name in ("ASTRADIO_PORT", "OPUS_BITRATE", "ASTRADIO_PROT", "ALLOWED_ORIGINS"):
        assert name in line


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("ASTRADIO_PROT", "ASTRADIO_PORT"),
        ("astradio_port", "ASTRADIO_PORT"),
        ("ASTRADIO_LOGFILE", "ASTRADIO_LOG_FILE"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, near: str) -> None:
    assert refusal_of(**{name: "1"}) == f"{name} is not a setting, did you mean {near}?"


def test_an_unknown_name_near_to_nothing_is_refused_without_a_guess() -> None:
    assert refusal_of(ASTRADIO_="1").startswith("ASTRADIO_ is not a setting")


def test_an_unknown_name_in_the_file_is_refused(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("ASTRADIO_PROT=1\n")
    with pytest.raises(SettingsError, match="ASTRADIO_PROT"):
        load_settings({}, dotenv)


@pytest.mark.parametrize("raw", [b"ASTRADIO_PORT='1\n", b"=1\n", b"\xff=1\n"])
def test_a_broken_file_stops_the_start(tmp_path: Path, raw: bytes) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(raw)
    with pytest.raises(SettingsError, match=r"^\.env "):
        load_settings({}, dotenv)


def test_lists_are_read() -> None:
    settings = load_settings({
        "ALLOWED_ORIGINS": "https://Radio.Example, http://localhost:5173,",
        "TRUSTED_PROXIES": "10.0.0.0/8,::1",
    })  # fmt: skip
    assert settings.allowed_origins == (
        ("https", "radio.example", 443),
        ("http", "localhost", 5173),
    )
    assert settings.trusted_proxies == (
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("::1"),
    )


@pytest.mark.parametrize("text", ["1", "TRUE", "yes", "On"])
def test_true_has_many_spellings(text: str) -> None:
    assert load_settings({"ENABLE_VIZ_ENGINE": text}).enable_viz_engine is True


@given(st.text(max_size=40))
def test_any_origin_is_read_or_refused(text: str) -> None:
    try:
        scheme, host, port = origin_of(text)
    except ValueError:
        return
    assert scheme in ("http", "https")
    assert host
    assert 0 < port < 65_536


def test_every_row_of_the_table_is_a_field_and_every_field_a_row() -> None:
    fields = [field.name for field in dataclasses.fields(Settings)]
    assert fields == [setting.attribute for setting in TABLE]


def test_the_docs_list_every_setting_with_its_default_and_nothing_else() -> None:
    row = re.compile(r"^\| `([A-Z_]+)` \|.*?\| (\S+) \| (yes|no) \|", re.MULTILINE)
    rows = row.findall(DOCS.read_text())
    written = {name: (default.strip("`"), mark) for name, default, mark in rows}
    assert written == {
        s.name: (s.default or "none", "yes" if s.reloadable else "no") for s in TABLE
    }


def test_the_names_that_the_contract_fixes_keep_their_defaults() -> None:
    fixed = {
        "ASTRADIO_HOST": "127.0.0.1", "ASTRADIO_PORT": "3000", "ASTRADIO_DATA_DIR": "data",
        "ASTRADIO_LOG_FILE": "logs/app.log", "ASTRADIO_WORKERS": "1", "RATE_LIMIT_MAX": "50",
        "RATE_LIMIT_WINDOW_S": "10", "ENABLE_VIZ_ENGINE": "true", "OPUS_BITRATE": "96000",
        "DRAIN_S": "25",
    }  # fmt: skip
    assert fixed.items() <= {setting.name: setting.default for setting in TABLE}.items()
