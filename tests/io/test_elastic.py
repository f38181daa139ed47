"""Two clocks that differ: a simulated card, fast or slow, real rings, and a stand-in for the graph."""

import ctypes
import heapq
import itertools
import random
from collections.abc import Callable

import numpy as np
import pytest

from graphvoip import rings
from graphvoip.io.elastic import HALF, Beat, Elastic, FromGraph, Resampler, ToGraph
from graphvoip.rings import FRAME, IN_MISSED, IN_READ, IN_SKIPPED, IN_WRITTEN, OUT_WRITTEN, RATE, LineRing

LEVEL, FREQ = 10000, 441
SLOPE = LEVEL * 2 * np.pi * FREQ / RATE  # the steepest that this tone is
BEND = SLOPE * 2 * np.pi * FREQ / RATE  # and how much the slope changes from one sample to the next


def tone(k: int) -> bytes:
    """Frame k of an endless tone."""
    phase = 2 * np.pi * FREQ * (np.arange(FRAME) + FRAME * k) / RATE
    return np.rint(LEVEL * np.sin(phase)).astype(np.int16).tobytes()


class Graph:
    """Plays the tone and keeps what it hears; reads the ring by the rules that nodes/line_in.py follows."""

    def __init__(self, ring: LineRing):
        self.ring, self.words = ring, ring.words
        self.heard: list[bytes] = []
        self.seen, self.least = 0, rings.DEPTH

    def tick(self, k: int) -> None:
        words, ring = self.words, self.ring
        waiting = words[IN_WRITTEN] - words[IN_READ]
        if waiting > 0:
            self.seen, self.least = self.seen + 1, min(self.least, waiting - 1)
            skip = waiting - 1 if waiting > rings.LIMIT else 0
            if self.seen == rings.PATIENCE:
                skip, self.seen, self.least = max(skip, self.least), 0, rings.DEPTH
            words[IN_SKIPPED] += skip
            at = (words[IN_READ] + skip) % rings.DEPTH
            self.heard.append(ctypes.string_at(ring.address + rings.IN_FRAMES + at * rings.FRAME_BYTES, 2 * FRAME))
            words[IN_READ] += skip + 1
        elif self.heard:
            words[IN_MISSED] += 1
            self.heard.append(rings.SILENCE)
        at = words[OUT_WRITTEN] % rings.DEPTH
        ctypes.memmove(ring.address + rings.OUT_FRAMES + at * rings.FRAME_BYTES, tone(k), 2 * FRAME)
        words[OUT_WRITTEN] += 1


class Simulation:
    """A card on a clock that is `ppm` fast, `phase` seconds after the graph's and up to `jitter` seconds late."""

    def __init__(self, ppm: float, phase: float = 0.0, jitter: float = 0.002):
        self.now = 0.0
        self.ring = LineRing()
        self.graph = Graph(self.ring)
        self.beat = Beat(self.ring, lambda: self.now)
        self.speaker, self.microphone = FromGraph(self.ring, self.beat), ToGraph(self.ring, self.beat)
        self.played: list[np.ndarray] = []
        self.block = 0.02 / (1 + ppm * 1e-6)
        self.phase, self.jitter, self.random = phase, jitter, random.Random(1)
        self.events: list[tuple[float, int, Callable[[], object]]] = []
        self.numbers = itertools.count()
        self.at(0.0, lambda: self.tick(0))
        self.at(phase, lambda: self.card(0))
        for k in range(500):
            self.at(k / 1000, self.beat.look)

    def at(self, time: float, run: Callable[[], object]) -> None:
        heapq.heappush(self.events, (time, next(self.numbers), run))

    def tick(self, k: int) -> None:
        self.graph.tick(k)
        self.at((k + 1) * 0.02, lambda: self.tick(k + 1))

    def card(self, k: int) -> None:
        self.played.append(self.speaker.block())
        self.microphone.put(np.frombuffer(tone(k), np.int16))
        wait = self.microphone.send()
        if wait:
            self.at(self.now + wait, self.microphone.send)
        late = self.random.random() * self.jitter
        self.at(self.phase + (k + 1) * self.block + late, lambda: self.card(k + 1))

    def run(self, seconds: float) -> None:
        while self.now < seconds:
            self.now, _, run = heapq.heappop(self.events)
            run()


