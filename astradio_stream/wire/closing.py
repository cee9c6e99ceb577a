"""Every way a conversation ends: the close codes and their words.

What a client does next follows from the class of the code, and is the client's to know: for ours
`web/wire/closing.js`.
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class Closing(Enum):
    """One row per way to end; the word is sent as the reason of the close frame."""

    # fmt: off
    #                    code  word                 when
    DONE              = (1000, "done",              "`bye`")
    WRONG_KIND        = (1003, "",                  "a binary message from a client")
    BAD_UTF8          = (1007, "",                  "a text message that is not UTF-8")
    TOO_BIG           = (1009, "",                  "a message of more than 4 096 bytes")
    INTERNAL          = (1011, "internal",          "our fault, this connection only")
    RESTART           = (1012, "restart",           "drain")
    BAD_MESSAGE       = (4000, "bad_message",       "not JSON, no `type`, invalid `hello`")
    BAD_VERSION       = (4001, "bad_version",       "`protocol` not supported")
    NO_SUCH_PROGRAMME = (4004, "no_such_programme", "unknown `programmeId`, station or chart")
    OUT_OF_ORDER      = (4005, "out_of_order",      "message before `hello`, second `hello`")
    OVERLOADED        = (4100, "overloaded",        "shed")
    RATE_LIMITED      = (4101, "rate_limited",      "token bucket empty again after a warning")
    SLOW_CONSUMER     = (4102, "slow_consumer",     "too far behind after the steps of degradation")
    HEARTBEAT_TIMEOUT = (4103, "heartbeat_timeout", "no `report` or `ping` for 30 s")
    HELLO_TIMEOUT     = (4104, "hello_timeout",     "no `hello` in 10 s")
    # fmt: on

    def __init__(self, code: int, word: str, when: str) -> None:
        self.code = code
        self.word = word
        self.when = when

    @property
    def label(self) -> str:
        """The name for logs and metrics, where every way needs one."""
        return self.name.lower()


CLOSING_OF_CODE: Final = {closing.code: closing for closing in Closing}
