"""A sound that is made when it is asked for, in an array."""

import math
from array import array

from voip import loadWAVtoPCM

ready = True


async def handler(call):
    if ready:
        await call.playPCM(array("f", (math.sin(2 * math.pi * 1900 * n / 8000) for n in range(4000))))
    else:
        await call.playPCM(loadWAVtoPCM("assets/fish_not_ready.wav"))
