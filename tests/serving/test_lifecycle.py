"""Periodic tasks of the service's process."""

import threading

from serving.lifecycle import PeriodicTask


def test_a_task_goes_on_after_an_error_that_nobody_expected(caplog):
    calls, third = [], threading.Event()

    def fail():
        calls.append(len(calls))
        if len(calls) == 3:
            third.set()
        raise PermissionError("secret.db")

    task = PeriodicTask("fold", fail, 0.001)
    task.start()
    assert third.wait(10)
    task.stop()

    assert caplog.messages[0] == "fold: failed unexpectedly; it is tried again in 0.001 s"
