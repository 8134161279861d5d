#!/bin/sh
# gevent 26.9.0: gevent.sleep(0), the usual way to let others run, does not let a greenlet run whose data has arrived.
#
# A greenlet that yields becomes a callback of the event loop. The loop runs callbacks, also those added meanwhile, until none is
# left or the interval of gevent.setswitchinterval() is over (5 ms), and only then asks the system which sockets are ready. So
# greenlets that wait for a lock or an event get their turn at once, and those that wait for a socket do not, although their data
# is there: of two greenlets of which one sends the other a byte and yields until it is read, the first yields for 5 ms.
# gevent.idle() waits until the loop has asked, and nothing is ready any more.
#
# Seen: more than a thousand calls of gevent.sleep(0) before the byte is read, one call of gevent.idle(). Expected: one or two.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check gevent==26.9.0
cat > "$folder/read.py" << 'PYTHON'
import sys

import gevent
import gevent.lock
import gevent.socket


def turns_until_read(yield_turn):
    """Return how often a greenlet that a lock has woken yields until another has read the byte that it sends."""
    here, there = gevent.socket.socketpair()
    with here, there:
        reader = gevent.spawn(here.recv, 1)
        woken = gevent.lock.Semaphore(0)

        def send():
            woken.acquire()
            there.send(b"x")
            turns = 0
            while not reader.dead:
                yield_turn()
                turns += 1
            return turns

        sender = gevent.spawn(send)
        gevent.sleep(0.01)
        woken.release()
        gevent.joinall([sender, reader])
        return sender.value


sleeps, idles = (turns_until_read(yield_turn) for yield_turn in (lambda: gevent.sleep(0), gevent.idle))
print(f"gevent {gevent.__version__}: {sleeps} calls of gevent.sleep(0), {idles} of gevent.idle()")
sys.exit(sleeps < 100 or idles > 2)
PYTHON
"$folder/venv/bin/python" "$folder/read.py" || { echo "The behaviour has changed." >&2; exit 1; }
