"""A sound goes round until a key is pressed; what comes then depends on the key."""

from pathlib import Path

from graphvoip import loadWAVtoPCM, runVoipClient

my_sound = loadWAVtoPCM(Path(__file__).parent.parent / "assets" / "my_sound.wav")


async def handler(call):
    sound = call.playPCM(my_sound, loop=True)
    key = await call.getDTMF()
    sound.cancel()
    if key == "1":
        await call.playTone(650, 0.5)
    else:
        await call.playTone(420, 0.5)


if __name__ == "__main__":
    runVoipClient(handler)
