import re
from fractions import Fraction

import numpy as np

from ..dsp import soften
from ..kernel import event, floats_at, kernel, sound, words_at
from ..node import Event, Node, Option, Output, Signal, State
from ..notes import NOTES, pitch_of
from ..rings import RATE

TUNE = "hello:d=8,o=5,b=140:c,e,g,4c6,8p,a,4g,e,f,d,4c."
SIGN = re.compile(r"(?P<length>\d*)(?P<letter>[a-hp])(?P<sharp>#?)(?P<dots>\.?)(?P<octave>\d?)(?P<dot>\.?)")
LENGTHS, OCTAVES, BEATS = (1, 2, 4, 8, 16, 32), range(1, 8), range(10, 901)
DEFAULTS = {"d": ("a length", LENGTHS, 4), "o": ("an octave", OCTAVES, 6), "b": ("beats a minute", BEATS, 63)}

PERIOD = 4096  # samples of a wave: between two of them the line is off by -130 dB
EDGE = 40  # samples, 5 ms
GAP = 160  # samples of silence at a note's end, at most a quarter of it: equal notes stay apart
WAVEFORMS = ("sine", "square")


def _defaults(text: str) -> dict[str, int]:
    found = {key: default for key, (_, _, default) in DEFAULTS.items()}
    for one in filter(None, text.split(",")):
        key, _, value = one.partition("=")
        if key not in DEFAULTS or not value.isdecimal() or int(value) not in DEFAULTS[key][1]:
            raise ValueError(
                f"melody: the defaults have {one!r}; they may have d={'|'.join(map(str, LENGTHS))}, "
                f"o={OCTAVES[0]}..{OCTAVES[-1]} and b={BEATS[0]}..{BEATS[-1]}"
            )
        found[key] = int(value)
    return found


def parsed(text: str) -> list[tuple[Fraction, float]]:
    """The notes of an RTTTL text: the time at which each ends, in seconds, and its pitch in Hz, 0 for a rest."""
    parts = "".join(text.lower().split()).split(":") if isinstance(text, str) else []
    if len(parts) != 3:
        raise ValueError(f"melody: text is {text!r}; it is name:defaults:notes, as in 'two:d=4,o=5,b=120:c,8e'")
    defaults = _defaults(parts[1])
    notes, time = [], Fraction(0)
    for number, one in enumerate(parts[2].split(","), 1):
        found, wrong = SIGN.fullmatch(one), ""
        length, octave = defaults["d"], defaults["o"]
        if not found:
            wrong = "it is a length, a letter a-g or p, #, an octave and a dot, of which only the letter must be"
        else:
            length, octave = int(found["length"] or length), int(found["octave"] or octave)
            if length not in LENGTHS:
                wrong = f"its length is none of {', '.join(map(str, LENGTHS))}"
            elif octave not in OCTAVES:
                wrong = f"its octave is outside {OCTAVES[0]}..{OCTAVES[-1]}"
        if wrong or not found:
            raise ValueError(f"melody: note {number} {one!r} cannot be read: {wrong}")
        whole = Fraction(4 * 60, defaults["b"])
        time += whole / length * (Fraction(3, 2) if found["dot"] or found["dots"] else 1)
        pitch = 0.0
        if found["letter"] != "p":
            letter = found["letter"].upper().replace("H", "B")
            pitch = pitch_of(NOTES[letter] + bool(found["sharp"]) + 12 * (octave + 1))
        notes.append((time, pitch))
    return notes


