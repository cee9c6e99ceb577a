"""Once a minute: a served segment is proved against a fresh render, and the rates are told."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest

from astradio_stream.server.app import build_app
from astradio_stream.server.logs import close_logs, open_logs
from astradio_stream.server.minute import check_served, every_minute, tell_rates
from astradio_stream.server.shell import Shell
from astradio_stream.wire.quantum import unpack_quantum
from tests.serving import SilentEngine, settings_in


def checks(shell: Shell) -> dict[str, float]:
    return {
        result: shell.metrics.registry.get_sample_value(
            "astradio_determinism_checks_total", {"result": result}
        )
        or 0.0
        for result in ("same", "different", "skipped")
    }


def test_a_served_segment_is_proved_and_a_wrong_one_found(
    tmp_path: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = dataclasses.replace(settings_in(tmp_path), data_dir=data_dir)
    shell: Shell = build_app(settings).state.shell
    handlers = open_logs(tmp_path / "app.log", "info")

    async def check_thrice() -> None:
        await shell.engine.start()
        await check_served(shell)
        assert checks(shell) == {"same": 1, "different": 0, "skipped": 0}

        # A bit of what was served flips: its checksum is another.
        cache = shell.engine.renderer._cache  # type: ignore[attr-defined]
        for key, made in tuple(cache.items()):
            first = bytearray(made.with_viz[0])
            first[7] ^= 1
            assert unpack_quantum(bytes(first)).crc32 != unpack_quantum(made.with_viz[0]).crc32
            cache[key] = dataclasses.replace(made, with_viz=(bytes(first), *made.with_viz[1:]))
        await check_served(shell)
        assert checks(shell) == {"same": 1, "different": 1, "skipped": 0}

        shell.load.busy = 0.9
        await check_served(shell)
        assert checks(shell) == {"same": 1, "different": 1, "skipped": 1}

    try:
        asyncio.run(check_thrice())
    finally:
        shell.engine.close()
        close_logs(handlers)
    lines = (tmp_path / "app.log").read_text().splitlines()
    assert [line.split()[0] for line in lines if "DETERMINISM" in line] == ["DETERMINISM_FAILED"]


def test_rates_are_told_where_answers_were_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handlers = open_logs(tmp_path / "app.log", "info")
    nothing = dict.fromkeys(("1xx", "2xx", "3xx", "4xx", "5xx"), 5)
    tell_rates(nothing, nothing)
    tell_rates(nothing, nothing | {"2xx": 8, "4xx": 6})
    close_logs(handlers)
    (line,) = (tmp_path / "app.log").read_text().splitlines()
    assert line.startswith("4xx_error_rate 0.25 time=")
    assert " answers=4 of_them=1 " in line


def test_it_goes_on_when_a_check_breaks(tmp_path: Path) -> None:
    class Broken(SilentEngine):
        n_asked = 0

        async def made_again(self) -> bool | None:
            self.n_asked += 1
            raise RuntimeError("on purpose")

    engine = Broken()
    shell: Shell = build_app(settings_in(tmp_path), engine).state.shell

    async def run() -> None:
        task = asyncio.create_task(every_minute(shell, 0.001))
        while engine.n_asked < 3:
            await asyncio.sleep(0.001)
            assert not task.done()
        task.cancel()

    asyncio.run(asyncio.wait_for(run(), 30))
