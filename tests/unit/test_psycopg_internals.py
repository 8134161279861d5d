"""The parts of psycopg that ticketsvc.store.postgres uses although its documentation does not describe them."""

from __future__ import annotations

import inspect

import psycopg


def test_psycopg_has_the_internals_that_the_store_uses(database: psycopg.Connection[tuple[object, ...]]) -> None:
    try:
        _use_internals(database)
    except (AssertionError, AttributeError, ImportError, TypeError, ValueError) as error:
        raise AssertionError(
            "psycopg changed generators, Connection.wait or psycopg.waiting: adapt statement.py and "
            "gevent_connection.py in ticketsvc/store/postgres, then this test."
        ) from error


def _use_internals(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    from psycopg import generators
    from psycopg.waiting import Ready, Wait

    assert list(inspect.signature(psycopg.Connection.wait).parameters) == ["self", "gen", "interval", "timeout"]
    assert [Wait(state.value) for state in (Ready.R, Ready.W, Ready.RW)] == list(Wait)
    pgconn = connection.pgconn

    pgconn.send_query_params(b"SELECT 1", None)
    [result] = connection.wait(generators.execute(pgconn))
    assert result.get_value(0, 0) == b"1"

    pgconn.send_query_params(b"SELECT generate_series(1, 3)", None)
    pgconn.set_chunked_rows_mode(2)
    connection.wait(generators.send(pgconn))
    sizes = []
    while (part := connection.wait(generators.fetch(pgconn))) is not None:
        sizes.append(part.ntuples)
    assert sizes == [2, 1, 0]
