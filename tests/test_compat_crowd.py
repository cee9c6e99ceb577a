"""Forty who write and a hundred and sixty who read at once: every answer shows one moment.

Every version of a chart that was ever public has a name of its own, so an answer tells which
versions it shows. Each is known to have stood from some moment between the asking and the answer
of the request that made it until some moment between those of the request that ended it.
"""

from __future__ import annotations

import functools
import itertools
import math
import random
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from astradio_stream.compat.contacts import score_micro
from astradio_stream.compat.points import Tenths
from astradio_stream.compat.rationale import breakdown_of, why
from astradio_stream.compat.weights import FACETS, load_weights
from astradio_stream.server.compat_answers import signs_of
from astradio_stream.server.matchmaker import MOST_WAITING
from tests.processes import running
from tests.test_compat_shared import assert_search_is, own_data, saved_in
from tests.test_server_compat import birth, search, tenths
from tests.visitor import Visitor

N_WRITERS = 40
N_READERS = 160
N_BIRTHS = 80
ASKERS = tuple(birth(n) for n in (101, 234, 377))  # the second has no time of birth
LIMIT = 20
REFUSALS = (429, 503)
ENOUGH_ANSWERS = 600
AT_MOST_S = 45.0
SETTINGS = {"RATE_LIMIT_MAX": "1000000", "TRUSTED_PROXIES": "127.0.0.1", "DRAIN_S": "2"}


@dataclass
class Version:
    """One public state of a chart, and the requests that made and ended it (monotonic seconds)."""

    chart_id: str
    name: str
    birth: int
    asked: float
    """Before this it cannot be seen."""
    stood: float
    """From here on it must be."""
    leaving: float = math.inf
    """From here on it may be missed."""
    gone: float = math.inf
    """After this it cannot be seen any more."""


@dataclass(frozen=True)
class Seen:
    """An answer, and when it was asked for and came."""

    answer: httpx.Response
    asked: float
    came: float
    asker: int
    facet: str = ""
    chart_id: str = ""
    """Of the pair that was asked for."""


@dataclass
class Crowd:
    """What all threads share."""

    stop: threading.Event = field(default_factory=threading.Event)
    enough: threading.Event = field(default_factory=threading.Event)
    versions: list[Version] = field(default_factory=list)
    searches: list[Seen] = field(default_factory=list)
    pairs: list[Seen] = field(default_factory=list)
    refused: list[httpx.Response] = field(default_factory=list)

    def ask(self, send: Callable[[], httpx.Response]) -> tuple[httpx.Response, float, float]:
        """Return an answer, when it was asked for, and when it came; wait after a refusal."""
        asked = time.monotonic()
        answer = send()
        came = time.monotonic()
        if answer.status_code in REFUSALS:
            self.refused.append(answer)
            self.stop.wait(int(answer.headers["Retry-After"]))
        return answer, asked, came


# Who writes and who reads -------------------------------------------------------------------------


class Writer:
    """An account with one chart, which it publishes, changes, hides, shows again, deletes."""

    def __init__(self, url: str, number: int, crowd: Crowd) -> None:
        self._crowd, self._number = crowd, number
        self._chance = random.Random(number)
        self._numbers = itertools.count()
        self._visitor = Visitor(url)
        self._visitor.client.timeout = httpx.Timeout(60)
        self._visitor.headers["X-Forwarded-For"] = f"192.0.2.{number}"
        self._chart_id = ""
        self._public: Version | None = None

    def begin(self) -> None:
        """Register, and publish the first version."""
        answer, _, _ = self._insist(self._visitor.register)
        assert answer.status_code == 201, answer.text
        self._publish("POST", "/api/charts", 201)

    def write(self) -> None:
        """Write until the crowd stops."""
        while not self._crowd.stop.wait(self._chance.uniform(0.05, 0.25)):
            act = self._chance.choices(("change", "hide", "delete"), (4, 2, 1))[0]
            if not self._chart_id:
                self._publish("POST", "/api/charts", 201)
            elif self._public is None or act == "change":
                self._publish("PATCH", f"/api/charts/{self._chart_id}", 200)
            elif act == "hide":
                self._send("PATCH", f"/api/charts/{self._chart_id}", 200, {"visibility": "private"})
            else:
                self._send("DELETE", f"/api/charts/{self._chart_id}", 204)
                self._chart_id = ""
        self._visitor.client.close()

    def _publish(self, method: str, path: str, status: int) -> None:
        """Make a new version: another name and another birth in one request."""
        name, n = f"{self._number} {next(self._numbers)}", self._chance.randrange(N_BIRTHS)
        fields = {"name": name, "visibility": "public", **birth(n)}
        told, asked, stood = self._send(method, path, status, fields)
        self._chart_id = told["id"]
        self._public = Version(self._chart_id, name, n, asked, stood)
        self._crowd.versions.append(self._public)

    def _send(
        self, method: str, path: str, status: int, fields: Any = None
    ) -> tuple[Any, float, float]:
        """Send what ends the present version."""
        answer, asked, came = self._insist(lambda: self._visitor.send(method, path, fields))
        assert answer.status_code == status, answer.text
        if self._public is not None:
            self._public.leaving, self._public.gone = asked, came
            self._public = None
        return (answer.json() if answer.content else None), asked, came

    def _insist(self, send: Callable[[], httpx.Response]) -> tuple[httpx.Response, float, float]:
        while (told := self._crowd.ask(send))[0].status_code in REFUSALS:
            pass
        return told


