"""Three tones, and a password."""

import asyncio

from voip import loadWAVtoPCM, runVoipClient


async def handler(call):
    for pitch in (420, 560, 650):
        await call.playTone(pitch, 0.5)
        await asyncio.sleep(0.5)
    try:
        code = await asyncio.wait_for(call.getDTMF(n=4), 60)
    except TimeoutError:
        code = ""
    await call.playPCM(loadWAVtoPCM(f"assets/password_{'correct' if code == '1234' else 'incorrect'}.wav"))


if __name__ == "__main__":
    runVoipClient(handler)
