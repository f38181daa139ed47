"""The five patches for graphvoip. What the palette does not have is a node of a few lines: a plain tanh, a Goertzel."""

import math
import time

import numpy as np

from graphvoip.kernel import kernel, tanh
from graphvoip.node import Node, Output, Signal, State
from graphvoip.nodes import Adsr, Biquad, DtmfTone, Gain, Lfo, Mix, Noise, Sine
from graphvoip.plan import Plan

from . import patches as p

BINS = len(p.P3_DETECTED)
BLOCK, LEAST = p.P3_BLOCK, p.P3_LEAST


class Tanh(Node):
    """Saturation, without the oversampling of Drive."""

    input = Signal(None)
    out = Output()

    @kernel
    def process(input, out):
        for i in range(out.size):
            out[i] = tanh(input[i])


class Goertzel(Node):
    """1 while a touch tone is heard: 8 filters, each of which looks for one frequency."""

    input = Signal(None)
    out = Output()
    state = State(c=("f4", BINS), s1=("f4", BINS), s2=("f4", BINS), at="i8", found="f4")

    def start(self):
        self.state["c"] = [2 * math.cos(2 * math.pi * freq / p.RATE) for freq in p.P3_DETECTED]

    @kernel
    def process(state, input, out):
        c, s1, s2 = state.c, state.s1, state.s2
        i = 0
        while i < out.size:
            until = min(out.size, i + BLOCK - state.at)
            state.at += until - i
            out[i:until] = state.found
            for k in range(i, until):
                for b in range(BINS):
                    s0 = input[k] + c[b] * s1[b] - s2[b]
                    s2[b] = s1[b]
                    s1[b] = s0
            i = until
            if state.at == BLOCK:
                heard = 0
                for b in range(BINS):
                    heard += s1[b] * s1[b] + s2[b] * s2[b] - c[b] * s1[b] * s2[b] > LEAST
                    s1[b] = s2[b] = 0
                state.found = 1 if heard == 2 else 0
                state.at = 0


def p1() -> Node:
    return Gain(Biquad(Mix(*map(Sine, p.P1_FREQS)), freq=p.P1_CORNER, q=p.P1_Q), p.P1_GAIN)


def p2() -> Node:
    gate = Lfo(freq=p.P2_GATE, shape="square", low=0)
    voices = []
    for freq in p.P2_FREQS:
        swept = Sine(freq=Sine(freq=2 * freq, amp=2 * freq) + freq)
        envelope = Adsr(gate, p.P2_ATTACK, p.P2_DECAY, p.P2_SUSTAIN, p.P2_RELEASE, curve="linear")
        voices.append(swept * envelope)
    return Tanh(Gain(Mix(*voices), p.P2_GAIN))


def p3() -> Node:
    digits = "5" * 500_000  # 19 hours
    return Mix(DtmfTone(text=digits, on=p.P3_ON, off=p.P3_OFF), Noise(amp=p.P3_NOISE, seed=1))


def p4() -> Node:
    sound = Sine(freq=p.P4_FREQ)
    for gain in p.P4_GAINS:
        sound = Gain(sound, gain)
    return sound


def p5() -> Node:
    return Gain(Mix(*(Gain(Sine(freq=freq), p.P5_EACH) for freq in p.P5_FREQS)), p.P5_GAIN)


def build(name: str) -> Node:
    """What is heard of a patch."""
    return globals()[name.removesuffix("+").lower()]()


class Peer:
    budget = 0.05  # s of a run that is timed

    def __init__(self):
        self.plans: dict[str, Plan] = {}

    def sound(self, name: str, seconds: float) -> np.ndarray:
        heard = build(name)
        plan = Plan([heard])
        made = []
        for _ in range(round(seconds * p.RATE / p.FRAME)):
            plan.run()
            made.append(heard.samples().copy())
        return np.concatenate(made)

    def time(self, name: str, frames: int) -> float:
        if name not in self.plans:
            heard = build(name)
            self.plans[name] = Plan([Goertzel(heard) if name.endswith("+") else heard])
        begin = time.process_time()
        self.plans[name].run(frames)
        return time.process_time() - begin