def read(url: str, number: int, crowd: Crowd) -> None:
    """Search, and look at some matches as pairs, until the crowd stops."""
    chance = random.Random(1_000 + number)
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # saves reading certificates 160 times
    with httpx.Client(base_url=url, timeout=60, verify=no_tls) as client:
        while not crowd.stop.is_set():
            asker, facet = chance.randrange(len(ASKERS)), chance.choice(FACETS)
            body: dict[str, Any] = {"chart": ASKERS[asker], "facet": facet, "limit": LIMIT}
            send = functools.partial(client.post, "/api/compat/search", json=body)
            answer, asked, came = crowd.ask(send)
            if answer.status_code in REFUSALS:
                continue
            assert answer.status_code == 200, answer.text
            crowd.searches.append(Seen(answer, asked, came, asker, facet))
            if len(crowd.searches) >= ENOUGH_ANSWERS:
                crowd.enough.set()
            if number % 4 == 0 and (matches := answer.json()["matches"]):
                chart_id = chance.choice(matches)["chartId"]
                body = {"charts": [ASKERS[asker], {"chartId": chart_id}]}
                send = functools.partial(client.post, "/api/compat/pair", json=body)
                answer, asked, came = crowd.ask(send)
                if answer.status_code not in REFUSALS:
                    crowd.pairs.append(Seen(answer, asked, came, asker, chart_id=chart_id))


# What they may have seen --------------------------------------------------------------------------


@functools.cache
def points(n: int) -> Tenths:
    return tenths(birth(n))


@functools.cache
def scores(asker: int, n: int) -> dict[str, int]:
    """Return what a birth scores for one who asks (millionths)."""
    asking, weights = tenths(ASKERS[asker]), load_weights()
    return {facet: score_micro(asking, points(n), facet, weights) for facet in FACETS}


@functools.cache
def reasons(asker: int, n: int, facet: str) -> list[str]:
    asking = tenths(ASKERS[asker])
    return why(breakdown_of(asking, points(n), facet, load_weights(), is_veiled=True))


def micro(facets: dict[str, float]) -> dict[str, int]:
    return {facet: round(score * 1e6) for facet, score in facets.items()}


def standing(versions: list[Version], at: float) -> Iterator[Version]:
    """Return the versions that surely stood at a moment."""
    return (each for each in versions if each.stood < at < each.leaving)