def check(sound: np.ndarray, skip: float = 0.3) -> None:
    """The tone all the time, with no click: neither steeper nor more bent than itself (5 per mille for stretching)."""
    sound = sound[int(skip * RATE) :].astype(float)
    assert abs(np.diff(sound)).max() <= SLOPE * 1.007 + 1
    assert abs(np.diff(sound, 2)).max() <= BEND * 1.013 + 2
    level = np.sqrt(np.square(sound[: len(sound) // RATE * RATE]).reshape(-1, RATE).mean(axis=1))
    assert level == pytest.approx(LEVEL / np.sqrt(2), rel=0.002)


@pytest.mark.parametrize(("ppm", "phase"), [(1000, 0.003), (-1000, 0.013), (100, 0.0195), (-100, 0.0)])
def test_a_card_that_is_fast_or_slow_loses_no_frame(ppm, phase):
    call = Simulation(ppm, phase)
    call.run(180)
    counts = call.ring.counts()
    assert counts["out_missed"] == counts["out_skipped"] == counts["in_missed"] == counts["in_skipped"] == 0
    assert call.speaker.elastic.resets == call.microphone.elastic.resets == 1  # at the start
    assert call.speaker.elastic.stretched == pytest.approx(abs(ppm) * 1e-6 * RATE * 180, rel=0.2, abs=100)
    assert len(call.speaker.elastic) < 3 * FRAME
    check(np.concatenate(call.played))
    check(np.frombuffer(b"".join(call.graph.heard), np.int16))


def test_clocks_that_agree_change_no_sample():
    call = Simulation(0, 0.007, jitter=0.0)
    call.run(20)
    assert call.speaker.elastic.stretched + call.microphone.elastic.stretched < 20  # the level settles
    settled = np.concatenate(call.played)[-RATE:]
    whole = np.frombuffer(b"".join(tone(k) for k in range(1000)), np.int16)
    assert settled.tobytes() in whole.tobytes()


def test_a_card_that_is_late_by_up_to_9_ms_costs_nothing():
    call = Simulation(30, 0.004, jitter=0.009)
    call.run(60)
    counts = call.ring.counts()
    assert counts["out_missed"] == counts["in_missed"] == counts["in_skipped"] == counts["out_skipped"] == 0


def test_a_card_that_asks_in_lumps_gets_a_larger_reserve():
    ring, now = LineRing(), 0.0
    graph = Graph(ring)
    beat = Beat(ring, lambda: now)
    speaker = FromGraph(ring, beat)
    missed = []
    for k in range(2000):
        now = k * 0.02
        graph.tick(k)
        beat.look()
        if k % 2:  # two blocks every 40 ms
            speaker.block()
            speaker.block()
        missed.append(ring.counts()["out_missed"])
    assert missed[-1] == missed[500] <= 8


def test_after_a_pause_of_the_card_the_delay_is_as_before():
    call = Simulation(0, 0.004, jitter=0.0)
    call.run(5)
    before = call.microphone.elastic.average
    call.events = [event for event in call.events if abs(event[0] % 0.02 - 0.004) > 1e-6]  # the card stands still
    heapq.heapify(call.events)
    call.run(5.5)
    for k in range(25):  # and hands out half a second at once
        call.microphone.put(np.frombuffer(tone(k), np.int16))
    call.phase, call.block = call.now, 0.02
    call.at(call.now, lambda: call.card(0))
    call.run(15)
    assert len(call.microphone.elastic) + FRAME < before + 4 * FRAME
    assert call.microphone.elastic.average == pytest.approx(call.microphone.elastic.target, abs=60)


def test_the_beat_is_found_and_survives_frames_given_up():
    ring, now = LineRing(), 7.0031
    beat = Beat(ring, lambda: now)
    assert beat.since() == 0.0
    for k in range(50):
        ring.words[OUT_WRITTEN] += 1
        now = 7.0 + 0.02 * (k + 1) + (0.0002 if k == 20 else 0.004)
        beat.since()
    now = 7.0 + 0.02 * 50 + 0.0102
    assert beat.since() == pytest.approx(0.5, abs=0.001)
    assert beat.until() == pytest.approx(0.011, abs=0.001)
    now += 0.02 * 7  # seven frames that were never made
    beat.since()
    assert beat.since() == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize("step", [-1, 1])
def test_a_stretched_block_is_the_same_sound(step):
    for freq in (441, 1000, 3000):
        elastic = Elastic(400)
        elastic.put(np.rint(LEVEL * np.sin(2 * np.pi * freq * np.arange(2000) / RATE)).astype(np.int16))
        elastic.take()
        elastic.debt = 1.0 * step
        elastic.take()
        block = elastic.take()  # unchanged again, at a whole sample's distance
        at = 2 * FRAME + step - HALF
        expected = LEVEL * np.sin(2 * np.pi * freq * (np.arange(FRAME) + at) / RATE)
        assert abs(block - expected).max() <= 1
        elastic.debt = 1.0 * step
        at += FRAME
        expected = LEVEL * np.sin(2 * np.pi * freq * (np.arange(FRAME) * (FRAME + step) / FRAME + at) / RATE)
        assert abs(elastic.take() - expected).max() < LEVEL * 0.008


@pytest.mark.parametrize("rate", [16000, 22050, 44100, 48000, 96000])
def test_a_resampler_keeps_a_tone_and_nothing_else(rate):
    size = rate // 50
    to_card, from_card = Resampler(FRAME, size), Resampler(size, FRAME)
    blocks = [from_card(to_card(np.frombuffer(tone(k), np.int16))) for k in range(50)]
    sound = np.concatenate(blocks)[RATE // 10 :].astype(float)
    times = 2 * np.pi * FREQ * np.arange(len(sound)) / RATE
    basis = np.stack((np.sin(times), np.cos(times)), axis=1)
    fit = np.linalg.lstsq(basis, sound, rcond=None)[0]
    assert np.hypot(*fit) == pytest.approx(LEVEL, rel=0.005)
    assert abs(sound - basis @ fit).max() < 12

    high = 6000 if rate > 16000 else 5500  # would come back as a tone of 2000 or 2500 Hz
    hiss = np.rint(LEVEL * np.sin(2 * np.pi * high * np.arange(rate) / rate)).astype(np.int16)
    fresh = Resampler(size, FRAME)
    folded = np.concatenate([fresh(block) for block in hiss.reshape(-1, size)])[800:]
    assert abs(folded).max() < LEVEL / 300
