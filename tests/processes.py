"""Servers as processes of their own, started as people start them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Running:
    """A server that answers."""

    process: subprocess.Popen[str]
    url: str
    """Of its pages."""
    log_file: Path

    @property
    def ws_url(self) -> str:
        """Of its streams."""
        return f"{self.url.replace('http', 'ws')}/stream"

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def events(self) -> list[str]:
        """Return the events of the log so far."""
        return [line.split()[0] for line in self.log_file.read_text().splitlines()]


@contextlib.contextmanager
def running(folder: Path, data_dir: Path, *args: str, **environ: str) -> Iterator[Running]:
    """Run `astradio-stream serve` in a folder, where its `.env` may lie."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ASTRADIO")}
    files = {
        "ASTRADIO_PORT": "0",
        "ASTRADIO_DATA_DIR": str(data_dir),
        "ASTRADIO_LOG_FILE": str(folder / "app.log"),
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }
    folder.mkdir(exist_ok=True)
    with subprocess.Popen(
        [sys.executable, "-m", "astradio_stream", "serve", *args],
        env=kept | files | environ,
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("Astradio Stream answers on "):
                    break
            else:
                raise AssertionError(f"it ended with {process.wait()}")
            yield Running(
                process, line.split()[-1].replace("localhost", "127.0.0.1"), folder / "app.log"
            )
        finally:
            process.kill()
            process.stdout.close()  # type: ignore[union-attr]