class Chronicle:
    """All versions that there ever were."""

    def __init__(self, versions: list[Version]) -> None:
        self.versions = versions
        self.of_name = {each.name: each for each in versions}
        assert len(self.of_name) == len(versions)
        edges = ((each.asked, each.stood, each.leaving, each.gone) for each in versions)
        self._edges = sorted(itertools.chain.from_iterable(edges))

    def check_search(self, seen: Seen) -> None:
        """Check that each match is a version, and that all stood together at one moment."""
        found = seen.answer.json()
        shown = [self.of_name[match["name"]] for match in found["matches"]]
        for match, version in zip(found["matches"], shown, strict=True):
            assert match["chartId"] == version.chart_id
            assert micro(match["facets"]) == scores(seen.asker, version.birth)
            assert match["score"] == match["facets"][seen.facet]
            assert match["signs"] == signs_of(points(version.birth))
            assert match["rationale"] == reasons(seen.asker, version.birth, seen.facet)
        ranks = [self._rank(seen, version) for version in shown]
        assert ranks == sorted(set(ranks))
        first = max([seen.asked, *(version.asked for version in shown)])
        last = min([seen.came, *(version.gone for version in shown)])
        assert first <= last, "these were never public together while it was asked"
        moments = [first, last, *(edge for edge in self._edges if first < edge < last)]
        assert any(self._is_all(seen, shown, found["searched"], at) for at in moments)

    def check_pair(self, seen: Seen) -> None:
        """Check that a pair is of one version that stood, or was told to be none when none did."""
        of_chart = [each for each in self.versions if each.chart_id == seen.chart_id]
        if seen.answer.status_code == 404:
            assert not any(each.stood < seen.asked and seen.came < each.leaving
                           for each in of_chart)  # fmt: skip
            return
        assert seen.answer.status_code == 200, seen.answer.text
        pair = seen.answer.json()
        told = pair["charts"][1]
        version = self.of_name[told["name"]]
        assert version in of_chart
        assert version.asked <= seen.came
        assert seen.asked <= version.gone
        assert told["signs"] == signs_of(points(version.birth))
        told_scores = {facet: each["score"] for facet, each in pair["facets"].items()}
        assert micro(told_scores) == scores(seen.asker, version.birth)

    def _is_all(self, seen: Seen, shown: list[Version], searched: int, at: float) -> bool:
        """Return whether an answer leaves nothing out that surely stood at a moment."""
        possible = {each.chart_id for each in self.versions if each.asked <= at <= each.gone}
        surely = list(standing(self.versions, at))
        worst = self._rank(seen, shown[-1]) if len(shown) == LIMIT else (math.inf, "")
        names = {each.name for each in shown}
        return len(surely) <= searched <= len(possible) and all(
            each.name in names or self._rank(seen, each) > worst for each in surely
        )

    @staticmethod
    def _rank(seen: Seen, version: Version) -> tuple[float, str]:
        return -scores(seen.asker, version.birth)[seen.facet], version.chart_id


# And they are right ------------------------------------------------------------------------------


def test_two_hundred_at_once_see_one_moment_each_and_a_restart_keeps_it(
    tmp_path: Path, data_dir: Path
) -> None:
    data, crowd = own_data(tmp_path, data_dir), Crowd()
    with (
        running(tmp_path / "run", data, **SETTINGS) as server,
        ThreadPoolExecutor(N_WRITERS + N_READERS) as threads,
    ):
        try:
            writers = [Writer(server.url, n, crowd) for n in range(N_WRITERS)]
            list(threads.map(Writer.begin, writers))
            tasks = [threads.submit(writer.write) for writer in writers]
            tasks += [threads.submit(read, server.url, n, crowd) for n in range(N_READERS)]
            crowd.enough.wait(AT_MOST_S)
        finally:
            crowd.stop.set()
        for task in tasks:
            task.result()
        public = {each.chart_id: birth(each.birth) for each in crowd.versions
                  if each.leaving == math.inf}  # fmt: skip
        names = {each.name for each in crowd.versions if each.leaving == math.inf}
        assert_search_is(server.url, public)
        server.process.terminate()
        assert server.process.wait(30) == 0

    # It was a crowd: there were more than may wait, and more versions than charts that stayed.
    assert crowd.enough.is_set(), f"{len(crowd.searches)} answers"
    assert N_READERS > MOST_WAITING
    assert {answer.status_code for answer in crowd.refused} == {503}
    for answer in crowd.refused:
        assert answer.json()["error"]["code"] == "OVERLOADED"
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert sum(each.gone < math.inf for each in crowd.versions) >= N_WRITERS
    assert any(seen.answer.json()["nextCursor"] for seen in crowd.searches)

    chronicle = Chronicle(crowd.versions)
    for seen in crowd.searches:
        chronicle.check_search(seen)
    for seen in crowd.pairs:
        chronicle.check_pair(seen)

    assert saved_in(data).keys() == public.keys()
    with running(tmp_path / "run", data, **SETTINGS) as server:
        assert_search_is(server.url, public)
        found = search(server.url, limit=60)["matches"]
        assert {match["name"] for match in found} == names
