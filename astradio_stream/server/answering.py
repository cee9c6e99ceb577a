"""Answers what one session asks about its programme, one question after the other.

It is done beside the listener's writer: neither quanta nor a `pong` wait for composing.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from typing import TYPE_CHECKING

from astradio_stream.server.logs import log, log_failure
from astradio_stream.server.probes import limits_of
from astradio_stream.stream.steering import first_replaced
from astradio_stream.units import SEGMENT_SAMPLES
from astradio_stream.wire.actions import Join, Seek, Steer
from astradio_stream.wire.answers import SteeredParts
from astradio_stream.wire.closing import Closing
from astradio_stream.wire.quantum import CODEC_OF_WORD
from astradio_stream.wire.session import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import HTTPConnection

    from astradio_stream.server.shell import Shell
    from astradio_stream.stream.programme import Programme
    from astradio_stream.wire.actions import Question
    from astradio_stream.wire.answers import ReadyParts
    from astradio_stream.wire.messages import Hello
    from astradio_stream.wire.session import Session


class Answering:
    """The questions of one session, and what it plays according to the answers."""

    def __init__(
        self,
        shell: Shell,
        session: Session,
        asking: HTTPConnection,
        on_answer: Callable[[], None],
    ) -> None:
        """Answer a session.

        Args:
            shell: Who knows the answers.
            session: Who asks.
            asking: Its handshake, which tells whose charts it may name.
            on_answer: Called whenever there is an answer.
        """
        self.programme: Programme | None = None
        """What is played, once it is known."""
        self._shell = shell
        self._session = session
        self._asking = asking
        self._on_answer = on_answer
        self._questions: list[Question] = []  # a deque takes its room even where nothing is asked
        self._task: asyncio.Task[None] | None = None

    def ask(self, question: Question) -> None:
        """Answer a question after those before it."""
        self._questions.append(question)
        if self._task is None:
            self._task = asyncio.create_task(self._answer_all())

    async def stop(self) -> None:
        """Leave unanswered what is not answered yet."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _answer_all(self) -> None:
        """Answer until there are no more questions; who has gone waits for no answer."""
        try:
            while self._questions and self._session.state is not State.CLOSED:
                await self._answer(self._questions.pop(0))
                self._on_answer()
        finally:
            self._task = None

    async def _answer(self, question: Question) -> None:
        """Answer one question."""
        session = self._session
        try:
            if isinstance(question, Steer):
                await self._steer(question)
            elif isinstance(question, Join):
                self._ready(await self._join(question.hello))
            else:
                self._ready(await self._seek(question))
        except Exception as error:
            if isinstance(question, Steer):
                session.not_steered(error)
            else:
                session.refused(error)
            if session.closing is Closing.INTERNAL:
                log_failure("ANSWER_FAILED", error, requestId=session.request_id)

    def _ready(self, parts: ReadyParts) -> None:
        """Let the session begin an epoch."""
        parts = dataclasses.replace(parts, limits=limits_of(self._shell))
        self._session.joined(parts, self._shell.clock.now_ns(), self._shell.clock.unix_us())

    async def _join(self, hello: Hello) -> ReadyParts:
        saved = self._shell.saved
        if saved is not None:
            hello = await saved.looked_up(hello, self._asking)
        self.programme, parts = await self._shell.engine.join(hello)
        if saved is not None:
            await saved.require_visible(self.programme, self._asking)
        log(
            "JOINED",
            session=self._session.session_id,
            requestId=self._session.request_id,
            programme=self.programme.programme_id,
            codec=hello.codecs[0],
            client=hello.client,
        )
        return parts

    async def _seek(self, seek: Seek) -> ReadyParts:
        programme, hello = self._joined()
        return await self._shell.engine.seek(programme, hello, seek.to_index)

    async def _steer(self, steer: Steer) -> None:
        """Change the programme as soon as it can still be heard in time."""
        clock, engine, session = self._shell.clock, self._shell.engine, self._session
        programme, hello = self._joined()
        codec = CODEC_OF_WORD[hello.codecs[0]]
        while True:
            first_open = session.first_open(clock.now_ns())
            changed, effective = await engine.steer(programme, steer, first_open)
            first_index = first_replaced(effective)
            await engine.segment(changed, first_index // SEGMENT_SAMPLES, codec)
            told = SteeredParts(changed.to_json(), changed.programme_id, first_index, effective)
            if session.steered(told, clock.now_ns()):
                self.programme = changed
                return

    def _joined(self) -> tuple[Programme, Hello]:
        """Return what was agreed."""
        if self.programme is None or self._session.hello is None:
            raise RuntimeError("there is nothing to seek or steer before ready")
        return self.programme, self._session.hello
