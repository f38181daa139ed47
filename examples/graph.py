"""The graph itself: two sines through a gain, and then the caller's own voice at half its level, until a key."""

import asyncio

from graphvoip import runVoipClient
from graphvoip.nodes import Gain, Mix, Sine


async def handler(call):
    fifth = call.play(Gain(Mix(Sine(440), Sine(660)), 0.25))
    await asyncio.sleep(1)
    fifth.stop(fade=0.2)
    await fifth

    call.play(Gain(call.voice, 0.5))
    await call.getDTMF()


if __name__ == "__main__":
    runVoipClient(handler)
