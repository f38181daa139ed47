"""Press keys and #: they are sent back, and told which way they came and when. Keys in the sound count as well."""

from graphvoip import runVoipClient


async def handler(call):
    await call.playTone(1000, 0.25)
    keys = ""
    while (key := await call.getDTMF()) != "#":
        print(f"{key} came at {key.times[0]:.2f} s by {key.how[0]}")
        keys += key
    await call.sendDTMF(keys)


if __name__ == "__main__":
    runVoipClient(handler)
