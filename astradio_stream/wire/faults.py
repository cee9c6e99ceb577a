"""What an error means for a conversation: how it is closed, and what of it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from astradio_stream import errors
from astradio_stream.wire.closing import Closing

if TYPE_CHECKING:
    from collections.abc import Mapping

# How an error that ends the conversation is closed; whatever stands in no row is our fault.
CLOSING_OF_ERROR: Final[Mapping[type[errors.AstradioError], Closing]] = {
    errors.BadJson: Closing.BAD_MESSAGE,
    errors.ValidationFailed: Closing.BAD_MESSAGE,
    errors.BadVersion: Closing.BAD_VERSION,
    errors.NotFound: Closing.NO_SUCH_PROGRAMME,
    errors.Overloaded: Closing.OVERLOADED,
    errors.StoreUnavailable: Closing.OVERLOADED,
}


def closing_of(error: Exception) -> Closing:
    """Return how an error ends a conversation."""
    for kind, closing in CLOSING_OF_ERROR.items():
        if isinstance(error, kind):
            return closing
    return Closing.INTERNAL


def told_of(error: Exception) -> errors.AstradioError | None:
    """Return an error that the peer may read, or None for what is our fault."""
    if isinstance(error, errors.AstradioError) and closing_of(error) is not Closing.INTERNAL:
        return error
    return None


def details_of(error: errors.AstradioError) -> tuple[errors.Detail, ...]:
    """Return the fields that an error names."""
    return error.details if isinstance(error, errors.ValidationFailed) else ()
