import numpy as np
import pytest

from graphvoip.nodes import Melody
from graphvoip.plan import Plan

RATE = 8000


def heard(node, frames):
    """All three outputs, and where it is done."""
    plan, found, done = Plan([node]), {"out": [], "pitch": [], "gate": []}, []
    for n in range(frames):
        plan.run()
        for name, frame in found.items():
            frame.append(node.samples(name).copy())
        done += [160 * n + at for _, at, _ in plan.taken_events()]
    return {name: np.concatenate(frame) for name, frame in found.items()} | {"done": done}


def rises(gate):
    return np.flatnonzero(np.diff(np.concatenate([[0], gate])) > 0)


def test_a_text_is_read_as_the_format_says():
    """Lengths, sharps, octaves, dots on both sides of the octave, rests, defaults, blanks and capitals."""
    found = heard(Melody(text="Odd: d=8, o=5, b=150 :A4,4c#,16E6.,8d.6,p,32g7"), 100)
    quarter = 60 / 150 * RATE
    lengths = np.array([0.5, 1, 0.375, 0.75, 0.5, 0.125]) * quarter
    begins = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    np.testing.assert_allclose(rises(found["gate"]), begins[[0, 1, 2, 3, 5]], atol=0.51)
    keys = np.array([0, 4, 19, 17, 17, 34])  # half tones above a4; a rest holds the note before
    at = np.rint(begins).astype(int)
    np.testing.assert_allclose(found["pitch"][at], 440 * 2 ** (keys / 12), rtol=1e-6)
    assert found["done"] == [round(lengths.sum()) - 1]
    assert not np.any(found["out"][found["done"][0] + 1 :])


def test_the_defaults_of_the_defaults():
    found = heard(Melody(text="x::a"), 60)
    assert found["pitch"][0] == 1760  # o=6
    assert found["done"] == [round(60 / 63 * RATE) - 1]  # a quarter at 63 beats a minute


@pytest.mark.parametrize("tempo", [97, 133, 241])
def test_the_tempo_is_right_to_the_sample_and_does_not_drift(tempo):
    found = heard(Melody(text=f"x:d=16,o=5,b={tempo}:" + ",".join(["c"] * 200)), round(50 * 201 * 15 / tempo))
    np.testing.assert_allclose(rises(found["gate"]), np.arange(200) * 15 / tempo * RATE, atol=0.51)


def test_a_note_is_a_sine_of_its_pitch_with_soft_edges_and_a_gap():
    found = heard(Melody(text="x:d=4,o=4,b=60:a,a"), 101)
    n = np.arange(RATE)
    edge = np.minimum(1, np.minimum(n, RATE - 161 - n).clip(-0.5) / 40 + 0.5 / 40)
    expected = np.sin(2 * np.pi * 440 * n / RATE) * (0.5 - 0.5 * np.cos(np.pi * edge))
    expected[-160:] = 0
    for k in range(2):
        np.testing.assert_allclose(found["out"][RATE * k : RATE * (k + 1)], expected, atol=2e-6)
    np.testing.assert_array_equal(
        found["gate"], np.tile(n < RATE - 160, 3)[: len(found["gate"])] * (np.arange(16160) < 16000)
    )


@pytest.mark.parametrize(("note", "freq"), [("a3", 220), ("a4", 440), ("a6", 1760), ("a7", 3520)])
def test_the_square_has_its_odd_overtones_and_no_folded_ones(note, freq):
    found = heard(Melody(text=f"x:d=1,o=4,b=60:{note}", waveform="square"), 190)
    spectrum = np.abs(np.fft.rfft(found["out"][4000:28000].astype(float) * np.blackman(24000))) / (24000 * 0.21)
    expected = np.zeros(len(spectrum))
    for k in range(1, int(3880 / freq) + 1, 2):
        place = 3 * k * freq
        assert spectrum[place] == pytest.approx(1 / k, rel=1e-3)
        expected[place - 4 : place + 5] = 1
    assert 20 * np.log10(spectrum[expected == 0].max()) < -90
    assert np.abs(found["out"]).max() < 1.001


def test_a_loop_begins_again_at_once_and_never_ends():
    found = heard(Melody(text="x:d=8,o=5,b=100:c,e,g", loop=True), 200)
    np.testing.assert_array_equal(rises(found["gate"]), np.arange(14) * 2400)
    np.testing.assert_array_equal(found["out"][7200:14400], found["out"][:7200])
    assert found["done"] == []


def test_pitch_and_gate_begin_with_a_rest():
    found = heard(Melody(text="x:d=4,o=4,b=120:p,a"), 60)
    assert not np.any(found["out"][:4000])
    assert not np.any(found["gate"][:4000])
    assert set(found["pitch"]) == {440}


def test_the_level_may_be_a_signal_and_the_default_tune_is_short(run, signal):
    one, events = run(Melody(), 250)
    other, _ = run(Melody(signal(np.linspace(0, 1, 8000))), 50)
    np.testing.assert_allclose(other, one[:8000] * np.linspace(0, 1, 8000), atol=1e-6)
    assert [name for name, _, _ in events] == ["done"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("c,d,e", r"it is name:defaults:notes"),
        (5, r"it is name:defaults:notes"),
        ("x:d=4,o=5:c,e,x9", r"melody: note 3 'x9' cannot be read"),
        ("x:d=4:c,,e", r"melody: note 2 '' cannot be read"),
        ("x:d=4:c,5e", r"note 2 '5e' cannot be read: its length is none of 1, 2, 4"),
        ("x:d=4:c9", r"note 1 'c9' cannot be read: its octave is outside 1..7"),
        ("x:d=3:c", r"melody: the defaults have 'd=3'; they may have d="),
        ("x:q=3:c", r"melody: the defaults have 'q=3'"),
        ("x:b=fast:c", r"melody: the defaults have 'b=fast'"),
    ],
)
def test_a_wrong_text_is_refused_with_its_place(text, words):
    with pytest.raises(ValueError, match=words):
        Melody(text=text)
