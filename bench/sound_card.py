"""What a sound card loses while a handler keeps Python to itself, and how long the way through it is.

    python bench/sound_card.py [--json] [--seconds 10]

The card is a null sink of a PulseAudio of its own, its microphone the sink's monitor. A tone of 441 Hz is played for so
long, and a second program records it. Gaps: holes of silence of 1 ms or more in what it has heard, and what they are in
all. Lost: frames that the call's counters say were lost, in either direction. Latency: from the call to the speaker and
back through the microphone into the call, of 20 clicks. Needs pulseaudio, pulseaudio-utils and libasound2-plugins.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

import measure
import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "io")]

from hogs import HOGS  # noqa: E402
from pulse import Pulse  # noqa: E402

from graphvoip.client import serve  # noqa: E402
from graphvoip.io.sound_card import SoundCard  # noqa: E402
from graphvoip.rings import RATE  # noqa: E402

LOSSES = [f"{way}_{kind}" for way in ("in", "out") for kind in ("missed", "skipped", "lost")]
CLICKS = 20


def holes(sound: np.ndarray) -> list[float]:
    """The lengths, in ms, of all silence between the first sound and the last."""
    loud = np.flatnonzero(sound)
    gaps = np.diff(loud) - 1
    return [gap / RATE * 1000 for gap in gaps if gap >= RATE // 1000]


async def losses(call, hog, seconds: float) -> int:
    """Play a tone while the hog runs again and again; the frames that were lost."""
    playing = call.playTone(441, seconds + 60)
    await asyncio.sleep(1)  # the card has settled
    before = call._leg.ring.counts()
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        hog()
        await asyncio.sleep(0.001)
    after = call._leg.ring.counts()
    playing.cancel()
    return sum(after[name] - before[name] for name in LOSSES)


def disturbed(pulse: Pulse, name: str, seconds: float) -> dict:
    hog, lost = HOGS[name](), []

    async def handler(call) -> None:
        lost.append(await losses(call, hog, seconds))

    with pulse.recording() as heard:
        asyncio.run(serve(handler, SoundCard("me")))
        gaps = holes(heard())
    return {"while": name, "gaps": len(gaps), "ms": round(sum(gaps)), "lost frames": lost[0]}


def latency() -> dict:
    delays = []

    async def handler(call) -> None:
        click = np.zeros(RATE // 2)
        click[:40] = 0.9
        recording = call.recordPCM(maxlen=RATE // 2 * (CLICKS + 1))
        await call.playPCM(np.tile(click, CLICKS))
        heard = np.array(await recording)
        loud = np.flatnonzero(abs(heard) > 0.1)
        first = loud[np.diff(loud, prepend=-RATE) > RATE // 4]
        delays.extend((first % (RATE // 2)) / RATE * 1000)

    asyncio.run(serve(handler, SoundCard("me")))
    return {"median ms": round(float(np.median(delays))), "worst ms": round(max(delays)), "clicks": len(delays)}


def main() -> None:
    arguments = measure.arguments(__doc__, seconds=10.0)
    with tempfile.TemporaryDirectory() as folder:
        pulse = Pulse(Path(folder))
        os.environ |= pulse.environment
        try:
            rows = [disturbed(pulse, name, arguments.seconds) for name in HOGS]
            delays = [latency()]
        finally:
            pulse.stop()
    measure.show({f"Lost in {arguments.seconds:g} s": rows, "Latency": delays}, arguments.json)


if __name__ == "__main__":
    main()
