"""The node itself; the standards and speech are in tests/test_dtmf.py."""

import numpy as np
import pytest
from dtmf_cases import COLUMNS, PAD, ROWS, digit, noise

from graphvoip.nodes import Dtmf, DtmfTone, Pcm
from graphvoip.plan import Plan

RATE = 8000


def outputs(node, frames):
    """All its outputs, by name."""
    plan, found = Plan([node]), {name: [] for name in node.slots.outputs}
    for _ in range(frames):
        plan.run()
        for name, rows in found.items():
            rows.append(node.samples(name).copy())
    return {name: np.concatenate(rows) for name, rows in found.items()}


def at(start, *parts):
    return np.concatenate([np.zeros(start), *parts])


@pytest.mark.parametrize("key", PAD)
def test_a_digit_is_an_event_and_a_sample_with_its_code(run, signal, key):
    heard = at(1234, digit(key, 0.0611))
    samples, events = run(Dtmf(signal(heard)), 20)
    (name, decided, value), (end_name, told, end_value) = events
    assert (name, end_name) == ("digit", "release")
    assert chr(value & 255) == chr(end_value & 255) == key
    assert np.flatnonzero(samples).tolist() == [decided]
    assert samples[decided] == ord(key)
    assert decided + 1 - (value >> 8) == pytest.approx(1234, abs=8)  # its first sample, to a millisecond
    assert 0.035 < (decided - 1234) / RATE < 0.055
    assert end_value >> 8 & 0xFFFFFF == pytest.approx(489, abs=12)  # its length
    assert told + 1 - (end_value >> 32) == pytest.approx(1234 + 489, abs=8)  # its end


def test_gate_pitch_and_level_follow_it(signal):
    first, second = digit("6", 0.1, -10, -14, 0.012, -0.011), digit("*", 0.3, -20, -17)
    found = outputs(Dtmf(signal(at(800, first, np.zeros(800), second))), 50)
    gate, pitch, high, level = (found[name] for name in ("gate", "pitch", "high", "level"))
    rises, falls = np.flatnonzero(np.diff(gate) > 0), np.flatnonzero(np.diff(gate) < 0)
    assert rises == pytest.approx([800 + 360, 2400 + 360], abs=60)
    assert falls == pytest.approx([1600 + 360, 4800 + 360], abs=60)
    assert np.all(pitch[: rises[0]] == 0)
    low_heard, high_heard = 770 * 1.012, 1477 * 0.989
    assert pitch[rises[0] + 200] == pytest.approx(low_heard, abs=1.0)
    assert high[rises[0] + 200] == pytest.approx(high_heard, abs=1.0)
    assert pitch[rises[1] + 1000] == pytest.approx(941, abs=1.0)
    assert high[rises[1] + 1000] == pytest.approx(1209, abs=1.0)
    assert level[rises[1] + 1000] == pytest.approx(np.sqrt(np.mean(second**2)), rel=0.01)
    assert np.all(level[gate == 0] == 0)


def test_it_hears_the_touch_tones_of_ours(run):
    _, events = run(Dtmf(DtmfTone(text="123A456B789C*0#D", on=0.05, off=0.05)), 90)
    assert "".join(chr(value & 255) for name, _, value in events if name == "digit") == "123A456B789C*0#D"


def test_one_tone_alone_or_two_of_a_kind_are_none(run, signal):
    t = np.arange(1600) / RATE
    for tones in [*((tone,) for tone in ROWS + COLUMNS), (697, 852), (1209, 1633), (697, 1209, 1477), (770, 941, 1336)]:
        _, events = run(Dtmf(signal(0.2 * sum(np.sin(2 * np.pi * tone * t) for tone in tones))), 12)
        assert events == [], tones


@pytest.mark.parametrize(("least", "level", "heard"), [(-48, -44, True), (-48, -53, False), (-20, -18, True),
                                                       (-20, -22, False), (-60, -58, True)])  # fmt: skip
def test_the_least_level_is_a_choice(run, signal, least, level, heard):
    """Levels in dB of a full-scale sine."""
    tones = digit("5", 0.1, level + 3.14, level + 3.14)
    _, events = run(Dtmf(signal(at(300, tones)), least_db=least), 12)
    assert bool(events) == heard


@pytest.mark.parametrize("gap", [0, 0.005, 0.010, 0.015, 0.020, 0.025])
@pytest.mark.parametrize("first", [500, 513, 526, 539])  # places within a look of 40 samples
def test_dtmf_change_of_digit_without_a_pause_ends_one_and_begins_the_next(run, signal, first, gap):
    size, keys = 800 + round(gap * RATE), "123A456B789C*0#D"
    parts = [part for key in keys for part in (digit(key, 0.1), np.zeros(size - 800))]
    _, events = run(Dtmf(signal(at(first, *parts))), 110)
    begun = [(chr(value & 255), decided + 1 - (value >> 8)) for name, decided, value in events if name == "digit"]
    ended = [(chr(value & 255), told + 1 - (value >> 32)) for name, told, value in events if name == "release"]
    assert "".join(key for key, _ in begun) == "".join(key for key, _ in ended) == keys
    assert [place for _, place in begun] == pytest.approx([first + k * size for k in range(16)], abs=40)
    assert [place for _, place in ended] == pytest.approx([first + k * size + 800 for k in range(16)], abs=40)
    assert [name for name, _, _ in events] == ["digit", "release"] * 16


@pytest.mark.parametrize(("pause", "heard"), [(0, "5"), (0.010, "5"), (0.020, "5"), (0.033, "5555")])
def test_dtmf_one_key_again_needs_a_pause(run, signal, pause, heard):
    """30 ms or more; a lost frame of 20 ms is bridged."""
    parts = [part for _ in range(4) for part in (digit("5", 0.1), np.zeros(round(pause * RATE)))]
    _, events = run(Dtmf(signal(at(500, *parts))), 40)
    assert [name for name, _, _ in events] == ["digit", "release"] * len(heard)
    assert "".join(chr(value & 255) for name, _, value in events if name == "digit") == heard
    longest = 800 if len(heard) == 4 else 3 * round(pause * RATE) + 4 * 800
    lengths = [value >> 8 & 0xFFFFFF for name, _, value in events if name == "release"]
    assert lengths == pytest.approx([longest] * len(heard), abs=16)


def test_a_very_long_digit_keeps_its_length(run):
    loop = digit("0", 100)
    _, events = run(Dtmf(Pcm(data=np.append(loop, np.zeros(1000)))), 5010)
    ((_, _, digit_value), (_, _, value)) = events
    assert chr(digit_value & 255) == chr(value & 255) == "0"
    assert value >> 8 & 0xFFFFFF == pytest.approx(800000, abs=16)


def test_after_nonsense_it_hears_again(run, signal):
    heard = np.concatenate([[np.nan, np.inf, -np.inf, 1e30, 1e5] * 20, np.zeros(800), digit("7", 0.1), np.zeros(800)])
    _, events = run(Dtmf(signal(heard)), 18)
    assert [chr(value & 255) for name, _, value in events if name == "digit"] == ["7"]


def test_noise_is_none(run, signal):
    _, events = run(Dtmf(signal(noise(np.random.default_rng(2), 30 * RATE, -15))), 1500)
    assert events == []
