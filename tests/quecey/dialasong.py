"""A song comes from a program, 16 bits by 16 bits."""

from voip import *  # noqa: F403, I001
import asyncio
import subprocess
import sys
from voip.pcm import packedToFloat

SONG = """
import math, struct, sys
for n in range(8000):
    sys.stdout.buffer.write(struct.pack("<h", int(16000 * math.sin(2 * math.pi * 523 * n / 8000))))
"""


async def handler(call):
    player = subprocess.Popen([sys.executable, "-c", SONG], stdout=subprocess.PIPE)

    def song(t, delta):
        data = player.stdout.read(2)
        return packedToFloat(data[1], data[0]) if len(data) == 2 else None

    try:
        await call.playPCM(TTStoPCM("Now playing: a tone"))  # noqa: F405
        await call.playCustom(song)
        await call.playTone(350, 0.3)
    except asyncio.CancelledError:
        player.kill()
        raise
    finally:
        player.communicate()


if __name__ == "__main__":
    runVoipClient(handler)  # noqa: F405