class Melody(Node):
    """A ring tone in RTTTL, Nokia's text format: name:d=length,o=octave,b=beats a minute:notes.

    A note is [1|2|4|8|16|32]letter[#][octave][.], where p is a rest and a4 is 440 Hz; without defaults d=4, o=6, b=63.
    Notes begin at the sample nearest to their time, without drift. Each is silent for its last 20 ms (a quarter, if it
    is short) and rises and falls over 5 ms. `pitch` and `gate` play other sources; `pitch` holds in rests.

    >>> Melody(text="fall:d=8,o=5,b=180:c6,b,a,g,f,e,d,4c", waveform="square", amp=0.5)
    """

    group = "sources"
    known_as = "rtttl, ring tone, ringtone, tune, nokia, player"
    amp = Signal(1.0, "x", doc="level; 1 is full scale")
    text = Option(TUNE, "the tune in RTTTL")
    waveform = Option("sine", "the tone of `out`; the square is band-limited, and no louder at its base", WAVEFORMS)
    loop = Option(False, "at the end begin again")
    out = Output("a plain tone")
    pitch = Output("Hz; in a rest that of the note before")
    gate = Output("1 while a note sounds")
    done = Event("its last sample has been made; never in a loop")
    state = State(address="i8", size="i8", pitches_="i8", waves_="i8", waves="i8", note="i8", at="i8", loop_="i8")

    def start(self):
        notes = parsed(self.text)
        ends = [round(time * RATE) for time, _ in notes]
        begins = [0, *ends[:-1]]
        rows, pitches, numbers, waves = [], [], {}, []
        pitch = next((pitch for _, pitch in notes if pitch), 440.0)
        for begin, end, (_, heard) in zip(begins, ends, notes, strict=True):
            pitch = heard or pitch
            count = 1 if self.waveform == "sine" else max(1, (int(0.97 * RATE / 2 / pitch) + 1) // 2)
            if count not in numbers:
                numbers[count] = len(waves)
                turns = np.arange(PERIOD + 1) / PERIOD
                waves.append(sum(np.sin(2 * np.pi * k * turns) / k for k in range(1, 2 * count, 2)))
            rows.append((end, end - min(GAP, (end - begin) // 4) if heard else begin, numbers[count]))
            pitches.append(pitch)
        self.rows, self.pitches = np.array(rows, np.int64).ravel(), np.array(pitches, np.float32)
        self.waves = np.array(waves, np.float32).ravel()
        self.state["address"], self.state["size"] = self.rows.ctypes.data, len(notes)
        self.state["pitches_"], self.state["waves_"] = self.pitches.ctypes.data, self.waves.ctypes.data
        self.state["waves"], self.state["loop_"] = len(waves), bool(self.loop)

    @kernel
    def process(state, amp, out, pitch, gate):
        count = state.size
        rows, pitches = words_at(state.address, 3 * count), floats_at(state.pitches_, count)
        waves = floats_at(state.waves_, state.waves * (PERIOD + 1))
        made = 0
        while made < out.size:
            k = min(state.note, count - 1)
            at, begin = state.at, rows[3 * k - 3] if k > 0 else 0
            end, up, wave = rows[3 * k], rows[3 * k + 1], rows[3 * k + 2] * (PERIOD + 1)
            size = out.size - made if state.note == count else min(out.size - made, end - at)
            sounds = 0 if state.note == count else max(0, min(size, up - at))
            edge = max(1, min(EDGE, (up - begin) // 2))
            step = np.float64(pitches[k]) * (1 / RATE)
            tone, key, hertz = out[made : made + size], gate[made : made + size], pitch[made : made + size]
            for i in range(size):
                hertz[i] = pitches[k]
                tone[i] = 0
                key[i] = 0
            for i in range(sounds):
                turns = step * (at + i - begin)
                x = (turns - np.floor(turns)) * PERIOD
                n = min(np.int64(x), PERIOD - 1)
                a, b = waves[wave + n], waves[wave + n + 1]
                tone[i] = a + np.float32(x - n) * (b - a)
                key[i] = 1
            soften(tone[:sounds], at - begin, up - begin, edge)
            made += size
            if state.note < count:
                state.at += size
                if state.at == end:
                    state.note += 1
                    if state.note == count and state.loop_:
                        state.note = state.at = 0
                    elif state.note == count and state.done == 0:
                        state.done = event(made - 1)
        for i in range(out.size):
            out[i] *= sound(amp[i])
