"""Every error that this program raises on purpose, as one tree.

::

    AstradioError                 code, message: what HTTP and WebSocket clients are told
    ├── BadJson                   BAD_JSON              the text is not the JSON we read
    ├── ValidationFailed          VALIDATION_FAILED     fields are wrong; `details` names each
    │   └── OutsideEphemeris      VALIDATION_FAILED     a moment without known planets
    ├── NotFound                  NOT_FOUND             no such programme, station, chart, page
    ├── AuthRequired              AUTH_REQUIRED         nobody is logged in, or not with these words
    ├── CsrfFailed                CSRF_FAILED           the token is not the session's
    ├── OriginRefused             ORIGIN_REFUSED        the page behind a request may not ask
    ├── Conflict                  CONFLICT              it is there already, or was asked otherwise
    ├── PayloadTooLarge           PAYLOAD_TOO_LARGE     a body beyond what its page reads
    ├── UnsupportedMediaType      UNSUPPORTED_MEDIA_TYPE  a body that is not plain JSON
    ├── BadVersion                BAD_VERSION           a protocol we do not speak
    ├── TryLater                  …                     `retry_after_s`: when to ask again
    │   ├── Overloaded            OVERLOADED            no room
    │   ├── Draining              DRAINING              this server is going down
    │   ├── RateLimited           RATE_LIMITED          this one asks too often
    │   └── StoreUnavailable      STORE_UNAVAILABLE     the database cannot be reached
    ├── SettingsError             BAD_SETTING           the start stops with this sentence
    ├── SelfTestFailed            SELF_TEST_FAILED      what we would send is not what we made
    └── CodecUnavailable          CODEC_UNAVAILABLE     libopus is missing or refuses
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

RETRY_AFTER_S: Final = 2
"""When to ask again where nothing else is known (seconds)."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One field that is wrong."""

    field: str
    """Path of the field as the client wrote it, e.g. ``charts[0].lat``."""
    message: str
    """A sentence that says what would be right."""


class AstradioError(Exception):
    """The root of the tree: an error with a code for programs and a sentence for people."""

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadJson(AstradioError):
    """The text is not the JSON that we read: broken, too deep, doubled keys, not finite."""

    code = "BAD_JSON"


class ValidationFailed(AstradioError):
    """One or more fields are wrong; all of them are named at once."""

    code = "VALIDATION_FAILED"

    def __init__(self, details: Iterable[Detail]) -> None:
        self.details = tuple(details)
        super().__init__(
            "; ".join(f"{d.field}: {d.message}" if d.field else d.message for d in self.details)
        )


def wrong_field(field: str, message: str) -> ValidationFailed:
    """Return the error of one field that is wrong."""
    return ValidationFailed([Detail(field, message)])


class OutsideEphemeris(ValidationFailed):
    """A moment outside the span of the planetary ephemeris."""

    def __init__(self, message: str, field: str = "at") -> None:
        super().__init__([Detail(field, message)])


class NotFound(AstradioError):
    """What was asked for by name does not exist here."""

    code = "NOT_FOUND"


class BadVersion(AstradioError):
    """The peer speaks a version of the protocol that we do not."""

    code = "BAD_VERSION"


class AuthRequired(AstradioError):
    """Nobody is logged in who could have this, or the words do not open the account."""

    code = "AUTH_REQUIRED"


class CsrfFailed(AstradioError):
    """A request with cookies lacks the token of its session."""

    code = "CSRF_FAILED"


class OriginRefused(AstradioError):
    """The page behind a request is not one that may ask."""

    code = "ORIGIN_REFUSED"


class Conflict(AstradioError):
    """What is to be made is there already, or an idempotency key stands for something else."""

    code = "CONFLICT"


class PayloadTooLarge(AstradioError):
    """A body is longer than its page reads."""

    code = "PAYLOAD_TOO_LARGE"


class UnsupportedMediaType(AstradioError):
    """A body is not plain JSON in UTF-8."""

    code = "UNSUPPORTED_MEDIA_TYPE"


class TryLater(AstradioError):
    """It cannot be now; the same request may succeed later."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Overloaded(TryLater):
    """There is no room for more work now."""

    code = "OVERLOADED"


class Draining(TryLater):
    """This server takes no new work: it is going down, and another will answer."""

    code = "DRAINING"

    def __init__(self) -> None:
        super().__init__("this server is going down", RETRY_AFTER_S)


class RateLimited(TryLater):
    """One address or account asks more often than it may."""

    code = "RATE_LIMITED"


class StoreUnavailable(TryLater):
    """The database cannot be read or written."""

    code = "STORE_UNAVAILABLE"

    def __init__(self, message: str, retry_after_s: float, trouble: str) -> None:
        super().__init__(message, retry_after_s)
        self.trouble = trouble
        """For who runs the server: which file, and what to do. Clients are not told."""


class SettingsError(AstradioError):
    """A setting has an unknown name, a wrong type or an impossible value."""

    code = "BAD_SETTING"


class SelfTestFailed(AstradioError):
    """The second that is made at the start does not come out of a decoder as it went in."""

    code = "SELF_TEST_FAILED"


class CodecUnavailable(AstradioError):
    """libopus cannot be found, is too old, or reports an error."""

    code = "CODEC_UNAVAILABLE"
