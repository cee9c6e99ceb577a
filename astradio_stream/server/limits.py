"""What a request costs, and how the buckets of who asks stand.

Every address has a bucket of `RATE_LIMIT_MAX` tokens that fills in `RATE_LIMIT_WINDOW_S`, and so
has every account: who is logged in at a hundred addresses is still one. Handshakes of streams are
counted apart, so that nobody who composes too much loses the music.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from astradio_stream.errors import RateLimited
from astradio_stream.server.doors import Doors, Familiar, address_of, neighbourhood
from astradio_stream.wire.bucket import NS_PER_S, Rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import HTTPConnection

    from astradio_stream.server.doors import Standing
    from astradio_stream.server.shell import Shell
    from astradio_stream.settings import Settings

# fmt: off
COSTS: Final = (
    # method    path, or all below it   tokens
    (None,     "/livez",                0),  # probes always answer
    (None,     "/readyz",               0),
    (None,     "/metrics",              0),
    (None,     "/api/status",           0),  # what a refused player may ask
    (None,     "/api/compat/health",    0),
    (None,     "/static/",              0),  # one page is dozens of files, all from memory
    ("POST",   "/api/compose",          5),  # a piece
    ("POST",   "/api/midi",             5),  # the notes of up to ten minutes
    (None,     "/api/compat/",          5),  # a search
    ("POST",   "/api/auth/login",       5),  # a hash that is made to be slow
    ("POST",   "/api/auth/register",    5),
    ("GET",    "/api/account/export",   5),
    ("GET",    "/api/sky",              2),  # up to half a second of work
)
DEFAULT_COST: Final = 1

# Guesses of passwords, in buckets of their own.
LOGINS_OF_ADDRESS:    Final = Rate(30, 900)    # one household, many accounts
LOGINS_OF_BOTH:       Final = Rate(10, 900)    # one address at one account
LOGINS_OF_ACCOUNT:    Final = Rate(100, 3600)  # many addresses at which nobody ever knew it
ACCOUNTS_OF_ADDRESS:  Final = Rate(20, 3600)
# fmt: on

N_CELLS: Final = 65_536
"""About twelve megabytes when all are in use."""

MOST_REFUSED: Final = 100
"""Who was refused lately is remembered so far, for who runs the server."""


def cost_of(method: str, path: str) -> int:
    """Return what a request costs (tokens)."""
    method = "GET" if method == "HEAD" else method
    for row_method, row_path, cost in COSTS:
        is_below = row_path.endswith("/") and path.startswith(row_path)
        if row_method in (None, method) and (path == row_path or is_below):
            return cost
    return DEFAULT_COST


def rate_of(settings: Settings) -> Rate:
    """Return how much one address, one account or one listener may ask."""
    return _rate(settings.rate_limit_max, settings.rate_limit_window_s)


@lru_cache(maxsize=8)
def _rate(n_tokens: int, window_s: int) -> Rate:
    """Return a rate, the same object for the same figures: it is asked for with each message."""
    return Rate(n_tokens, window_s)


class Limits:
    """The buckets of all addresses and accounts."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._buckets = Doors(N_CELLS)
        self._refused: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()
        self._familiar = Familiar(N_CELLS)

    def charge_address(self, connection: HTTPConnection, cost: int) -> None:
        """Charge the address that a request came from.

        Raises:
            RateLimited: its bucket does not hold so much.
        """
        self._charge(connection, "address", self.address_of(connection), cost)

    def charge_account(self, connection: HTTPConnection, user_id: str, cost: int) -> None:
        """Charge the account that is logged in.

        Raises:
            RateLimited: its bucket does not hold so much.
        """
        self._charge(connection, "account", user_id, cost)

    def count_account(self, connection: HTTPConnection, user_id: str, cost: int) -> None:
        """Charge the account that is logged in, as far as it goes: nothing is refused for it."""
        self._stand(connection, "account", user_id, cost)

    def charge_login(self, connection: HTTPConnection, email: str) -> None:
        """Count a guess at a password.

        Raises:
            RateLimited: there were too many, from this address or for this account.
        """
        address = self.address_of(connection)
        rates = {
            f"login-of-both {address} {email}": LOGINS_OF_BOTH,
            f"login-of-address {address}": LOGINS_OF_ADDRESS,
        }
        if f"{address} {email}" not in self._familiar:
            rates[f"login-of-account {email}"] = LOGINS_OF_ACCOUNT
        for name, rate in rates.items():
            self._refuse(self._take(name, rate, 1), "too many attempts to log in")

    def remember_login(self, connection: HTTPConnection, email: str) -> None:
        """Heed that the password was known here: strangers cannot lock this address out."""
        self._familiar.add(f"{self.address_of(connection)} {email}")

    def charge_registration(self, connection: HTTPConnection) -> None:
        """Count a new account.

        Raises:
            RateLimited: there were too many from this address.
        """
        name = f"register {self.address_of(connection)}"
        standing = self._take(name, ACCOUNTS_OF_ADDRESS, 1)
        self._refuse(standing, "too many accounts were made from this address")

    def address_of(self, connection: HTTPConnection) -> str:
        """Return what stands for the address of who asks: for IPv6 its /64."""
        return neighbourhood(address_of(connection, self._shell.settings.trusted_proxies))

    # For who runs the server --------------------------------------------------------------------

    @property
    def n_buckets(self) -> int:
        """How many buckets there are."""
        return len(self._buckets)

    def refused_lately(self) -> list[dict[str, Any]]:
        """Return who was refused lately, the last first: policy, name, how often, how long ago."""
        now_ns = self._shell.clock.now_ns()
        return [
            {"policy": policy, "name": name, "times": n, "secondsAgo": (now_ns - at) // NS_PER_S}
            for (policy, name), (n, at) in reversed(self._refused.items())
        ]

    def left_of(self, address: str) -> int:
        """Return how many requests an address has left now."""
        rate = rate_of(self._shell.settings)
        return self._take(f"address {neighbourhood(address)}", rate, 0).n_left

    def reset(self, address: str = "") -> int:
        """Forget what an address asked, or with none given all; return how many buckets."""
        if not address:
            self._refused.clear()
            return self._buckets.reset()
        near = neighbourhood(address)
        self._refused.pop(("address", near), None)
        names = ("address", "login-of-address", "register")
        return sum(self._buckets.forget(f"{name} {near}") for name in names)

    def _note_refused(self, policy: str, name: str) -> None:
        times, _ = self._refused.pop((policy, name), (0, 0))
        self._refused[policy, name] = times + 1, self._shell.clock.now_ns()
        if len(self._refused) > MOST_REFUSED:
            self._refused.popitem(last=False)

    # What all of them do ------------------------------------------------------------------------

    def _charge(self, connection: HTTPConnection, policy: str, name: str, cost: int) -> None:
        standing = self._stand(connection, policy, name, cost)
        if standing.wait_ns:
            self._note_refused(policy, name)
        self._refuse(standing, f"too many requests from this {policy}")

    def _stand(self, connection: HTTPConnection, policy: str, name: str, cost: int) -> Standing:
        """Take tokens if there are so many; return how the bucket stands, which is told too."""
        standing = self._take(f"{policy} {name}", rate_of(self._shell.settings), cost)
        standings_of(connection)[policy] = standing
        return standing

    def _take(self, name: str, rate: Rate, cost: int) -> Standing:
        return self._buckets.charge(name, rate, cost, self._shell.clock.now_ns())

    @staticmethod
    def _refuse(standing: Standing, sentence: str) -> None:
        if standing.wait_ns:
            raise RateLimited(f"{sentence}; wait a little", standing.wait_ns / NS_PER_S)


def standings_of(connection: HTTPConnection) -> dict[str, Standing]:
    """Return by name the buckets that a request was charged to."""
    state = connection.scope.setdefault("state", {})
    found: dict[str, Standing] = state.setdefault("standings", {})
    return found


def limit_headers(standings: Mapping[str, Standing]) -> dict[str, str]:
    """Return what an answer tells of the buckets (draft-ietf-httpapi-ratelimit-headers-10)."""
    if not standings:
        return {}
    return {
        "RateLimit-Policy": ", ".join(
            f'"{name}";q={standing.rate.n_tokens};w={standing.rate.window_s}'
            for name, standing in standings.items()
        ),
        "RateLimit": ", ".join(
            f'"{name}";r={standing.n_left};t={-(-standing.fill_ns // NS_PER_S)}'
            for name, standing in standings.items()
        ),
    }
