"""Search among many is the full scorer for each, in order, whatever comes and goes meanwhile."""

from __future__ import annotations

from threading import Event, Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astradio_stream.compat import index as index_module
from astradio_stream.compat.contacts import contacts_of, score_micro, sums_of
from astradio_stream.compat.cursor import cursor_of, place_of_cursor
from astradio_stream.compat.index import BLOCK, Index
from astradio_stream.compat.points import ABSENT, N_POINTS, TENTHS, Tenths
from astradio_stream.compat.row_map import RowMap
from astradio_stream.compat.search import Match, Place, scores_micro, search
from astradio_stream.compat.tables import tables_of
from astradio_stream.compat.weights import FACETS, load_weights
from astradio_stream.errors import ValidationFailed
from loadtest.brute_compat import World, brute_order, brute_scores_micro, world_of

WEIGHTS = load_weights()
N_CHARTS = 20_000
facets = st.sampled_from(FACETS)
charts = st.tuples(*[st.integers(0, TENTHS)] * N_POINTS)


@pytest.fixture(scope="module")
def world() -> World:
    return world_of(3, N_CHARTS)


@pytest.fixture(scope="module")
def index(world: World) -> Index:
    return Index.of_columns(world.ids, world.owners, world.tenths)


def assert_found(found: list[Match], world: World, wanted: np.ndarray, scores: np.ndarray) -> None:
    assert [match.chart_id for match in found] == world.ids[wanted].tolist()
    assert [match.score_micro for match in found] == scores[wanted].tolist()
    assert [match.owner for match in found] == world.owners[wanted].tolist()
    assert [match.tenths for match in found] == [world.chart(int(n)) for n in wanted]


@given(charts, charts, facets)
@settings(max_examples=80, deadline=None)
def test_tables_add_up_to_the_contacts(a: Tenths, b: Tenths, facet: str) -> None:
    tables, rows = tables_of(a, facet, WEIGHTS), range(N_POINTS)
    bonus, penalty = sums_of(contacts_of(a, b, facet, WEIGHTS))
    assert int(tables.bonus[rows, b].sum()) == bonus
    assert int(tables.penalty[rows, b].sum()) == penalty


def test_brute_force_is_the_full_scorer(world: World) -> None:
    some = slice(0, 40)
    for n, facet in enumerate(FACETS):
        a = world.chart(100 + n)
        brute = brute_scores_micro(world.tenths[:, some], a, facet, WEIGHTS)
        plain = [score_micro(a, world.chart(k), facet, WEIGHTS) for k in range(40)]
        assert brute.tolist() == plain
        assert scores_micro(world.tenths[:, some], a, facet, WEIGHTS).tolist() == plain


@pytest.mark.parametrize("facet", FACETS)
def test_search_equals_brute_force(world: World, index: Index, facet: str) -> None:
    """Twenty thousand charts, two pages, with blocked owners; the full run is a command."""
    for n in (5, 4_000):
        a = world.chart(n)
        blocked = world.owners[:300].tolist()
        scores = brute_scores_micro(world.tenths, a, facet, WEIGHTS)
        order = brute_order(world, scores)
        order = order[~np.isin(world.owners[order], blocked) & (order != n)]
        after = None
        for page in range(2):
            found = search(
                index.snapshot,
                a,
                facet,
                30,
                WEIGHTS,
                after=after,
                without_owners=blocked,
                without_charts=[int(world.ids[n])],
            )
            assert_found(found, world, order[30 * page : 30 * page + 30], scores)
            after = Place(found[-1].score_micro, found[-1].chart_id)


@given(
    st.tuples(st.integers(0, 2**32), st.integers(1, 400), st.integers(0, 3)),
    charts,
    facets,
    st.integers(8, 60),
    st.sets(st.integers(0, 60), max_size=12),
)
@settings(max_examples=50, deadline=None)
def test_any_search_in_any_small_world(
    size: tuple[int, int, int], a: Tenths, facet: str, limit: int, blocked: set[int]
) -> None:
    """Small worlds have the most ties: with `n_kinds` above zero all charts are of a few kinds."""
    seed, n_charts, n_kinds = size
    world = world_of(seed, n_charts)
    if n_kinds:
        world.tenths[:] = world.tenths[:, np.arange(n_charts) % n_kinds % n_charts]
    index = Index.of_columns(world.ids, world.owners, world.tenths)
    scores = scores_micro(world.tenths, a, facet, WEIGHTS)
    order = brute_order(world, scores)
    order = order[~np.isin(world.owners[order], sorted(blocked))]
    found: list[Match] = []
    while page := search(
        index.snapshot,
        a,
        facet,
        limit,
        WEIGHTS,
        after=Place(found[-1].score_micro, found[-1].chart_id) if found else None,
        without_owners=sorted(blocked),
    ):
        assert len(page) <= limit
        found += page
    assert_found(found, world, order, scores)


