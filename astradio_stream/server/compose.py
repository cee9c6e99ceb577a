"""`POST /api/compose`: a finished piece, its files, and all that is told of it.

Answers are kept under the identity of the piece, so whoever asks for the same again, anybody and at
any time, is answered at once. Under an `Idempotency-Key` only what the first request meant is kept,
and everything else follows from it: the order, or for who has no account the moment alone.

Nobody's births are written down: what was ordered without an account is kept only where no birth is
played. Who ordered such a piece can order it again, and it is the same bytes at the same address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from starlette.requests import Request
from starlette.routing import Route

from astradio_stream.errors import NotFound, StoreUnavailable
from astradio_stream.server.bodies import read_as_json
from astradio_stream.server.cookies import SESSION_COOKIE, values_of_cookie
from astradio_stream.server.http import answer, refusal
from astradio_stream.server.idempotency import asked_under_key
from astradio_stream.server.limits import cost_of
from astradio_stream.server.logs import log
from astradio_stream.server.orders import (
    SHORTEST_S,
    order_from_json,
    read_order,
    require_readable,
)
from astradio_stream.server.saved import has_saved_charts, with_saved_charts
from astradio_stream.server.studio import Composed
from astradio_stream.sky.moment import Moment
from astradio_stream.store.answers import KeptAnswer, keep_answer, kept_answer
from astradio_stream.store.compositions import (
    Composition,
    composition_of_id,
    composition_of_media,
    forget_surplus,
    keep_composition,
)
from astradio_stream.stream.versions import ModelVersions
from astradio_stream.strict_json import dump_json

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from astradio_stream.server.desk import Desk
    from astradio_stream.server.orders import Order
    from astradio_stream.server.studio import Studio
    from astradio_stream.store.answers import Asked

PATH: Final = "/api/compose"


class ComposePage:
    """The page, as an ASGI application: it alone answers every method."""

    def __init__(self, desk: Desk, studio: Studio) -> None:
        self._desk = desk
        self._shell = desk.shell
        self._studio = studio

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        if request.method == "POST":
            response: Response = await self.compose(request)
        else:
            response = await self._explain(request)
        await response(scope, receive, send)

    async def rehearse(self) -> None:
        """Find out before anybody asks whether a piece can be told in words."""
        now = Moment(self._shell.clock.unix_us())
        order = read_order({"durationS": SHORTEST_S}, now, self._defaults)
        self._shell.readiness.checks.model_text = await self._studio.open(order)

    async def compose(self, request: Request) -> Response:
        """Answer with a piece.

        Raises:
            BadJson, ValidationFailed, UnsupportedMediaType, PayloadTooLarge: it cannot be read.
            NotFound: there is no such station, or no such chart for who asks.
            Conflict: something else was asked under this key.
            AuthRequired: the account was deleted while its piece was made.
            Draining: this server is going down.
            Overloaded: listeners or other pieces leave no time for it.
            StoreUnavailable: its files, or what its key stands for, cannot be kept.
        """
        began_ns = self._shell.clock.now_ns()
        self._shell.require_serving()
        body = await read_as_json(request)
        user_id = await self._desk.user_of(request)
        owner = user_id or self._desk.pseudonym_of(self._desk.limits.address_of(request))
        asked = asked_under_key(request, body, owner, user_id)
        order = await self._order(asked, body.fields, user_id)
        composed, is_cached = await self._piece(order, user_id)
        self._shell.engine.remember(order.programme)  # its id is told, so a stream may name it
        told: dict[str, Any] = orjson.loads(composed.answer)
        latency_ms = (self._shell.clock.now_ns() - began_ns) / 1e6
        told["audio"] |= {"latencyMs": round(latency_ms, 3), "cached": is_cached}
        self._heed(order, latency_ms, is_cached=is_cached)
        return answer(request, told)

    def _heed(self, order: Order, latency_ms: float, *, is_cached: bool) -> None:
        """Count and tell how long a piece took."""
        self._shell.metrics.compose_latency_ms.observe(latency_ms)
        log(
            "compose_latency_ms",
            value=round(latency_ms, 1),
            cache="hit" if is_cached else "miss",
            model=order.programme.model_versions.audio,
            durationS=order.duration_s,
        )

    async def make_again(self, request: Request, kind: str, digest: str) -> bool:
        """Make the piece again to which a file belongs; return whether the file is there then.

        It costs who asks as much as the piece did.

        Raises:
            RateLimited: the address or the account asks too often.
            Overloaded: listeners or other pieces leave no time for it.
            StoreUnavailable: nobody can tell, or its files cannot be kept.
        """
        order = await self.order_of(kind, digest)
        if order is None:
            return False
        paid = cost_of(request.method, request.url.path)
        cost = cost_of("POST", PATH)
        self._desk.limits.charge_address(request, cost - paid)
        session = await self._desk.session_of(request)
        if session is not None:
            self._desk.limits.charge_account(request, session.user.id, cost)
        self._shell.require_room()
        # Another build may make other bytes: then this file is gone for good.
        composed = await self._studio.make(order, viz=self._has_viz or kind == "viz")
        is_same = composed.digests.get(kind) == digest
        if not is_same:
            log("MEDIA_GONE", kind=kind, digest=digest)
        return is_same

    async def forget(self, files: Sequence[tuple[str, str]]) -> None:
        """Delete files, by kind and digest, and what is remembered of their pieces."""
        await self._studio.forget(files)

    async def knows(self, kind: str, digest: str) -> bool:
        """Return whether a file belongs to a piece that we know, made or not.

        Raises:
            StoreUnavailable: nobody can tell.
        """
        return await self.order_of(kind, digest) is not None

    async def order_of(self, kind: str, digest: str) -> Order | None:
        """Return the order to which a file belongs, if we know it.

        Raises:
            StoreUnavailable: nobody can tell.
        """
        order = self._studio.order_of(kind, digest)
        if order is not None:
            return order
        kept = await self._desk.store.read(lambda store: composition_of_media(store, kind, digest))
        if kept is None:
            return None
        try:
            return await self._kept_order(orjson.loads(kept.programme), None)
        except NotFound:  # a chart in it is public no more
            return None

    @property
    def _defaults(self) -> ModelVersions:
        return ModelVersions(audio=self._shell.settings.default_audio_model)

    @property
    def _has_viz(self) -> bool:
        return self._shell.settings.enable_viz_engine

    async def _explain(self, request: Request) -> Response:
        """Refuse another method; `curl -I` sees here how cookies are set."""
        told = refusal(
            request,
            "METHOD_NOT_ALLOWED",
            f"this page answers POST, not {request.method}",
            headers={"Allow": "POST"},
        )
        if request.method in ("GET", "HEAD") and not values_of_cookie(request, SESSION_COOKIE):
            token, _ = self._desk.token_for(request, b"")
            self._desk.set_token(told, request, token)
        return told

    async def _order(
        self, asked: Asked | None, fields: dict[str, Any], user_id: str | None
    ) -> Order:
        """Return what is ordered: under a key that was used before, what it meant then."""
        now_us = self._shell.clock.unix_us()
        if asked is None:
            return await self._read(fields, user_id, Moment(now_us), self._defaults)
        kept = await self._desk.store.read(lambda store: kept_answer(store, asked, now_us))
        if kept is not None:
            return await self._meant(kept, fields, user_id)
        order = await self._read(fields, user_id, Moment(now_us), self._defaults)
        meaning = order.to_json() if user_id else _moment_to_json(now_us, self._defaults)
        meant = KeptAnswer(200, dump_json(meaning))

        def keep(store: sqlite3.Connection) -> KeptAnswer:
            # Of two requests that came at once the first decides what both mean.
            kept = kept_answer(store, asked, now_us)
            if kept is None:
                keep_answer(store, asked, meant, now_us)
            return kept or meant

        decided = await self._desk.store.write(keep)
        return order if decided is meant else await self._meant(decided, fields, user_id)

    async def _meant(self, kept: KeptAnswer, fields: dict[str, Any], user_id: str | None) -> Order:
        """Return what a request meant that was asked before with the same words."""
        told: dict[str, Any] = orjson.loads(kept.body)
        if "unixUs" not in told:
            return await self._kept_order(told, user_id)
        defaults = ModelVersions(**told["modelVersions"])
        return await self._read(fields, user_id, Moment(told["unixUs"]), defaults)

    async def _read(
        self, fields: dict[str, Any], user_id: str | None, now: Moment, defaults: ModelVersions
    ) -> Order:
        """Return the order in a request, in which saved charts may be named."""
        if has_saved_charts(fields):
            require_readable(fields, defaults)
        return read_order(await self._with_births(fields, user_id), now, defaults)

    async def _kept_order(self, kept: dict[str, Any], user_id: str | None) -> Order:
        """Return an order that was kept, the saved charts in it looked up anew.

        Raises:
            NotFound: one of them is hidden from who asks, or is another one now.
        """
        programme = await self._with_births(kept["programme"], user_id)
        return order_from_json(kept | {"programme": programme})

    async def _with_births(self, fields: dict[str, Any], user_id: str | None) -> dict[str, Any]:
        """Return a programme in which births stand in for the saved charts that it names."""
        if not has_saved_charts(fields):
            return fields
        return await self._desk.store.read(lambda store: with_saved_charts(store, fields, user_id))

    async def _piece(self, order: Order, user_id: str | None) -> tuple[Composed, bool]:
        """Return a piece, and whether it was there already."""
        viz = self._has_viz
        key = self._studio.key_of(order, viz=viz)
        composed = self._studio.at_hand(order, viz=viz)
        if composed is None:
            composed = await self._earlier(order, key, user_id)
        is_cached = composed is not None
        if composed is None:
            self._shell.require_room()
            composed = await self._studio.make(order, viz=viz)
        if user_id is not None or not (is_cached or order.programme.births):
            await self._keep(order, key, user_id, composed)
        return composed, is_cached

    async def _earlier(self, order: Order, key: str, user_id: str | None) -> Composed | None:
        """Return a piece that this build made before it was last started, for this account."""
        if user_id is None:
            return None
        row_id = _row_id(key, user_id)
        kept = await self._desk.store.read(lambda store: composition_of_id(store, row_id))
        if kept is None:
            return None
        links = orjson.loads(kept.answer)
        digests = {
            kind: links[kind]["digest"].removeprefix("sha256:")
            for kind in ("audio", "viz", "midi")
            if links[kind] is not None
        }
        composed = Composed(kept.answer.encode(), digests)
        self._studio.recall(order, composed, viz=self._has_viz)
        return composed

    async def _keep(self, order: Order, key: str, user_id: str | None, composed: Composed) -> None:
        """Keep from what a piece's files can be made again, and with an account its answer."""
        piece = Composition(
            id=_row_id(key, user_id),
            user_id=user_id,
            programme=dump_json(order.to_json()).decode(),
            # Nobody's answers would be most of the database, and any of them can be made again.
            answer="" if user_id is None else composed.answer.decode(),
            created_us=self._shell.clock.unix_us(),
        )

        def keep(store: sqlite3.Connection) -> None:
            keep_composition(store, piece, composed.digests)
            if user_id is not None:  # of nobody's the upkeep takes care
                forget_surplus(store, user_id)

        try:
            await self._desk.store.write(keep)
        except StoreUnavailable:
            if user_id is not None:
                raise
            # The piece is made and its files are there: nobody has lost anything yet.


def _row_id(key: str, user_id: str | None) -> str:
    """Return the name of a piece in the database: whoever asked for it has one of their own."""
    return f"{key} {user_id or ''}"


def _moment_to_json(unix_us: int, defaults: ModelVersions) -> dict[str, Any]:
    """Return what a request without an account leaves to the server: `_meant` reads it."""
    return {"unixUs": unix_us, "modelVersions": defaults.to_json()}


def compose_routes(page: ComposePage) -> list[Route]:
    """Return the route of the page."""
    return [Route(PATH, page)]
