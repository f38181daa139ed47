"""Speak: once as it comes, once slowly in another voice. Needs espeak-ng, or the extra `tts`."""

from graphvoip import TTStoPCM, runVoipClient


async def handler(call):
    await call.playPCM(TTStoPCM("Hello, and thank you for your call."))
    await call.playPCM(TTStoPCM("Good bye.", opts=["-v", "en+f3", "-s", "120"]))


if __name__ == "__main__":
    runVoipClient(handler)
