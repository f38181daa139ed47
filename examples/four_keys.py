"""Wait for four digits; * and # do not count."""

from graphvoip import runVoipClient


async def handler(call):
    await call.playTone(1000, 0.25)
    digits = await call.getDTMF(n=4, filter="1234567890")
    print(digits)
    await call.playTone(650, 0.5)


if __name__ == "__main__":
    runVoipClient(handler)
