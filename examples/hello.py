"""Three tones, one after the other."""

from graphvoip import runVoipClient


async def handler(call):
    await call.playTone(420, 0.5)
    await call.playTone(560, 0.5)
    await call.playTone(650, 0.5)


if __name__ == "__main__":
    runVoipClient(handler)
