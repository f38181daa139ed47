"""Test signals for DTMF receivers, made from the standards, and how a receiver's answer is judged.

The figures are those of ITU-T Q.23 and Q.24 (frequencies, levels, twist, lengths, drop-outs), of spandsp's and MESi's
published acceptance tests (Mitel's widths, dial tones, echo). Levels are dBm0 for each tone: a sine of
full scale is +3.14 dBm0 (G.711). Everything is at a random place within a receiver's blocks, and comes from a seed.

A case is a list of signals: the samples, and the digits in them with their times. A receiver is a function of samples
that gives a list of (digit, start, end), or a string of digits.
"""

import difflib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from dtmf_codecs import CODECS, alaw, ulaw
from dtmf_sounds import voices

RATE = 8000
FULL = 3.14  # dBm0 of a sine of full scale
ROWS, COLUMNS, PAD = (697, 770, 852, 941), (1209, 1336, 1477, 1633), "123A456B789C*0#D"

Truth = list[tuple[str, float, float]]


def amplitude(level: float) -> float:
    """Of a sine of so many dBm0."""
    return 10 ** ((level - FULL) / 20)


def sine(frequency: float, level: float, size: int, phase: float = 0.0) -> np.ndarray:
    return amplitude(level) * np.sin(2 * np.pi * (frequency * np.arange(size) / RATE + phase))