def test_nobody_is_left_out_across_blocks_of_equal_charts() -> None:
    """More equal charts than fit into a block: order is by id alone, though ids are mixed."""
    n = BLOCK + 500
    ids = np.random.Generator(np.random.Philox(key=[1, 1])).permutation(n).astype(np.int64)
    index = Index.of_columns(ids, np.zeros(n, np.int32), np.full((N_POINTS, n), 700))
    found = search(index.snapshot, (700,) * N_POINTS, "lovers", 50, WEIGHTS)
    assert [match.chart_id for match in found] == list(range(50))
    after = Place(found[-1].score_micro, found[-1].chart_id)
    found = search(index.snapshot, (700,) * N_POINTS, "lovers", 50, WEIGHTS, after=after)
    assert [match.chart_id for match in found] == list(range(50, 100))


def test_an_unknown_time_counts_without_angles(world: World) -> None:
    timed = world.chart(0)
    timeless = (*timed[:10], ABSENT, ABSENT)
    a = (*world.chart(1)[:10], 100, 3_000)
    for facet in FACETS:
        contacts = contacts_of(a, timeless, facet, WEIGHTS)
        assert all(c.b is None or c.b < 10 for c in contacts)
        # a's own houses still receive the other's bodies, and nothing else needs a time.
        assert not [c for c in contacts if c.a is not None and c.b is None]
    index = Index.of_columns(np.array([1]), np.array([0], np.int32), np.array(timeless)[:, None])
    found = search(index.snapshot, a, "lovers", 5, WEIGHTS)
    assert found[0].tenths == timeless
    assert found[0].score_micro == score_micro(a, timeless, "lovers", WEIGHTS)


def test_an_empty_index_finds_nobody() -> None:
    assert search(Index().snapshot, (0,) * N_POINTS, "lovers", 5, WEIGHTS) == []
    empty = Index.of_columns(
        np.empty(0, np.int64), np.empty(0, np.int32), np.empty((N_POINTS, 0), np.uint16)
    )
    assert search(empty.snapshot, (0,) * N_POINTS, "lovers", 5, WEIGHTS) == []
    assert len(empty) == 0


def test_wrong_columns_are_refused() -> None:
    one = np.zeros(1, np.int32)
    with pytest.raises(ValueError, match="id of its own"):
        Index.of_columns(np.array([4, 4]), np.zeros(2, np.int32), np.zeros((N_POINTS, 2), np.int64))
    for tenths in (np.zeros((N_POINTS - 1, 1), np.int64), np.full((N_POINTS, 1), ABSENT + 1)):
        with pytest.raises(ValueError, match="12 points"):
            Index.of_columns(np.array([4]), one, tenths)
    index = Index()
    with pytest.raises(ValueError, match="12 points"):
        index.put(1, 0, (0,) * 11)
    with pytest.raises(ValueError, match="owner"):
        index.put(1, -1, (0,) * N_POINTS)
    assert len(index) == 0


# The index against a dictionary, with a small block so that blocks fill up and are packed anew.
changes = st.lists(
    st.tuples(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 12), st.none() | charts),
    max_size=120,
)


