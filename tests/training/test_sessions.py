"""Sessions: what is known of each process' part in a run."""

from datetime import datetime, timedelta

import pytest

from replication.system.clock import now
from replication.training import sessions
from replication.training.sessions import COMPLETED, CUT_OFF, Sessions


@pytest.fixture
def clock(monkeypatch):
    """Advance the clock by one second each time that it is read."""
    times = iter(range(1000))
    monkeypatch.setattr(sessions, "now", lambda: next(times))


def test_the_time_is_that_of_utc_to_the_second():
    time = datetime.fromisoformat(now())
    assert time.utcoffset() == timedelta(0)
    assert time.microsecond == 0


@pytest.mark.usefixtures("clock")
def test_a_session_of_which_nothing_more_is_heard_was_cut_off():
    log = Sessions()
    log.begin(3)
    assert log.rows == [{"started": 0, "ended": 0, "first_step": 3, "last_step": 3, "end": CUT_OFF}]
    log.mark(7)
    assert log.rows == [{"started": 0, "ended": 1, "first_step": 3, "last_step": 7, "end": CUT_OFF}]


@pytest.mark.usefixtures("clock")
def test_each_session_goes_on_where_the_last_has_saved():
    log = Sessions()
    log.begin(0)
    log.mark(5, "SIGTERM")
    log = Sessions([dict(row) for row in log.rows])  # through a checkpoint
    log.begin(5)
    log.mark(9)
    log.mark(12, COMPLETED)
    assert log.rows == [
        {"started": 0, "ended": 1, "first_step": 0, "last_step": 5, "end": "SIGTERM"},
        {"started": 2, "ended": 4, "first_step": 5, "last_step": 12, "end": "completed"},
    ]
