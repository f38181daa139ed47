"""Beep, wait for a key, print it."""

from graphvoip import runVoipClient


async def handler(call):
    await call.playTone(1000, 0.25)
    key = await call.getDTMF()
    print(key)


if __name__ == "__main__":
    runVoipClient(handler)
