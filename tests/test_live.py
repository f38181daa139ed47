"""A handler that blocks the event loop is heard by nobody else: the audio thread needs no Python.

Shown by samples and counts, not by the clock: the machine that runs this may be late for reasons of its own.
"""

import asyncio
import time

import numpy as np
import pytest

from graphvoip.nodes import Gain, Recorder, Sine
from graphvoip.rings import FRAME, OUT_WRITTEN

TONE, LEVEL = 441.0, 0.5


def sleep(seconds):
    time.sleep(seconds)


def compute(seconds):
    """As bad as it gets: it holds the interpreter's lock too, for 10 ms and more at a time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sorted(range(100_000))


@pytest.mark.parametrize("block", [sleep, compute])
def test_a_handler_that_blocks_the_loop_for_a_second_leaves_the_other_calls_without_a_gap(live, block):
    async def listens(call):
        await call.play(Gain(Sine(freq=TONE), LEVEL), fade=0)

    async def test(engine, call):
        async def blocks(one):
            await one.playTone(100, 0.1)
            before = engine.stats()
            written = [leg.ring.words[OUT_WRITTEN] for leg, _, _ in others]
            block(1.0)
            after = engine.stats()
            grown = [leg.ring.words[OUT_WRITTEN] - count for (leg, _, _), count in zip(others, written, strict=True)]
            return after.frames - before.frames, after.skipped - before.skipped, grown

        others = [call(listens) for _ in range(4)]
        tapes = [Recorder(one._out) for _, one, _ in others]  # all that is sent
        for tape, (_, one, _) in zip(tapes, others, strict=True):
            one._graph.add(tape)
        found = []

        async def handler(one):
            found.append(await blocks(one))

        _, _, busy = call(handler)
        await busy
        await asyncio.sleep(0.5)
        return found[0], [tape.recorded() for tape in tapes]

    (frames, skipped, grown), recorded = live(test)
    # The thread went on: a second is 50 frames, less those given up because the machine itself stood still.
    assert frames + skipped >= 48
    for count in grown:
        assert abs(count - frames) <= 1  # each of them is in every ring
    for samples in recorded:
        begin = np.flatnonzero(samples)[0] - 1  # a sine begins with 0
        tone = samples[begin : begin + (frames + 5) * FRAME]
        assert len(tone) == (frames + 5) * FRAME
        expected = LEVEL * np.sin(2 * np.pi * TONE * np.arange(len(tone)) / 8000)
        np.testing.assert_allclose(tone, expected, atol=1e-5)