@given(changes, charts)
@settings(max_examples=60, deadline=None)
def test_the_index_is_a_dictionary_that_can_be_searched(
    made: list[tuple[int, Tenths | None]], a: Tenths
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for module in (index_module, __import__("astradio_stream.compat.search", fromlist=["x"])):
            patch.setattr(module, "BLOCK", 8)
        index, model = Index(), dict[int, Tenths]()
        for chart_id, tenths in made:
            if tenths is None:
                assert index.remove(chart_id) == (model.pop(chart_id, None) is not None)
            else:
                index.put(chart_id, chart_id % 5, tenths)
                model[chart_id] = tenths
            assert len(index) == len(model)
        assert all((chart_id in index) == (chart_id in model) for chart_id, _ in made)
        found = search(index.snapshot, a, "friends", 200, WEIGHTS)
        assert {match.chart_id: match.tenths for match in found} == model
        wanted = sorted(
            (-score_micro(a, tenths, "friends", WEIGHTS), chart_id)
            for chart_id, tenths in model.items()
        )
        assert [(-match.score_micro, match.chart_id) for match in found] == wanted
        rows = sum(block.n_rows for block in index.snapshot.blocks)
        assert rows <= 2 * max(8, len(model)) + 8, "removed rows are packed away in time"


def test_a_snapshot_does_not_change() -> None:
    index = Index()
    index.put(1, 0, (100,) * N_POINTS)
    index.put(2, 0, (200,) * N_POINTS)
    before = index.snapshot
    index.put(1, 0, (300,) * N_POINTS)
    index.remove(2)
    index.put(3, 0, (400,) * N_POINTS)
    a = (100,) * N_POINTS
    then = search(before, a, "friends", 9, WEIGHTS)
    assert {match.chart_id: match.tenths[0] for match in then} == {1: 100, 2: 200}
    now = search(index.snapshot, a, "friends", 9, WEIGHTS)
    assert {match.chart_id: match.tenths[0] for match in now} == {1: 300, 3: 400}


def test_readers_never_see_a_torn_chart_while_one_writes() -> None:
    """Each chart has all its points in one place, which the writer keeps changing."""
    n_charts, stop, errors = 200, Event(), list[str]()
    index = Index()
    for chart_id in range(n_charts):
        index.put(chart_id, chart_id, (chart_id,) * N_POINTS)

    def read() -> None:
        while not stop.is_set():
            found = search(index.snapshot, (5,) * N_POINTS, "friends", 2 * n_charts, WEIGHTS)
            ids = [match.chart_id for match in found]
            if sorted(ids) != list(range(n_charts)):
                errors.append(f"{len(ids)} charts, {len(set(ids))} of them different")
            errors.extend(f"torn: {m.tenths}" for m in found if len(set(m.tenths)) != 1)

    readers = [Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for n in range(4_000):
        index.put(n % n_charts, n % n_charts, (n % TENTHS,) * N_POINTS)
    stop.set()
    for reader in readers:
        reader.join()
    assert not errors, errors[:3]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, max_size=300))
@settings(max_examples=40, deadline=None)
def test_the_row_map_finds_every_id_and_no_other(ids: list[int]) -> None:
    rows = RowMap(lambda row: ids[row])
    half = len(ids) // 2
    rows.rebuild(np.array(ids[:half], np.int64), np.arange(half, dtype=np.int32))
    for row in range(half, len(ids)):
        if rows.is_full:
            rows.rebuild(np.array(ids[:row], np.int64), np.arange(row, dtype=np.int32))
        rows.put(ids[row], row)
    assert [rows.get(chart_id) for chart_id in ids] == list(range(len(ids)))
    for chart_id in ids[::2]:
        rows.remove(chart_id)
    assert [rows.get(chart_id) for chart_id in ids[::2]] == [None] * len(ids[::2])
    assert [rows.get(chart_id) for chart_id in ids[1::2]] == list(range(1, len(ids), 2))


def test_a_chart_costs_at_most_forty_bytes() -> None:
    n = 10 * BLOCK
    tenths = np.zeros((N_POINTS, n), np.uint16)
    index = Index.of_columns(np.arange(n), np.zeros(n, np.int32), tenths)
    assert 20 <= index.nbytes / n <= 40


@given(charts, facets, st.integers(0, 10**6), st.integers(-(2**63), 2**63 - 1))
@settings(max_examples=60, deadline=None)
def test_a_cursor_is_read_as_it_was_written(
    a: Tenths, facet: str, score: int, chart_id: int
) -> None:
    text = cursor_of(Match(chart_id, 0, score, a), a, facet, WEIGHTS)
    assert place_of_cursor(text, a, facet, WEIGHTS) == Place(score, chart_id)
    other = FACETS[FACETS.index(facet) - 1]
    for question in ((a, other), ((*a[:11], (a[11] + 1) % TENTHS), facet)):
        with pytest.raises(ValidationFailed, match="nextCursor"):
            place_of_cursor(text, *question, WEIGHTS)


@given(st.text() | st.binary() | st.integers() | st.none() | st.text("Aa0-_+/=é", max_size=30))
@settings(max_examples=100, deadline=None)
def test_a_foreign_cursor_is_refused(cursor: object) -> None:
    with pytest.raises(ValidationFailed) as refused:
        place_of_cursor(cursor, (0,) * N_POINTS, "lovers", WEIGHTS)
    assert refused.value.details[0].field == "cursor"


def test_pages_stay_true_while_charts_come_and_go(world: World) -> None:
    index = Index.of_columns(world.ids[:3_000], world.owners[:3_000], world.tenths[:, :3_000])
    a = world.chart(9)
    first = search(index.snapshot, a, "creative", 20, WEIGHTS)
    rest = search(index.snapshot, a, "creative", 60, WEIGHTS)[20:]
    index.remove(first[3].chart_id)  # on the page that was read
    index.remove(first[-1].chart_id)  # the very one that the cursor names
    index.remove(rest[5].chart_id)  # still to come
    after = Place(first[-1].score_micro, first[-1].chart_id)
    second = search(index.snapshot, a, "creative", 20, WEIGHTS, after=after)
    assert second == [match for n, match in enumerate(rest) if n != 5][:20]
