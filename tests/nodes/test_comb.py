import numpy as np
import pytest
from scipy import signal as design

from graphvoip.nodes import Comb, Sine

RATE = 8000
FAULTS = np.array([np.nan, np.inf, -1e9], np.float32)


def delay(freq):
    """The impulse response of a delay of 1 / freq by Lagrange's cubic."""
    samples = RATE / float(np.float32(freq))
    first, taps = int(samples) - 1, range(4)
    at = samples - first
    found = np.zeros(first + 4)
    for k in taps:
        found[first + k] = np.prod([(at - j) / (k - j) for j in taps if j != k])
    return found


def one(line):
    return np.eye(1, len(line))[0]


@pytest.mark.parametrize("kind", ["feedback", "feedforward"])
@pytest.mark.parametrize(("freq", "amount"), [(10, 0.5), (123.4, 0.9), (441, -0.8), (1234.5, 0.97), (4000, 0.9)])
def test_its_response_is_that_of_theory(run, signal, kind, freq, amount):
    samples, _ = run(Comb(signal([1]), freq=freq, feedback=amount, kind=kind), 800)
    line = delay(freq)
    b, a = (one(line), one(line) - amount * line) if kind == "feedback" else (one(line) + amount * line, [1])
    np.testing.assert_allclose(samples, design.lfilter(b, a, np.eye(1, len(samples))[0]), atol=2e-6)
    spectrum = np.fft.rfft(samples.astype(float))
    _, expected = design.freqz(b, a, np.fft.rfftfreq(len(samples), 1 / RATE), fs=RATE)
    assert np.abs(20 * np.log10(np.abs(spectrum / expected))).max() < 0.1


def test_a_click_comes_back_after_1_over_freq(run, signal):
    samples, _ = run(Comb(signal([1]), freq=10, feedback=0.5), 11)
    assert dict(zip(np.flatnonzero(samples), samples[samples != 0], strict=True)) == {0: 1.0, 800: 0.5, 1600: 0.25}
    samples, _ = run(Comb(signal([1]), freq=100, feedback=-0.5, kind="feedforward"), 11)
    assert dict(zip(np.flatnonzero(samples), samples[samples != 0], strict=True)) == {0: 1.0, 80: -0.5}


@pytest.mark.parametrize("freq", [55.5, 123.4, 441, 987.6])
def test_it_rings_in_tune(run, signal, freq):
    samples, _ = run(Comb(signal([1]), freq=freq, feedback=0.99), 1000)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * len(samples)))
    step = RATE / (8 * len(samples))
    for harmonic in range(1, 1 + int(1500 / freq)):  # higher ones are off by more, as those of a string
        near = slice(int((harmonic - 0.5) * freq / step), int((harmonic + 0.5) * freq / step))
        found = (near.start + np.argmax(spectrum[near])) * step
        assert found == pytest.approx(harmonic * freq, rel=3e-4)  # half a cent


def test_a_pitch_that_glides_does_not_click(run, signal):
    """The delay of one sine, from 20 to 10 ms within a second."""
    delays = np.linspace(160, 80, RATE)
    samples, _ = run(Comb(Sine(freq=441), freq=signal(RATE / delays), feedback=0.9, kind="feedforward"), 50)
    t = np.arange(RATE)
    held = RATE / (RATE / delays).astype(np.float32).astype(float)
    expected = np.sin(2 * np.pi * 441 * t / RATE) + 0.9 * np.sin(2 * np.pi * 441 * (t - held) / RATE)
    np.testing.assert_allclose(samples[200:], expected[200:], atol=1e-3)


def test_feedback_from_a_wire_is_held_below_1(run, signal):
    noise = np.random.default_rng(1).uniform(-1, 1, 8000)
    for amount, held in ((5.0, 0.99), (-1e30, -0.99), (np.nan, -0.99)):
        given, _ = run(Comb(signal(noise), feedback=signal(np.full(8000, amount))), 50)
        expected, _ = run(Comb(signal(noise), feedback=held), 50)
        np.testing.assert_allclose(given, expected, atol=1e-4)
    wild = np.random.default_rng(2).uniform(10, 4000, 16000)
    samples, _ = run(Comb(signal(noise), freq=signal(wild), feedback=0.99), 100)
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() < 1e6


def test_a_fault_passes_by_and_is_forgotten(run, signal):
    noise = np.random.default_rng(1).uniform(-1, 1, 800).astype(np.float32)
    faulty, silent = noise.copy(), noise.copy()
    faulty[300:303], silent[300:303] = FAULTS, 0
    (heard, _), (expected, _) = (run(Comb(signal(data)), 5) for data in (faulty, silent))
    np.testing.assert_array_equal(heard[300:303], FAULTS)
    heard[300:303] = expected[300:303]
    np.testing.assert_array_equal(heard, expected)


def test_what_is_out_of_range_is_refused():
    for values, words in (
        ({"freq": 9}, "outside 10..4000"),
        ({"feedback": 1}, "outside -0.99..0.99"),
        ({"kind": "feedforwards"}, "did you mean 'feedforward'"),
    ):
        with pytest.raises(ValueError, match=words):
            Comb(Sine(), **values)
