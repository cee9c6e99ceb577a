"""Two real servers behind the nginx that we ship: restarted in turn; a cache that outlives them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.crowd import crowd_of
from tests.listener import TRANSIT
from tests.processes import Running, running
from tests.test_ops_nginx import CONF, NGINX, free_port, wait_for

pytestmark = pytest.mark.skipif(
    not (NGINX and shutil.which("openssl")) and "CI" not in os.environ,
    reason="nginx and openssl are not installed",
)

N_LISTENERS = 20


@dataclass
class Site:
    """nginx and the servers behind it."""

    port: int
    """Where nginx answers without TLS: the rest of the site is as shipped."""
    servers: list[Running]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    (folder / "data").mkdir()
    (folder / "data" / "banks").symlink_to(data_dir / "banks")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=radio.example", "-keyout", "privkey.pem", "-out", "fullchain.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    environ = {"TRUSTED_PROXIES": "127.0.0.1", "RATE_LIMIT_MAX": "1000", "DRAIN_S": "4"}
    with (
        running(folder / "a", folder / "data", **environ) as one,
        running(folder / "b", folder / "data", **environ) as other,
    ):
        port, tls_port, plain_port = free_port(), free_port(), free_port()
        text = CONF.read_text()
        for before, after in (
            ("/etc/ssl/radio.example", str(folder)),
            ("server 127.0.0.1:3000;", f"server 127.0.0.1:{one.port};"),
            ("# server 127.0.0.1:3001;", f"server 127.0.0.1:{other.port};"),
            ("/var/cache/nginx/astradio", str(folder / "cache")),
            ("listen 443 ssl http2;", f"listen 443 ssl http2; listen 127.0.0.1:{port};"),
            (
                "server_name radio.example;\n\n        ssl_",
                "server_name _ 127.0.0.1;\n\n        ssl_",
            ),
            ("listen 80", f"listen 127.0.0.1:{plain_port}"),
            ("listen 443", f"listen 127.0.0.1:{tls_port}"),
        ):
            assert before in text, before
            text = text.replace(before, after)
        written = folder / "nginx.conf"
        # Its workers are somebody else where root starts it, whom the test's folder is closed to.
        user = "user root;\n" if os.geteuid() == 0 else ""
        written.write_text(f"{user}pid {folder}/nginx.pid;\n{text}")
        command = [str(NGINX), "-p", str(folder), "-e", str(folder / "error.log"), "-c", written]
        subprocess.run([*command, "-t"], check=True, capture_output=True)
        with subprocess.Popen([*command, "-g", "daemon off;"]) as process:
            try:
                wait_for(port)
                yield Site(port, [one, other])
            finally:
                process.terminate()


def test_listeners_survive_the_restart_of_a_server_and_files_that_of_both(site: Site) -> None:
    composed = httpx.post(f"{site.url}/api/compose", json={"seed": 2, "durationS": 1}, timeout=60)
    audio = composed.json()["audio"]
    mine = {"X-Request-Id": "my-own-request"}
    first = httpx.get(site.url + audio["url"], headers=mine)
    assert first.headers["X-Request-Id"] == "my-own-request"
    assert hashlib.sha256(first.content).hexdigest() in audio["digest"]

    with crowd_of(N_LISTENERS, [f"ws://127.0.0.1:{site.port}/stream"], TRANSIT) as crowd:
        spread = [httpx.get(f"{server.url}/metrics").text for server in site.servers]
        assert all(not re.search(r"^astradio_listeners 0", text, re.MULTILINE) for text in spread)
        site.servers[0].process.send_signal(signal.SIGTERM)
        assert site.servers[0].process.wait(30) == 0
        crowd.wait_until(lambda member: len(member.quanta) > 0)
        heard = {member: len(member.quanta) for member in crowd.members}
        crowd.wait_until(lambda member: len(member.quanta) > heard[member] + 10)
        # Each went on at the very sample where it was; Member checks that of every quantum.
        assert sum(member.n_skipped for member in crowd.members) == 0
        assert {member.n_connections for member in crowd.members} >= {2}
        left = httpx.get(f"{site.servers[1].url}/metrics").text
        assert re.search(rf"^astradio_listeners {N_LISTENERS}\.0$", left, re.MULTILINE)

    site.servers[1].process.send_signal(signal.SIGTERM)
    assert site.servers[1].process.wait(30) == 0
    with contextlib.suppress(httpx.TransportError):
        assert httpx.get(f"{site.url}/api/status").status_code == 503
    kept = httpx.get(site.url + audio["url"], headers={"Range": "bytes=1-4"})
    assert (kept.status_code, kept.content) == (206, first.content[1:5])
    assert kept.headers["X-Request-Id"].startswith("req_")
    for name in ("Cache-Control", "ETag", "Content-Type"):
        assert kept.headers[name] == first.headers[name]
    assert httpx.get(site.url + audio["url"]).content == first.content
    beyond = httpx.get(site.url + audio["url"], headers={"Range": "bytes=9999999-"})
    assert (beyond.status_code, beyond.headers["Content-Type"]) == (416, "application/json")
    assert beyond.headers["Content-Range"] == f"bytes */{len(first.content)}"
    assert beyond.json()["error"]["code"] == "RANGE_NOT_SATISFIABLE"
    assert beyond.json()["requestId"] == beyond.headers["X-Request-Id"]
    assert "no-store" in beyond.headers["Cache-Control"]
