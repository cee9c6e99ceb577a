"""Accounts, sessions, charts, pieces and kept answers: whose they are, and when they end."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest

from astradio_stream.errors import AuthRequired, Conflict, NotFound
from astradio_stream.store import answers, charts, users
from astradio_stream.store.answers import KEPT_US, Asked, KeptAnswer
from astradio_stream.store.charts import MOST_CHARTS, PRIVATE, PUBLIC, SavedChart
from astradio_stream.store.compositions import (
    Composition,
    composition_of_id,
    composition_of_media,
    compositions_of,
    forget_compositions,
    forget_pieces_of,
    keep_composition,
)
from astradio_stream.store.migrations import migrate
from astradio_stream.strict_json import dump_json


@pytest.fixture
def store() -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        migrate(connection)
        yield connection


@pytest.fixture
def ada(store: sqlite3.Connection) -> users.User:
    return users.add_user(store, "ada@radio.example", "hash", 1)


@pytest.fixture
def bob(store: sqlite3.Connection) -> users.User:
    return users.add_user(store, "bob@radio.example", "hash", 2)


def chart_of(user: users.User, visibility: str = PRIVATE, name: str = "x") -> SavedChart:
    return SavedChart(
        charts.new_chart_id(), user.id, name, "1990-01-01T12:00", "Europe/Berlin",
        52.5, 13.4, None, visibility, 5, 5,
    )  # fmt: skip


def n_rows(store: sqlite3.Connection) -> dict[str, int]:
    tables = ("users", "sessions", "charts", "compositions", "media", "answers")
    return {
        name: store.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608
        for name in tables
    }


# Accounts and sessions ---------------------------------------------------------------------------


def test_an_address_has_one_account(store: sqlite3.Connection, ada: users.User) -> None:
    with pytest.raises(Conflict):
        users.add_user(store, ada.email, "other", 3)
    assert users.user_of_email(store, ada.email) == ada
    assert users.user_of_email(store, "nobody@radio.example") is None


def test_a_session_lives_until_its_end(store: sqlite3.Connection, ada: users.User) -> None:
    digest = users.digest_of("token")
    users.add_session(store, digest, ada.id, 10, 20)
    found = users.session_of(store, digest, 19)
    assert found is not None
    assert (found.user, found.expires_us) == (ada, 20)
    assert users.session_of(store, digest, 20) is None
    assert users.session_of(store, users.digest_of("other"), 10) is None
    users.end_old_sessions(store, 20)
    assert n_rows(store)["sessions"] == 0


def test_sessions_end_one_by_one_or_all_at_once(
    store: sqlite3.Connection, ada: users.User, bob: users.User
) -> None:
    for n, user in enumerate((ada, ada, ada, bob)):
        users.add_session(store, bytes([n]), user.id, 10, 20)
    users.end_session(store, b"\0")
    users.end_session(store, b"\0")
    assert [users.session_of(store, bytes([n]), 10) is None for n in range(4)] == [
        True, False, False, False,
    ]  # fmt: skip
    users.end_sessions_of(store, ada.id)
    assert [users.session_of(store, bytes([n]), 10) is None for n in range(4)] == [
        True, True, True, False,
    ]  # fmt: skip


def test_the_oldest_of_too_many_sessions_ends(
    store: sqlite3.Connection, ada: users.User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "MOST_SESSIONS", 3)
    for n in range(5):
        users.add_session(store, bytes([n]), ada.id, n, 100)
    assert [n for n in range(5) if users.session_of(store, bytes([n]), 50)] == [2, 3, 4]


def test_nobody_logs_in_to_an_account_that_is_gone(
    store: sqlite3.Connection, ada: users.User
) -> None:
    users.delete_user(store, ada.id)
    with pytest.raises(AuthRequired):
        users.add_session(store, b"d", ada.id, 1, 2)
    with pytest.raises(AuthRequired):
        charts.add_chart(store, chart_of(ada))
    with pytest.raises(AuthRequired):
        keep_composition(store, Composition("piece", ada.id, "{}", "{}", 1), {})
    with pytest.raises(AuthRequired):
        answers.keep_answer(store, Asked("s", "k", b"r", ada.id), KeptAnswer(200, b"{}"), 1)


def test_all_of_an_account_goes_with_it_and_nothing_else(
    store: sqlite3.Connection, ada: users.User, bob: users.User
) -> None:
    for user in (ada, bob):
        users.add_session(store, user.id.encode(), user.id, 1, 2)
        charts.add_chart(store, chart_of(user, PUBLIC))
        piece = Composition(f"piece {user.id}", user.id, "{}", "{}", 1)
        keep_composition(store, piece, {"audio": "a", "midi": "m"})
        asked = Asked("scope", user.id, b"r", user.id)
        answers.keep_answer(store, asked, KeptAnswer(201, b"{}"), 1)
    everything = users.everything_of(store, ada)
    assert (everything["user"], everything["sessions"]) == (ada, [(1, 2)])
    assert [chart.user_id for chart in everything["charts"]] == [ada.id]
    assert [piece.user_id for piece in everything["compositions"]] == [ada.id]
    before = n_rows(store)
    assert users.delete_user(store, ada.id) == []  # bob has the same files
    assert n_rows(store) == {name: n // 2 for name, n in before.items()}
    assert users.everything_of(store, bob)["charts"]


# Charts ------------------------------------------------------------------------------------------


def test_a_private_chart_is_seen_by_its_owner_alone(
    store: sqlite3.Connection, ada: users.User, bob: users.User
) -> None:
    private, public = chart_of(ada), chart_of(ada, PUBLIC)
    for chart in (private, public):
        charts.add_chart(store, chart)
    assert charts.visible_chart(store, private.id, ada.id) == private
    for asking in (ada.id, bob.id, None):
        assert charts.visible_chart(store, public.id, asking) == public
    for asking in (bob.id, None, ""):
        with pytest.raises(NotFound):
            charts.visible_chart(store, private.id, asking)
    assert charts.public_charts(store) == [public]
    assert charts.charts_of(store, bob.id) == []


def test_only_the_owner_changes_and_deletes(
    store: sqlite3.Connection, ada: users.User, bob: users.User
) -> None:
    chart = chart_of(ada, PUBLIC)
    charts.add_chart(store, chart)
    with pytest.raises(NotFound):
        charts.own_chart(store, chart.id, bob.id)
    with pytest.raises(NotFound):
        charts.delete_chart(store, chart.id, bob.id)
    charts.change_chart(store, replace(chart, user_id=bob.id, name="stolen"))
    assert charts.own_chart(store, chart.id, ada.id) == chart
    changed = replace(chart, name="y", fold=1, tz=None, visibility=PRIVATE, changed_us=9)
    charts.change_chart(store, changed)
    assert charts.own_chart(store, chart.id, ada.id) == changed
    charts.delete_chart(store, chart.id, ada.id)
    with pytest.raises(NotFound):
        charts.delete_chart(store, chart.id, ada.id)


def test_an_account_has_so_many_charts_and_no_more(
    store: sqlite3.Connection, ada: users.User, bob: users.User
) -> None:
    for _ in range(MOST_CHARTS):
        charts.add_chart(store, chart_of(ada))
    with pytest.raises(Conflict, match="delete one first"):
        charts.add_chart(store, chart_of(ada))
    charts.add_chart(store, chart_of(bob))


def test_a_deleted_chart_is_in_no_kept_answer(store: sqlite3.Connection, ada: users.User) -> None:
    chart = chart_of(ada)
    charts.add_chart(store, chart)
    for key, body in (("a", chart.id.encode()), ("b", b"other")):
        asked = Asked("scope", key, b"r", ada.id)
        answers.keep_answer(store, asked, KeptAnswer(201, b'{"id": "' + body + b'"}'), 1)
    charts.delete_chart(store, chart.id, ada.id)
    assert [row["key"] for row in store.execute("SELECT key FROM answers")] == ["b"]


# Pieces ------------------------------------------------------------------------------------------


def test_a_piece_is_found_by_its_id_and_by_its_files(
    store: sqlite3.Connection, ada: users.User
) -> None:
    piece = Composition("one", ada.id, '{"seed":1}', "{}", 1)
    nobodys = Composition("two", None, '{"seed":1}', "{}", 2)
    keep_composition(store, piece, {"audio": "aa", "viz": "bb"})
    keep_composition(store, nobodys, {"audio": "cc"})
    keep_composition(store, replace(piece, programme="other"), {"audio": "dd"})
    assert composition_of_id(store, "one") == piece
    assert composition_of_id(store, "none") is None
    assert composition_of_media(store, "viz", "bb") == piece
    assert composition_of_media(store, "audio", "bb") is None
    assert composition_of_media(store, "audio", "dd") is None
    assert composition_of_media(store, "audio", "cc") == nobodys
    assert compositions_of(store, ada.id) == [piece]
    forget_compositions(store, 3)
    assert composition_of_media(store, "audio", "cc") is None
    assert composition_of_id(store, "one") == piece


def test_pieces_that_play_a_birth_go_without_the_others(
    store: sqlite3.Connection, ada: users.User, bob: users.User
) -> None:
    birth = {"datetime": "1990-06-15T12:30:00Z", "lat": 52.52, "lon": 13}
    for n, day in enumerate(("1990-06-15", "1990-06-16")):
        played = birth | {"datetime": f"{day}T12:30:00Z", "tz": "UTC"}
        order = dump_json({"programme": {"charts": [{"lat": 1}, played]}, "durationS": 1})
        for user in (ada, bob):
            piece = Composition(f"{day} {user.id}", user.id, order.decode(), "{}", n)
            keep_composition(store, piece, {"audio": day, "midi": f"{day} {user.id}"})
            asked = Asked("scope", f"{day} {user.id}", b"r", user.id)
            answers.keep_answer(store, asked, KeptAnswer(200, order), 1)
    forget = forget_pieces_of(store, ada.id, birth)
    answers.forget_answers_with(store, ada.id, birth)
    assert forget == [("midi", f"1990-06-15 {ada.id}")]  # the sound is bob's, too
    assert [piece.created_us for piece in compositions_of(store, ada.id)] == [1]
    assert len(answers.answers_of(store, ada.id)) == 1
    assert len(compositions_of(store, bob.id)) == len(answers.answers_of(store, bob.id)) == 2


# Kept answers ------------------------------------------------------------------------------------


def test_the_same_request_gets_the_same_answer_for_a_day(store: sqlite3.Connection) -> None:
    asked = Asked("POST /api/charts user_1", "key", b"request", None)
    kept = KeptAnswer(201, b'{"id":1}')
    assert answers.kept_answer(store, asked, 0) is None
    answers.keep_answer(store, asked, kept, 0)
    answers.keep_answer(store, asked, KeptAnswer(500, b"later"), 1)
    assert answers.kept_answer(store, asked, KEPT_US - 1) == kept
    assert answers.kept_answer(store, asked, KEPT_US) is None
    answers.keep_answer(store, asked, KeptAnswer(200, b"new"), KEPT_US)
    assert answers.kept_answer(store, asked, KEPT_US) == KeptAnswer(200, b"new")
    answers.forget_answers(store, 2 * KEPT_US)
    assert n_rows(store)["answers"] == 0


def test_a_key_stands_for_one_request_of_one_owner(store: sqlite3.Connection) -> None:
    asked = Asked("POST /api/charts user_1", "key", b"request", None)
    answers.keep_answer(store, asked, KeptAnswer(201, b"{}"), 0)
    with pytest.raises(Conflict):
        answers.kept_answer(store, replace(asked, request=b"another"), 1)
    assert answers.kept_answer(store, replace(asked, scope="POST /api/charts user_2"), 1) is None


def test_of_one_owner_the_latest_answers_are_kept(
    store: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOST_OF_OWNER", 2)
    for scope, n in (("a", 4), ("b", 2)):
        for key in range(n):
            asked = Asked(scope, str(key), b"r", None)
            answers.keep_answer(store, asked, KeptAnswer(200, b"{}"), key)
    answers.forget_answers(store, 5)
    kept = store.execute("SELECT scope, key FROM answers ORDER BY scope, key").fetchall()
    assert [tuple(row) for row in kept] == [("a", "2"), ("a", "3"), ("b", "0"), ("b", "1")]
