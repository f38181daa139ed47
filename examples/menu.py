"""A small phone tree for one caller at a time: 1 the time, 2 hold music until a key, 9 good-bye.

The tree can be typed ahead: 2 5 9 goes to the music, away from it and out.
"""

import asyncio
import time
from pathlib import Path

from graphvoip import loadWAVtoPCM, one_at_a_time, runVoipClient

music = loadWAVtoPCM(Path(__file__).parent.parent / "assets" / "my_sound.wav")


async def choose(call, keys):
    """A prompt again and again, until one of these keys; a key during the prompt cuts it short."""
    while True:
        prompt = call.playTone(560, 0.5)
        try:
            return await asyncio.wait_for(call.getDTMF(filter=keys), timeout=5)
        except TimeoutError:
            pass
        finally:
            prompt.cancel()


async def tell_time(call):
    """The hour as beeps: one to twelve."""
    for _ in range(time.localtime().tm_hour % 12 or 12):
        await call.playTone(800, 0.1)
        await asyncio.sleep(0.2)


async def hold(call):
    playing = call.playPCM(music, loop=True)
    await call.getDTMF()
    playing.cancel()


@one_at_a_time
async def handler(call):
    while True:
        key = await choose(call, "129")
        if key == "1":
            await tell_time(call)
        elif key == "2":
            await hold(call)
        else:
            await call.playTone(420, 0.5)
            return


if __name__ == "__main__":
    runVoipClient(handler)
