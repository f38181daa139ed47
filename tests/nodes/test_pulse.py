import numpy as np
import pytest
from spectra import PITCHES, alias_below, harmonic_to_alias

from graphvoip.nodes import Pulse, Sine


@pytest.mark.parametrize("width", [0.5, 0.2, 0.05])
def test_aliases_are_60_db_below_the_harmonics(run, width):
    samples, _ = run(Pulse(freq=1234.5, width=width), 100)
    assert harmonic_to_alias(samples, 1234.5) > 60
    assert harmonic_to_alias(np.where(np.arange(16000) * 1234.5 / 8000 % 1 < width, 1.0, -1.0), 1234.5) < 15


@pytest.mark.parametrize("width", [0.5, 0.3, 0.9])
def test_its_harmonics_and_its_mean_are_those_of_its_width(run, width):
    samples, _ = run(Pulse(freq=213.7, width=width), 200)
    t, window = np.arange(len(samples)) / 8000, np.blackman(len(samples))
    frequency, width = float(np.float32(213.7)), float(np.float32(width))
    for k in range(1, int(3000 // frequency) + 1):
        found = 2 * np.sum(samples * window * np.exp(-2j * np.pi * k * frequency * t)) / window.sum()
        expected = 4 / np.pi / k * np.sin(np.pi * k * width) * np.exp(-1j * np.pi * k * width)
        assert abs(found - expected) < 0.03 * 4 / np.pi / k
    assert np.sum(samples * window) / window.sum() == pytest.approx(2 * width - 1, abs=1e-3)


def test_it_begins_with_its_rise_and_keeps_its_phase_for_a_minute(run):
    samples, _ = run(Pulse(freq=441.7), 3000)
    turns = np.arange(len(samples)) * float(np.float32(441.7)) / 8000 % 1
    inside = np.abs((turns + 0.25) % 0.5 - 0.25) > 0.11  # farther than 2 samples from an edge
    np.testing.assert_allclose(samples[inside], np.where(turns < 0.5, 1, -1)[inside], atol=0.2)
    assert np.abs(samples).max() < 1.2


def test_a_width_that_moves_makes_no_edges_of_its_own(run, signal):
    """Noise as width: each turn has one rise and one fall all the same, and the rises stay where they are."""
    width = np.random.default_rng(1).uniform(0.3, 0.7, 16000)
    samples, _ = run(Pulse(freq=50.5, width=signal(width)), 100)
    rises = np.flatnonzero(np.diff(samples > 0, prepend=False) & (samples > 0))
    np.testing.assert_allclose(rises, np.arange(101) * 8000 / 50.5, atol=1)


def test_width_and_level_are_held_within_their_ranges(run, signal):
    wide, _ = run(Pulse(freq=100, width=signal(np.full(8000, 7.0))), 50)
    np.testing.assert_array_equal(wide, run(Pulse(freq=100, width=signal(np.full(8000, 0.99))), 50)[0])
    (plain, _), (scaled, _), (level, _) = (run(n, 5) for n in (Pulse(), Pulse(amp=Sine(freq=7)), Sine(freq=7)))
    np.testing.assert_array_equal(scaled, plain * level)
    with pytest.raises(ValueError, match=r"width 1 turns is outside 0\.01\.\.0\.99"):
        Pulse(width=1)


@pytest.mark.parametrize(
    ("width", "levels"), [(0.5, {3000: -65, 3400: -38, 4000: -15}), (0.01, {3000: -57, 3400: -26, 4000: -6})]
)
def test_aliases_are_as_far_below_the_fundamental_as_the_docs_say(run, width, levels):
    sounds = {pitch: run(Pulse(freq=pitch, width=width), 105)[0][800:] for pitch in PITCHES}
    for limit, level in levels.items():
        worst = max(alias_below(samples, pitch, limit) for pitch, samples in sounds.items())
        assert level - 3 < worst < level, limit
