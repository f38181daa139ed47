"""The keypad as an instrument: every key plucks a string, # ends it. Notes ring on while others begin."""

from math import exp, pi, sin

from graphvoip import runVoipClient

KEYS = "1234567890*"
MAJOR = (0, 2, 4, 5, 7, 9, 11)  # half-tones


def pitch(key):
    octave, step = divmod(KEYS.index(key), 7)
    return 261.63 * 2 ** (octave + MAJOR[step] / 12)


def plucked(frequency, seconds=1.5):
    def note(t, delta):
        if t >= seconds:
            return None
        return 0.4 * min(1, t / 0.005) * exp(-4 * t) * sin(2 * pi * frequency * t)

    return note


async def handler(call):
    while (key := await call.getDTMF(filter=KEYS + "#")) != "#":
        call.playCustom(plucked(pitch(key)))


if __name__ == "__main__":
    runVoipClient(handler)
