"""Messages that are hard to read, while a call is up: nobody on that call notices, and the line stays."""

import asyncio
import itertools

import pytest
from sip import Call, Phone
from test_pjsip import HOST, pid_of, serving
from torture import messages, mutated

from graphvoip.nodes import Sine

LONGEST_GAP = 2  # packets of 20 ms


def longest_gap(call: Call) -> int:
    """Count the packets that are missing or silent in the longest hole of the tone that a call has heard."""
    tone = [packet.stamp for packet in call.packets[5:] if len(set(packet.payload)) > 3]
    return max((b - a & 0xFFFFFFFF) // 160 - 1 for a, b in itertools.pairwise(tone))


@pytest.mark.parametrize(
    "packets", [list(messages().values()), list(mutated(4475, 2000))], ids=["messages", "mutations"]
)
def test_torture_makes_no_gap_above_40_ms_in_another_call_and_the_line_stays(packets):
    async def sing(call):
        call.play(Sine(freq=440))
        await call.ended

    async def main():
        async with serving(sing, limit=4) as server, Phone() as phone:
            call = await phone.dial(server.port)
            first, pid = server.calls[0], pid_of(server.trunk.lines[0])
            await call.hears(10)
            for data in packets:
                phone.socket.sendto(data, (HOST, server.port))
                await asyncio.sleep(0.002)
            await call.hears(50)
            ping = phone.call(server.port)
            assert (await ping.request("OPTIONS")).code == 200
            ping.close()
            assert await call.bye() == 200
            await asyncio.wait_for(first.ended, 60)
            assert pid_of(server.trunk.lines[0]) == pid
            assert longest_gap(call) <= LONGEST_GAP

    asyncio.run(main())
