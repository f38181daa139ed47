"""What the watch over a live event loop counts and logs. tests/io/test_blocked.py has it with SIP calls."""

import asyncio
import sys
import time

import pytest

from graphvoip import heartbeat


@pytest.fixture
def frames():
    return [sys._getframe()]


def test_block_is_told_at_250_ms_and_not_before(caplog, frames):
    async def main():
        block = heartbeat.Block()
        block.lasts(0.24, frames, asyncio.get_running_loop())
        assert not caplog.records
        block.lasts(0.01, frames, asyncio.get_running_loop())
        assert len(caplog.records) == 1

    asyncio.run(main())


def test_debugger_and_compiler_are_told_but_never_counted():
    async def main(module):
        exec("def run(): return sys._getframe()", names := {"sys": sys, "__name__": module})
        block = heartbeat.Block()
        block.lasts(20, [names["run"]()], asyncio.get_running_loop())
        return block.counted

    assert [asyncio.run(main(name)) for name in ("pdb", "pydevd", "numba.core.compiler")] == [0, 0, 0]
    assert asyncio.run(main("pdbs")) == 20


def test_block_in_a_task_names_the_task_and_the_line_and_how_long_it_was(caplog):
    async def handler():
        time.sleep(0.5)

    async def main():
        with heartbeat.Heartbeat().watching():
            await asyncio.create_task(handler(), name="call 7")
            await asyncio.sleep(0.2)

    asyncio.run(main())
    begins, ends = [record.getMessage() for record in caplog.records]
    assert begins.startswith("call 7 blocks the event loop, and so all calls")
    assert begins.endswith("test_heartbeat.py, line 41, in handler: time.sleep(0.5)")
    assert ends.startswith("call 7 blocked the event loop for 0.")


def test_loop_that_waits_is_not_blocked(caplog):
    async def main():
        with heartbeat.Heartbeat().watching():
            await asyncio.sleep(0.5)

    asyncio.run(main())
    assert not caplog.records
