"""Before a batch of writes is run, the requests that have arrived are read."""

from __future__ import annotations

import gevent
import gevent.socket

from ticketsvc.store.postgres.gevent_connection import gather


def test_requests_that_have_arrived_are_read_first() -> None:
    here, there = gevent.socket.socketpair()
    with here, there:
        reader = gevent.spawn(lambda: here.recv(1) + here.recv(1))
        gevent.sleep()
        there.send(b"a")
        gevent.spawn_later(0, there.send, b"b")  # while the first one is read
        gather()
        assert reader.value == b"ab"


def test_a_busy_process_does_not_hold_up_the_batch() -> None:
    here, there = gevent.socket.socketpair()

    def stay_busy() -> None:
        while True:
            gevent.socket.wait_read(there.fileno())

    with here, there:
        here.send(b"a")
        busy = gevent.spawn(stay_busy)
        with gevent.Timeout(30):
            gather()
        busy.kill()
