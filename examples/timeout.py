"""Wait for a key, but not for longer than a minute."""

import asyncio

from graphvoip import runVoipClient


async def handler(call):
    await call.playTone(1000, 0.25)
    try:
        key = await asyncio.wait_for(call.getDTMF(), timeout=60)
    except TimeoutError:
        print("nobody pressed a key")
        await call.playTone(420, 0.5)
    else:
        print(key)
        await call.playTone(650, 0.5)


if __name__ == "__main__":
    runVoipClient(handler)
