"""A little phone tree: `make demo` rings it from a script and draws the call.

1: speak after the tone, press #, and hear it again; 2: speak with a voice of metal, until a key; 9: good-bye.
A key that is pressed during the melody cuts it short, and who knows the way types ahead.
"""

from math import exp, pi, sin

from graphvoip import RecordController, normalizePCM, runVoipClient
from graphvoip.nodes import Gain, Sine

WELCOME, GOODBYE = (523.25, 659.26, 783.99, 1046.5), (783.99, 659.26, 523.25)  # Hz


def plucked(notes, pace=0.2):
    """A melody as a function of time: each note is plucked and dies away."""

    def melody(t, delta):
        n = int(t / pace)
        if n >= len(notes):
            return None
        since = t - n * pace
        return 0.5 * min(1, since / 0.005) * exp(-12 * since) * sin(2 * pi * notes[n] * since)

    return melody


async def menu(call):
    melody = call.playCustom(plucked(WELCOME))
    return await call.getDTMF(filter="129", on_first=lambda key: melody.cancel())


async def memo(call):
    await call.playTone(1000, 0.25)
    controller = RecordController()
    recording = call.recordPCM(controller)
    await call.getDTMF(filter="#")
    controller.stop()
    await call.playPCM(normalizePCM(await recording))


async def metal(call):
    voice = call.play(Gain(call.voice, Sine(60)))
    await call.getDTMF()
    voice.stop()
    await voice


async def handler(call):
    while (key := await menu(call)) != "9":
        await (memo(call) if key == "1" else metal(call))
    await call.playCustom(plucked(GOODBYE))


if __name__ == "__main__":
    runVoipClient(handler)
