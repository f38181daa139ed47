"""Virtual time, and the sleep that machines without clock_nanosleep use."""

import asyncio
import threading
import time

import numpy as np
import pytest

from graphvoip import clock
from graphvoip.clock import VirtualLoop, run_virtual


def test_an_hour_passes_at_once():
    async def main():
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.sleep(3600)
        return loop.time() - began

    began = time.monotonic()
    assert run_virtual(main()) == 3600.0
    assert time.monotonic() - began < 30


def test_sleeps_are_whole_frames_whatever_a_fiftieth_is_in_binary():
    async def main():
        loop = asyncio.get_running_loop()
        found = []
        for n in range(1, 200):
            began = loop.frames
            await asyncio.sleep(n * 0.02)
            found.append(loop.frames - began)
        return found

    assert run_virtual(main()) == list(range(1, 200))


def test_timeouts_are_virtual():
    async def main():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 60)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 65.0


def test_work_in_a_thread_takes_no_virtual_time():
    """The thread is let go only when a callback of the loop has run meanwhile: it lives, its time stands still."""

    async def main():
        loop = asyncio.get_running_loop()
        go = threading.Event()
        sleeper = asyncio.create_task(asyncio.sleep(1))
        work = asyncio.create_task(
            asyncio.to_thread(lambda: (loop.call_soon_threadsafe(go.set), go.wait(), "done")[-1])
        )
        assert await work == "done"
        assert loop.time() < 0.1
        assert not sleeper.done()
        await sleeper
        return loop.time()

    assert 1.0 <= run_virtual(main()) < 1.1


def test_time_passes_for_a_task_that_only_polls():
    async def main():
        loop = asyncio.get_running_loop()
        while loop.time() < 0.1:
            await asyncio.sleep(0)
        return loop.time()

    assert run_virtual(main()) == 0.1


def test_a_thread_that_waits_for_time_is_named(caplog):
    def wait_for(condition):
        while not condition():
            time.sleep(0.01)

    async def main():
        go = threading.Event()
        asyncio.get_running_loop().call_later(1, go.set)  # in virtual time: it never comes while the thread waits
        told = threading.Thread(target=lambda: (wait_for(lambda: "virtual time waits" in caplog.text), go.set()))
        told.start()
        await asyncio.to_thread(go.wait)
        told.join()

    run_virtual(main())
    assert "virtual time waits for a thread" in caplog.text


def test_a_program_that_waits_for_ever_is_told():
    async def main():
        await asyncio.Event().wait()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "LONGEST", 1000)
        with pytest.raises(RuntimeError, match="still waits"):
            run_virtual(main())


def test_two_runs_are_the_same():
    async def main():
        order = []

        async def one(name, step):
            for n in range(20):
                await asyncio.sleep(step)
                order.append((name, n, asyncio.get_running_loop().time()))

        await asyncio.gather(one("a", 0.03), one("b", 0.05), one("c", 0.02))
        return order

    assert run_virtual(main()) == run_virtual(main())


@pytest.mark.parametrize("sleep", [clock.sleep_until, clock.sleep_relative])
def test_both_sleeps_end_at_their_time_and_not_before(sleep):
    spec = np.zeros(2, np.int64)
    for nanoseconds in (0, 1_000_000, 30_000_000):
        due = clock.now(spec) + nanoseconds
        sleep(due, spec)
        assert clock.now(spec) >= due
    sleep(clock.now(spec) - 1_000_000_000, spec)  # the past is over at once


def test_the_monotonic_clock_is_pythons():
    spec = np.zeros(2, np.int64)
    before, ours, after = time.monotonic_ns(), clock.now(spec), time.monotonic_ns()
    assert before <= ours <= after


def test_the_loop_is_an_event_loop_like_any_other():
    loop = VirtualLoop()
    try:
        assert loop.run_until_complete(asyncio.sleep(0.5, "slept")) == "slept"
        assert loop.time() == 0.5
    finally:
        loop.close()
