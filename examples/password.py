"""A melody, then four digits within a minute: is it the password?"""

import asyncio
from pathlib import Path

from graphvoip import loadWAVtoPCM, runVoipClient

ASSETS = Path(__file__).parent.parent / "assets"
PASSWORD = "1234"
correct = loadWAVtoPCM(ASSETS / "password_correct.wav")
incorrect = loadWAVtoPCM(ASSETS / "password_incorrect.wav")


async def handler(call):
    for frequency in (420, 560, 650):
        await call.playTone(frequency, 0.5)
        await asyncio.sleep(0.1)
    try:
        password = await asyncio.wait_for(call.getDTMF(n=4), timeout=60)
    except TimeoutError:
        return
    await call.playPCM(correct if password == PASSWORD else incorrect)


if __name__ == "__main__":
    runVoipClient(handler)
