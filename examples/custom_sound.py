"""Play a sound file of your own."""

from pathlib import Path

from graphvoip import loadWAVtoPCM, runVoipClient

ASSETS = Path(__file__).parent.parent / "assets"
my_sound = loadWAVtoPCM(ASSETS / "my_sound.wav")


async def handler(call):
    await call.playPCM(my_sound)


if __name__ == "__main__":
    runVoipClient(handler)
