"""Handlers that block a SIP server: what the log says, what other callers hear, and how the process ends."""

import asyncio
import contextlib
import signal
import sys

import pytest
from sip import Call, Phone
from test_pjsip import HOST, PATIENCE, environment, free_port, reached

PROGRAM = """
import json, re, time
from graphvoip.nodes import Sine

NUMBERS = list(range(100_000))

def spin():
    while True:
        pass

def sleep(seconds=1000):
    time.sleep(seconds)

def search():
    re.match("(a+)+$", "a" * 60 + "b")  # holds the GIL for ever

def dump():
    end = time.monotonic() + 0.6
    while time.monotonic() < end:
        json.dumps(NUMBERS)

async def handler(call):
    call.play(Sine(freq=440))
    key = await call.getDTMF()
    {"1": spin, "2": sleep, "3": search, "4": lambda: sleep(0.4), "5": dump, "6": breakpoint}[key]()
    await call.ended
"""

LINES = {
    "1": "in spin",
    "2": "line 12, in sleep: time.sleep(seconds)",
    "4": "line 12, in sleep: time.sleep(seconds)",
    "5": "in dump: json.dumps(NUMBERS)",
}


class Server:
    """`graphvoip serve` in a process of its own, with a caller who hears a tone and one who can press keys."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, phone: Phone, program: str):
        self.process, self.port, self.phone, self.program, self.said = process, port, phone, program, ""

    async def says(self, text: str) -> str:
        """Wait for a line of the log."""
        async with asyncio.timeout(PATIENCE):
            while True:
                line = (await self.process.stderr.readline()).decode()
                assert line, self.said
                self.said += line
                if text in line:
                    return line

    async def ends(self) -> int:
        """Wait for the end of the process; its status."""
        async with asyncio.timeout(PATIENCE):
            self.said += (await self.process.stderr.read()).decode()
            return await self.process.wait()

    async def options(self):
        call = self.phone.call(self.port)
        try:
            return await call.request("OPTIONS")
        finally:
            call.close()


@contextlib.asynccontextmanager
async def serving(folder):
    file, port = folder / "program.py", free_port()
    file.write_text(PROGRAM)
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "graphvoip", "serve", str(file), "--host", HOST, "--port", str(port)],
        env=environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with Phone() as phone:
            server = Server(process, port, phone, str(file))
            listener = await reached(phone, port)
            yield server, listener, await phone.dial(port)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def missing(call: Call) -> int:
    """Count the packets that have not come, between the first and the last one."""
    numbers = [packet.number for packet in call.packets]
    return (numbers[-1] - numbers[0] & 0xFFFF) + 1 - len(set(numbers))


def silent(call: Call) -> int:
    """Count the packets of silence in the last second before the 200 ms that each call ends with."""
    return sum(len(set(packet.payload)) < 3 for packet in call.packets[-65:-15])


@pytest.mark.parametrize("key", ["1", "2"], ids=["spin", "sleep"])
def test_handler_that_blocks_for_ever_ends_the_server_after_10_s_in_good_order(tmp_path, key):
    async def main():
        async with serving(tmp_path) as (server, listener, caller):
            await listener.hears(5)
            await caller.key(key)
            line = await server.says("call 2 blocks the event loop, and so all calls")
            assert server.program in line
            assert LINES[key] in line
            while (answer := await server.options()).code != 503:
                await asyncio.sleep(0.05)
            assert answer.headers["retry-after"] == "10"
            third = server.phone.call(server.port)
            refused = await third.invite()
            assert refused.code == 503
            assert refused.headers["retry-after"] == "10"
            third.close()
            await asyncio.gather(listener.is_ended(), caller.is_ended())
            assert await server.ends() == 70
            assert "call 2 has blocked the event loop for 10 s, the server ends with status 70: " in server.said
            assert len(listener.packets) > 9 * 50
            assert missing(listener) == silent(listener) == 0

    asyncio.run(main())


def test_server_whose_gil_is_held_for_ever_ends_after_10_s_and_shows_where_it_was(tmp_path):
    async def main():
        async with serving(tmp_path) as (server, listener, caller):
            await listener.hears(5)
            await caller.key("3")
            while (await server.options()).code != 503:
                await asyncio.sleep(0.05)
            await asyncio.gather(listener.is_ended(), caller.is_ended())
            assert await server.ends() == 70
            assert f'File "{server.program}", line 15 in search' in server.said
            assert missing(listener) == silent(listener) == 0

    asyncio.run(main())


def test_call_that_waits_for_an_answer_is_refused_2_s_after_the_loop_blocks(tmp_path):
    async def main():
        async with serving(tmp_path) as (server, listener, caller):
            await caller.key("2")
            await server.says("blocks the event loop")
            third, heard = server.phone.call(server.port), len(listener.packets)
            refused = await third.invite()
            assert 1.5 * 50 < len(listener.packets) - heard < 2.5 * 50  # 250 ms have passed of the 2 s
            assert third.provisional == [100]
            assert refused.code == 503
            assert refused.headers["retry-after"] == "10"

    asyncio.run(main())


@pytest.mark.parametrize("key", ["4", "5"], ids=["sleep", "dumps"])
def test_short_block_is_told_when_it_begins_and_when_it_is_over_and_nothing_else(tmp_path, key):
    async def main():
        async with serving(tmp_path) as (server, listener, caller):
            await listener.hears(5)
            await caller.key(key)
            line = await server.says("call 2 blocks the event loop, and so all calls")
            assert LINES[key] in line
            assert "blocked the event loop for 0." in await server.says("blocked the event loop")
            await caller.hears(50)
            assert (await server.options()).code == 200
            assert await caller.bye() == 200
            server.process.send_signal(signal.SIGTERM)
            await listener.is_ended()
            assert await server.ends() == 0
            assert missing(listener) == silent(listener) == 0
            assert server.said.count("the event loop") == 2

    asyncio.run(main())


def test_server_that_was_stopped_for_a_while_goes_on(tmp_path):
    async def main():
        async with serving(tmp_path) as (server, listener, _):
            await listener.hears(5)
            server.process.send_signal(signal.SIGSTOP)
            while (await server.options()).code != 503:
                await asyncio.sleep(0.05)
            await asyncio.sleep(10)  # longer than a block may last
            server.process.send_signal(signal.SIGCONT)
            while (await server.options()).code != 200:
                await asyncio.sleep(0.05)
            server.process.send_signal(signal.SIGTERM)
            await listener.is_ended()
            assert await server.ends() == 0
            assert "the event loop" not in server.said

    asyncio.run(main())


def test_server_in_a_debugger_goes_on_when_the_debugger_lets_it(tmp_path):
    async def main():
        async with serving(tmp_path) as (server, listener, caller):
            await caller.key("6")
            await server.says("call 2 blocks the event loop")
            await listener.hears(12 * 50)  # longer than a block may last
            assert (await server.options()).code == 503
            server.process.stdin.write(b"continue\n")
            await server.says("call 2 blocked the event loop for 1")
            while (await server.options()).code != 200:  # the line hears of the next beat, not of the log
                await asyncio.sleep(0.05)
            server.process.send_signal(signal.SIGTERM)
            await asyncio.gather(listener.is_ended(), caller.is_ended())
            assert await server.ends() == 0

    asyncio.run(main())


@pytest.mark.parametrize(("key", "status"), [("", 0), ("1", 143), ("2", 143)], ids=["idle", "spin", "sleep"])
def test_sigterm_says_bye_to_all_and_ends_the_server_in_any_state(tmp_path, key, status):
    async def main():
        async with serving(tmp_path) as (server, listener, caller):
            await listener.hears(5)
            if key:
                await caller.key(key)
                await server.says("blocks the event loop")
            server.process.send_signal(signal.SIGTERM)
            await asyncio.gather(listener.is_ended(), caller.is_ended())
            assert await server.ends() == status

    asyncio.run(main())
