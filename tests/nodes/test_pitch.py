import numpy as np
import pytest
from scipy import signal as design

from graphvoip.nodes import Pitch, Sine

RATE = 8000
VOWELS = {
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}


def saw(freq, seconds):
    """A sawtooth of all its harmonics below 4 kHz; freq may be an array."""
    freq = np.broadcast_to(freq, round(seconds * RATE))
    phase = np.cumsum(freq) / RATE
    return 0.3 * sum(np.sin(2 * np.pi * h * phase) / h * (h * freq < 3900) for h in range(1, 60))


def sung(freq, vowel):
    """A vowel: pulses through formants, made at 48 kHz; a singer raises the first formant above the fundamental."""
    rate = 6 * RATE
    phase = np.cumsum(np.interp(np.arange(6 * len(freq)) / 6, np.arange(len(freq)), freq)) / rate
    x = np.diff(np.floor(phase), prepend=0)
    for pole in (0.98, 0.95):
        x = design.lfilter([1], [1, -pole], x)
    for formant, width in zip(VOWELS[vowel], (60, 90, 120), strict=True):
        pole = np.exp((-np.pi * width + 2j * np.pi * max(formant, 1.1 * freq.max())) / rate)
        x = design.lfilter([1], [1, -2 * pole.real, abs(pole) ** 2], x)
    x = design.sosfilt(design.cheby2(14, 70, 4000, fs=rate, output="sos"), design.lfilter([1, -1], [1, -0.99], x))[::6]
    return 0.5 * x / np.abs(x).max()


@pytest.fixture
def follow(signal):
    """follow(samples): out, clarity and gate, one value every 10 ms."""
    from graphvoip.plan import Plan

    def play(samples, **values):
        node = Pitch(signal(samples), **values)
        plan, found = Plan([node]), []
        for _ in range(len(samples) // 160):
            plan.run()
            found.append([node.samples(port)[::80].copy() for port in ("out", "clarity", "gate")])
        return np.concatenate(found, axis=1)

    return play


def cents(freq, true):
    return np.abs(1200 * np.log2(np.maximum(freq, 1) / true))


@pytest.mark.parametrize("level", [1.0, 0.003])
@pytest.mark.parametrize("freq", [61.7, 80, 98, 146.8, 233.1, 330, 441, 661, 899, 945])
def test_tones_are_within_two_cents(follow, freq, level):
    sine = np.sin(2 * np.pi * freq * np.arange(4800) / RATE)
    for samples in (sine, saw(freq, 0.6)):
        out, clarity, gate = follow(level * samples)[:, 10:]
        assert cents(out, freq).max() < 2
        assert clarity.min() > 0.95
        assert gate.min() == 1


@pytest.mark.parametrize("freq", [82.4, 110, 196, 349.2, 523.3, 784, 900])
def test_noise_at_20_db_moves_it_by_less_than_five_cents(follow, freq):
    samples = saw(freq, 1.0)
    samples += np.random.default_rng(1).standard_normal(len(samples)) * np.std(samples) / 10
    out, _, gate = follow(samples)[:, 10:]
    assert cents(out, freq).max() < 5
    assert gate.min() == 1


@pytest.mark.parametrize("phone", [False, True], ids=["whole", "300-3400 Hz"])
@pytest.mark.parametrize("vowel", VOWELS)
def test_sung_vowels_are_never_an_octave_off(follow, vowel, phone):
    for freq in (82.4, 98, 130.8, 196, 261.6, 392, 523.3, 659.3):
        vibrato = freq * 2 ** (np.sin(2 * np.pi * 5.5 * np.arange(6400) / RATE) * 0.4 / 12)
        samples = sung(vibrato, vowel)
        if phone:
            samples = design.sosfilt(design.butter(4, [300, 3400], "bandpass", fs=RATE, output="sos"), samples)
        samples += np.random.default_rng(1).standard_normal(len(samples)) * np.std(samples) / 10
        out, _, gate = follow(samples)[:, 12:]
        true = np.interp(np.arange(12, 80) * 80 - 208, np.arange(6400), vibrato)
        assert cents(out, true).max() < 60
        assert gate.min() == 1


def test_it_says_what_was_26_ms_ago(follow):
    glide = 100 * 2 ** (1.5 * np.arange(16000) / RATE)
    out = follow(saw(glide, 2.0))[0, 12:]
    true = np.interp(np.arange(12, 200) * 80 - 208, np.arange(16000), glide)
    assert cents(out, true).max() < 15


def test_noise_has_no_pitch_and_the_last_one_is_held(follow):
    noise = np.random.default_rng(1).standard_normal(24000) * 0.2
    out, clarity, gate = follow(np.concatenate([noise, saw(220, 0.5), np.zeros(4000), noise]))
    assert np.all(out[:300] == 0)
    assert clarity[:300].max() < 0.5
    assert not gate[:300].any()
    assert cents(out[310:345], 220).max() < 2
    assert gate[310:345].min() == 1
    assert not gate[356:].any()
    assert cents(out[356:], 220).max() < 10
    assert len(set(out[356:])) == 1
    assert np.all(clarity[358:400] == 0)


def test_the_threshold_decides_what_is_voiced(follow):
    samples = saw(220, 1.0) + np.random.default_rng(1).standard_normal(8000) * 0.12
    for threshold, voiced in ((0.3, 1), (0.95, 0)):
        assert np.all(follow(samples, threshold=threshold)[2, 10:] == voiced)


def test_a_narrower_range_excludes_what_is_beyond_it(follow):
    both = saw(200, 0.5)
    assert cents(follow(both, highest=150.0)[0, 10:], 100).max() < 2
    assert cents(follow(both, lowest=150.0)[0, 10:], 200).max() < 2


def test_a_wrong_range_is_refused():
    with pytest.raises(ValueError, match="pitch: lowest 300 Hz is not below highest 200 Hz"):
        Pitch(Sine(), lowest=300, highest=200)
    with pytest.raises(ValueError, match=r"pitch: highest 2000 Hz is outside 70..1000"):
        Pitch(Sine(), highest=2000)
