"""A day in a small support team: every count, history and statistic agrees with the records of its clients."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.support.support_day import Day

if TYPE_CHECKING:
    from tests.support.http import Service


TICKETS = 500 if os.environ.get("FAULTS") == "all" else 200


def test_a_day_in_a_small_support_team(service: Service) -> None:
    day = Day(f"http://127.0.0.1:{service.port}", TICKETS)
    day.run()
    done = day.check()
    print(done)
    assert done["tickets"] == TICKETS
    assert done["claims"] > TICKETS