def digit(key, seconds, low=-10.0, high=-10.0, off_low=0.0, off_high=0.0, phases=(0.0, 0.0)) -> np.ndarray:
    """The tones of a key, these levels and relative errors of frequency; hard edges."""
    place, size = PAD.index(key), round(seconds * RATE)
    return sine(ROWS[place // 4] * (1 + off_low), low, size, phases[0]) + sine(
        COLUMNS[place % 4] * (1 + off_high), high, size, phases[1]
    )


@dataclass
class Signal:
    samples: np.ndarray
    truth: Truth = field(default_factory=list)


def dial(random, keys, on=0.05, off=0.05, lead=0.1, **tone: Any) -> Signal:
    """Keys one after the other; on, off and what `digit` takes may be functions of the random generator."""

    def value(one: Any) -> Any:
        return one(random) if callable(one) else one

    parts, truth, at = [np.zeros(round(lead * RATE) + random.integers(160))], [], 0
    at = len(parts[0])
    for key in keys:
        values = {name: value(one) for name, one in tone.items()} | {"phases": random.random(2)}
        if "twist" in values:
            values["high"] = values.get("low", -10.0) + values.pop("twist")
        made = digit(key, value(on), **values)
        silence = round(value(off) * RATE)
        truth.append((key, at / RATE, (at + len(made)) / RATE))
        parts += [made, np.zeros(silence)]
        at += len(made) + silence
    parts.append(np.zeros(800))
    return Signal(np.concatenate(parts), truth)


def noise(random, size: int, level: float) -> np.ndarray:
    """White noise of this power from 0 to 4000 Hz."""
    return random.standard_normal(size) * amplitude(level) / 2**0.5


def line(samples: np.ndarray) -> np.ndarray:
    """16 bits, with whatever is too loud clipped, as everything that comes from a line."""
    return (np.clip(np.rint(samples * 32768), -32768, 32767) / 32768).astype(np.float32)


# --- Cases ------------------------------------------------------------------------------------------------------------


@dataclass
class Case:
    """A requirement. found: the least share of the digits that must be heard; extra: how many more may be."""

    name: str
    make: Callable[[np.random.Generator, int], Iterator[Signal]]  # (random, how many times as much as the least)
    found: float = 1.0
    extra: int = 0
    times: bool = False  # the onset must be right to 10 ms


CASES: list[Case] = []


def case(name: str, **rule: Any) -> Callable:
    def add(make):
        CASES.append(Case(name, make, **rule))
        return make

    return add


def shuffled(random, times: int = 1) -> str:
    return "".join(random.permutation(list(PAD * times)))


@case("all digits, 50/50 ms", times=True)
def _decode(random, n):
    for _ in range(2 * n):
        yield dial(random, shuffled(random, 2), low=-10.0)


@case("93 ms a digit: 40/53, 46/47, 53/40")
def _cycle(random, n):
    for _, (on, off) in itertools.product(range(n), [(0.040, 0.053), (0.046, 0.047), (0.053, 0.040)]):
        yield dial(random, shuffled(random, 2), on, off)


@case("frequencies off by 1.5 %, any combination")
def _accept(random, n):
    for _, low, high in itertools.product(range(n), (-0.015, 0, 0.015), (-0.015, 0, 0.015)):
        if low or high:
            yield dial(random, shuffled(random), 0.04, off_low=low, off_high=high)


@case("frequencies off by 3.5 %: never")
def _reject(random, n):
    offs = [-0.035, -0.015, 0, 0.015, 0.035]
    for _, low, high in itertools.product(range(n), offs, offs):
        if 0.035 in (abs(low), abs(high)):
            signal = dial(random, shuffled(random), 0.1, off_low=low, off_high=high, low=lambda r: r.uniform(-20, -5))
            yield Signal(signal.samples)


@case("twist: low 8 dB louder, and 4 dB softer")
def _twist(random, n):
    for _, twist, level in itertools.product(range(n), (-8.0, 4.0), (-4.0, -14.0)):
        yield dial(random, shuffled(random), low=level, twist=twist)


@case("0 to -25 dBm0 a tone")
def _level(random, n):
    for _, level in itertools.product(range(n), (0, -5, -10, -15, -20, -25)):
        yield dial(random, shuffled(random), low=level, high=level)


@case("-30 and -35 dBm0 a tone")
def _soft(random, n):
    for _, level in itertools.product(range(n), (-30, -35)):
        yield dial(random, shuffled(random), low=level, high=level)


@case("-55 dBm0 and below: never")
def _silent(random, n):
    for _, level in itertools.product(range(n), (-55, -60, -70)):
        yield Signal(dial(random, shuffled(random), 0.1, low=level, high=level).samples)


@case("tones of 40 ms", times=True)
def _short(random, n):
    for _ in range(4 * n):
        yield dial(random, shuffled(random), 0.04, 0.06, low=lambda r: r.uniform(-25, 0), twist=0.0)


@case("tones of 23 ms and less: never")
def _shorter(random, n):
    for _, on in itertools.product(range(n), (0.023, 0.023, 0.020, 0.015, 0.010, 0.005)):
        signal = dial(random, shuffled(random), on, 0.06, low=lambda r: r.uniform(-25, 0), twist=0.0)
        yield Signal(signal.samples)


@case("pauses of 40 ms within one key's repeats")
def _pause(random, n):
    for _, key in itertools.product(range(n), PAD):
        yield dial(random, key * 6, 0.05, 0.04, low=lambda r: r.uniform(-25, 0), twist=0.0)


@case("no pause: digits of 100 ms, gaps of 0, 5, 10 and 15 ms, G.711", times=True)
def _gapless(random, n):
    for _, gap, codec in itertools.product(range(n), (0, 0.005, 0.01, 0.015), (lambda x: x, ulaw, alaw)):
        signal = dial(random, shuffled(random), 0.1, gap)
        yield Signal(codec(line(signal.samples)), signal.truth)


@case("a key pressed again after 0 to 15 ms: one digit", times=True)
def _again(random, n):
    for _, gap, key in itertools.product(range(n), (0, 0.005, 0.01, 0.015), PAD):
        signal = dial(random, key * 4, 0.1, gap)
        yield Signal(signal.samples, [(key, signal.truth[0][1], signal.truth[-1][2])])


@case("a drop-out of 10 ms anywhere: one digit")
def _dropout(random, n):
    for _ in range(8 * n):
        signal = dial(random, shuffled(random), lambda r: r.uniform(0.06, 0.15), 0.06)
        for _, start, end in signal.truth:
            at = random.integers(round(start * RATE), round(end * RATE) - 80)
            signal.samples[at : at + 80] = 0
        yield signal


@case("S/N 15 dB")
def _noisy(random, n):
    for _ in range(8 * n):
        signal = dial(random, shuffled(random), 0.05, low=-13.0, high=-13.0)
        yield Signal(signal.samples + noise(random, len(signal.samples), -28), signal.truth)


@case("S/N 7 dB", found=0.99, extra=1)
def _noisier(random, n):
    for _ in range(20 * n):
        signal = dial(random, shuffled(random), 0.05, low=-13.0, high=-13.0)
        yield Signal(signal.samples + noise(random, len(signal.samples), -20), signal.truth)


@case("noise alone: never")
def _only_noise(random, n):
    for _, level in itertools.product(range(n), (-5, -15, -25, -35)):
        yield Signal(noise(random, 60 * RATE, level))


DIAL_TONES = {"US": (350, 440), "UK": (350, 450), "EU": (425,), "JP": (400,)}


@case("12 dB below a dial tone: US, UK, EU, JP")
def _dial_tone(random, n):
    for _, tones in itertools.product(range(3 * n), DIAL_TONES.values()):
        signal = dial(random, shuffled(random), low=-22.0, high=-22.0)
        for tone in tones:
            signal.samples += sine(tone, -10, len(signal.samples), random.random())
        yield signal


def cadence(tones, pattern, seconds, level=-13.0) -> np.ndarray:
    """Tones switched on and off; pattern: seconds on, off, on ..."""
    size, gate = round(seconds * RATE), np.zeros(round(seconds * RATE))
    at, turn = 0, 0
    while at < size:
        step = max(1, round(pattern[turn % len(pattern)] * RATE))
        gate[at : at + step] = 1 - turn % 2
        at, turn = at + step, turn + 1
    return sum(sine(tone, level, size) for tone in tones) * gate


def other_tones(random) -> Iterator[np.ndarray]:
    """What is heard on lines and is no digit: call progress, special information, fax and modem tones."""
    for tones, pattern in [
        ((350, 440), (9, 1)), ((425,), (9, 1)), ((400,), (9, 1)), ((440, 480), (2, 4)),
        ((400, 450), (0.4, 0.2, 0.4, 2)),
        ((425,), (1, 4)), ((480, 620), (0.5, 0.5)), ((480, 620), (0.25, 0.25)), ((400,), (0.375, 0.375)),
        ((425,), (0.48, 0.48)), ((440,), (0.3, 10)), ((1400,), (0.5, 15)), ((1100,), (0.5, 3)), ((2100,), (3, 1)),
        ((1300,), (0.5, 2)), ((2225,), (2, 1)), ((1650,), (1, 0.1)), ((980,), (1, 0.1)), ((620,), (0.1, 0.1)),
        ((1004,), (1, 0.1)), ((770,), (0.1, 0.1)), ((1336,), (0.1, 0.1)), ((697, 770), (0.1, 0.1)),
        ((1209, 1477), (0.1, 0.1)), ((700, 900), (0.07, 0.07)), ((900, 1100), (0.07, 0.07)),
        ((700, 1100), (0.07, 0.07)), ((1300, 1700), (0.07, 0.07)), ((700, 1700), (0.07, 0.07)),
        ((900, 1500), (0.07, 0.07)), ((2600,), (1, 1)), ((1700, 1100, 700), (0.1, 0.1)),
        ((697, 852, 1209), (0.1, 0.1)), ((941, 1209, 1336), (0.1, 0.1)),
    ]:  # fmt: skip
        yield cadence(tones, pattern, 10, random.uniform(-20, -8))
    for tones in [(950, 1400, 1800), (913.8, 1370.6, 1776.7), (985.2, 1428.5, 1776.7), (913.8, 1428.5, 1776.7)]:
        parts = [np.concatenate([sine(tone, -15, 2640) for tone in tones] + [np.zeros(8000)])]
        yield np.concatenate(parts * 5)
    size = 10 * RATE  # ANSam, V.21 both channels, V.23, 1200 bit/s
    t = np.arange(size) / RATE
    yield sine(2100, -12, size) * (1 + 0.2 * np.sin(2 * np.pi * 15 * t)) * np.sign(np.sin(np.pi * t / 0.45) + 1e-9)
    for low, high, rate in [(980, 1180, 300), (1650, 1850, 300), (1300, 2100, 1200), (1270, 1070, 300)]:
        bits = random.integers(0, 2, size * rate // RATE + 1)
        frequencies = np.where(bits[np.arange(size) * rate // RATE], high, low)
        yield amplitude(-12) * np.sin(2 * np.pi * np.cumsum(frequencies) / RATE)
    sweep = 300 + 3000 * t / t[-1]
    yield amplitude(-12) * np.sin(2 * np.pi * np.cumsum(sweep) / RATE)


@case("ringback, busy, SIT, fax, modem, MF, single tones: never")
def _others(random, n):
    for _ in range(n):
        yield from map(Signal, other_tones(random))


@case("hum of 50 or 60 Hz, 5 dB below a tone, and DC")
def _hum(random, n):
    for _, hum in itertools.product(range(2 * n), (50, 60)):
        signal = dial(random, shuffled(random), low=-15.0, high=-15.0)
        for k, level in [(1, -20), (2, -30), (3, -26), (5, -34)]:
            signal.samples += sine(k * hum, level, len(signal.samples), random.random())
        signal.samples += 0.05 * random.choice([-1, 1])
        yield signal


@case("impulses of 1 ms", found=0.99)
def _impulses(random, n):
    for _ in range(4 * n):
        signal = dial(random, shuffled(random), 0.07, 0.07, low=-13.0, high=-13.0)
        for at in random.integers(0, len(signal.samples) - 8, 2 * len(signal.samples) // RATE + 1):
            signal.samples[at : at + 8] += 0.4 * random.uniform(-1, 1, 8)
        yield signal


def _coded(codec, low):
    def make(random, n):
        for _ in range(6 * n):
            signal = dial(random, shuffled(random), low=low, high=low)
            yield Signal(codec(line(signal.samples)), signal.truth)

    return make


for _name, _codec in CODECS.items():
    _share = 0.97 if _name in ("GSM", "G.729A") else 1.0
    case(f"{_name}, 50/50 ms", found=_share, extra=0 if _share == 1 else 2)(_coded(_codec, -10.0))
    if _share < 1:
        case(f"{_name}, 50/50 ms, -18 dBm0", found=_share, extra=2)(_coded(_codec, -18.0))


@case("echo of 20 ms, 16 dB down")
def _echo(random, n):
    for _ in range(6 * n):
        signal = dial(random, shuffled(random), 0.05, 0.043)
        signal.samples[160:] += 10 ** (-16 / 20) * signal.samples[:-160].copy()
        yield signal


@case("5 % of 20 ms frames lost, 100/100 ms", found=0.97, extra=1)
def _loss(random, n):
    for _ in range(20 * n):
        signal = dial(random, shuffled(random), 0.1, 0.1)
        for at in range(0, len(signal.samples), 160):
            if random.random() < 0.05:
                signal.samples[at : at + 160] = 0
        yield signal


@case("talk-down: under the echo of our prompt, 12 dB below a tone", found=0.99, extra=1)
def _talk_down(random, n):
    for _ in range(20 * n):
        signal = dial(random, shuffled(random), 0.08, 0.08, low=-11.0, high=-11.0)
        prompt = voices(int(random.integers(1 << 30)), 0.12)  # at -15 dBm0
        at = random.integers(0, 800)
        signal.samples += 10 ** (-8 / 20) * np.resize(prompt[at:], len(signal.samples))
        yield signal


@case("tones of 10 s: one digit")
def _long(random, n):
    for _, key in itertools.product(range(n), "159D"):
        signal = dial(random, key, 10)
        yield Signal(signal.samples + noise(random, len(signal.samples), -40), signal.truth)


@case("a frame slipped or said twice", found=0.97, extra=1)
def _slips(random, n):
    for _ in range(4 * n):
        signal = dial(random, shuffled(random), 0.1, 0.1)
        for at in random.integers(0, len(signal.samples) - 320, 8):
            signal.samples[at : at + 160] = signal.samples[at + 160 : at + 320].copy()
        yield signal


@case("all at once: offsets, twist, levels, lengths, S/N 15 dB, u-law or A-law", times=True)
def _together(random, n):
    for _ in range(30 * n):
        signal = dial(
            random, shuffled(random),
            on=lambda r: r.choice([0.040, r.uniform(0.04, 0.1)]), off=lambda r: r.uniform(0.053, 0.1),
            low=lambda r: r.uniform(-17, -4), twist=lambda r: r.uniform(-8, 4),
            off_low=lambda r: r.uniform(-0.015, 0.015), off_high=lambda r: r.uniform(-0.015, 0.015),
        )  # fmt: skip
        for _, start, end in signal.truth:  # the noise is 15 dB below the digit's softer tone
            piece = signal.samples[round(start * RATE) : round(end * RATE)]
            power = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 8000))
            soft = min(power[600:1060].max(), power[1100:1750].max()) / np.hanning(len(piece)).sum() * 2
            piece += random.standard_normal(len(piece)) * soft / 2**0.5 * 10 ** (-15 / 20)
        law = ulaw if random.random() < 0.5 else alaw
        yield Signal(law(line(signal.samples)), signal.truth)


# --- Judging ----------------------------------------------------------------------------------------------------------


@dataclass
class Score:
    name: str
    sent: int = 0
    missed: int = 0
    extra: int = 0
    late: float = 0.0  # the greatest error of an onset, seconds
    passed: bool = True


def compare(truth: Truth, heard: Any) -> tuple[int, int, float]:
    """Digits missed and digits too many, and the greatest error of an onset where there are times."""
    wanted, found = [one[0] for one in truth], [one[0] for one in heard]
    matched, late = 0, 0.0
    for block in difflib.SequenceMatcher(None, wanted, found, autojunk=False).get_matching_blocks():
        matched += block.size
        for k in range(block.size):
            if not isinstance(heard, str):
                late = max(late, abs(heard[block.b + k][1] - truth[block.a + k][1]))
    return len(wanted) - matched, len(found) - matched, late


def judge(case: Case, receive: Callable[[np.ndarray], Any], seed: int = 1, n: int = 1) -> Score:
    score = Score(case.name)
    timed = False
    for signal in case.make(np.random.default_rng(seed), n):
        heard = receive(line(signal.samples))
        timed = timed or (bool(heard) and not isinstance(heard, str))
        missed, extra, late = compare(signal.truth, heard)
        score.sent += len(signal.truth)
        score.missed += missed
        score.extra += extra
        score.late = max(score.late, late)
    enough = score.sent - score.missed >= case.found * score.sent
    score.passed = enough and score.extra <= case.extra * n and (not case.times or not timed or score.late <= 0.010)
    return score
