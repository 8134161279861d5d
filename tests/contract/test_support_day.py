"""A day in a small support team: every count, history and statistic agrees with the records of its clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.support_day import Day

if TYPE_CHECKING:
    from tests.support.http import Service


def test_a_day_in_a_small_support_team(service: Service) -> None:
    day = Day(f"http://127.0.0.1:{service.port}")
    day.run()
    done = day.check()
    print(done)
    assert done["tickets"] == 500
    assert done["claims"] > 500
