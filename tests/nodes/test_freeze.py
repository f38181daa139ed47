import numpy as np
import pytest

from graphvoip.nodes import Freeze, Pcm, Sine

RATE = 8000
RANDOM = np.random.default_rng(9)
GATE = np.where(np.arange(56000) < 4003, 0.0, 1.0)  # on after half a second


def test_while_the_gate_is_off_the_input_passes_untouched(run, signal):
    noise = RANDOM.uniform(-1, 1, 1600).astype(np.float32)
    samples, _ = run(Freeze(signal(noise)), 10)
    np.testing.assert_array_equal(samples, noise)


def test_a_tone_is_held_at_its_pitch_and_level_when_the_caller_is_silent_again(run, signal):
    tone = 0.5 * np.sin(2 * np.pi * 441 * np.arange(4200) / RATE)
    samples, _ = run(Freeze(signal(tone), gate=signal(GATE)), 350)
    held = samples[4400:].astype(float)
    t = np.arange(len(held)) / RATE
    slow = np.convolve(held * np.exp(-2j * np.pi * 441 * t), np.ones(400) / 400, "valid")
    assert np.abs(slow).min() > 0.245  # half of 0.5: neither dips nor beats
    assert np.abs(slow).max() < 0.255
    assert np.abs(np.diff(samples, 2)).max() < 1.2 * 0.5 * (2 * np.pi * 441 / RATE) ** 2  # no click, at the rise too


def test_noise_is_held_at_a_steady_level(run, signal):
    samples, _ = run(Freeze(signal(RANDOM.normal(0, 0.1, 4003)), gate=signal(GATE), time=1.0), 350)
    levels = samples[4400:].reshape(-1, 1290)[:, :1280].std(1)
    assert np.all(np.abs(20 * np.log10(levels / 0.1)) < 2)


def test_what_is_held_does_not_repeat_and_another_seed_is_another_order(run, signal):
    noise = RANDOM.normal(0, 0.1, 4003)
    (one, _), (same, _), (other, _) = (
        run(Freeze(signal(noise), gate=signal(GATE), time=1.0, seed=seed), 350) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert np.std(one[5000:] - other[5000:]) > 0.1
    spectrum = np.fft.rfft(one[8000:], 2 * 48000)
    alike = np.fft.irfft(np.abs(spectrum) ** 2)[:40000]
    assert alike[400:].max() < 0.5 * alike[0]


def test_it_lets_go_and_a_new_rise_holds_what_is_new(run, signal):
    t = np.arange(16000) / RATE
    tones = np.where(t < 1, np.sin(2 * np.pi * 441 * t), np.sin(2 * np.pi * 734.5 * t)).astype(np.float32)
    gate = np.where((t >= 0.5) & (t < 0.9) | (t >= 1.6), 1.0, 0.0)
    samples, _ = run(Freeze(signal(tones), gate=signal(gate)), 100)
    np.testing.assert_array_equal(samples[7200 + 160 : 12800], tones[7200 + 160 : 12800])
    spectrum = np.abs(np.fft.rfft(samples[13200:15600] * np.hanning(2400)))
    assert np.argmax(spectrum) * RATE / 2400 == pytest.approx(734.5, abs=4)
    gate[12700:12795] = 1  # a new rise while the old sound still fades out
    samples, _ = run(Freeze(signal(tones), gate=signal(gate)), 100)
    assert np.abs(np.diff(samples[9000:], 2)).max() < 1.5 * (2 * np.pi * 734.5 / RATE) ** 2


def test_a_fault_while_it_holds_is_not_heard_and_never_kept(run, signal):
    noise = RANDOM.uniform(-1, 1, 8000)
    noise[[2000, 3990, 6000]] = np.nan
    samples, _ = run(Freeze(signal(noise), gate=signal(GATE)), 50)
    assert list(np.flatnonzero(~np.isfinite(samples))) == [2000, 3990]


def test_values_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"time 3 s is outside 0.2..2"):
        Freeze(Sine(), time=3)
    assert isinstance(Freeze(Pcm(data=[0.0])), Freeze)
