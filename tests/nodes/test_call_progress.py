import itertools

import numpy as np
import pytest

from graphvoip.io.wav import load
from graphvoip.line import on_line
from graphvoip.nodes import Answering, Beep, CallProgress, DialTone, Dust, Noise, Sine, Tone, VoiceActivity
from graphvoip.nodes.call_progress import CADENCES
from graphvoip.palette import SPEECH
from graphvoip.plan import Plan
from graphvoip.progress import TONES

RATE = 8000
ALL = [(country, kind) for country, kinds in TONES.items() for kind in kinds if kind in CADENCES]
PERIODS = {
    (country, kind): sum(on + off for _, on, off in kinds[kind][1:])
    for country, kinds in TONES.items()
    for kind in kinds
}
# A cadence that begins like a longer one of its country: it is certain a moment after that one would have gone on.
LATER = {("es", "busy"): 3.3, ("ch", "reorder"): 2.3}


def names(events):
    return [name for name, _, _ in events]


@pytest.mark.parametrize(("country", "kind"), ALL)
def test_every_tone_is_known_in_its_country_within_two_periods_and_once(run, country, kind):
    period = PERIODS[country, kind]
    _, events = run(CallProgress(DialTone(country=country, kind=kind), country=country), round(50 * (2.4 * period + 4)))
    meant = "busy" if (country, kind) == ("jp", "reorder") else kind  # they are the same there
    assert names(events) == [meant]
    stays = TONES[country][kind][1][1] == 0
    assert events[0][1] / RATE < (3.3 if stays else period * LATER.get((country, kind), 2))


@pytest.mark.parametrize("kind", ["dial", "ringback", "busy", "reorder", "call_waiting"])
def test_any_country_gives_each_tone_its_usual_name(run, kind):
    for country in TONES:
        _, events = run(
            CallProgress(DialTone(country=country, kind=kind)), round(50 * (2 * PERIODS[country, kind] + 3))
        )
        unusual = {("es", "busy"): "reorder", ("jp", "reorder"): "busy"}
        assert names(events) == [unusual.get((country, kind), kind)], country


@pytest.mark.parametrize(
    ("kind", "value"), [("sit", 0), ("sit_intercept", 1), ("sit_vacant", 2), ("sit_reorder", 3), ("sit_no_circuit", 4)]
)
def test_the_information_tones_say_what_they_mean(run, kind, value):
    assert [event[::2] for event in run(CallProgress(DialTone(kind=kind)), 100)[1]] == [("sit", value)]


def test_fax_machines_are_known_by_their_pitch(run):
    _, events = run(CallProgress(DialTone(kind="cng")), 400)
    assert names(events) == ["cng"]
    assert events[0][1] / RATE == pytest.approx(0.55, abs=0.06)
    _, events = run(CallProgress(DialTone(kind="ced")), 300)
    assert names(events) == ["ced"]
    assert events[0][1] / RATE == pytest.approx(1.0, abs=0.06)


def test_an_answer_tone_with_phase_reversals_is_known(run, signal):
    t = np.arange(3 * RATE) / RATE
    turned = np.where(t // 0.45 % 2, -1, 1) * np.sin(2 * np.pi * 2100 * t) * (1 + 0.2 * np.sin(2 * np.pi * 15 * t))
    assert names(run(CallProgress(signal(0.2 * turned)), 150)[1]) == ["ced"]


@pytest.mark.parametrize(
    "line", ["pcma, level=-15dB", "gsm", "pcmu, noise=-38dB", "pcmu, echo=-15dB, echo_time=40ms", "pcmu, hum=-30dB"]
)
def test_it_hears_through_bad_lines(run, signal, line):
    for country, kind in (("us", "busy"), ("uk", "ringback"), ("de", "busy"), ("it", "dial"), ("jp", "ringback")):
        seconds = 2.2 * PERIODS[country, kind]
        sound, _ = run(DialTone(country=country, kind=kind), round(50 * seconds))
        node = CallProgress(signal(on_line(sound, line)), country=country)
        assert names(run(node, round(50 * seconds))[1]) == [kind], country


@pytest.mark.parametrize(("pitch", "times"), [(1.015, 1), (0.985, 1), (1, 1.1), (1, 0.9)])
def test_pitch_and_times_may_be_off(run, signal, pitch, times):
    for frequencies, cadence, kind in (
        ((480, 620), (0.5, 0.5), "busy"),
        ((480, 620), (0.25, 0.25), "reorder"),
        ((440, 480), (2, 4), "ringback"),
    ):
        t = np.arange(round(RATE * times * 2.1 * sum(cadence))) / RATE
        on = t % (times * sum(cadence)) < times * cadence[0]
        sound = 0.05 * on * sum(np.sin(2 * np.pi * pitch * frequency * t) for frequency in frequencies)
        assert names(run(CallProgress(signal(sound), country="us"), len(t) // 160)[1]) == [kind]


def test_what_is_heard_now_and_how_loud_it_is(run, signal):
    sound, _ = run(DialTone(country="de", kind="busy"), 150)
    node = CallProgress(signal(np.concatenate([sound, np.zeros(8000)])), country="de")
    plan, out, loud = Plan([node]), [], []
    for _ in range(200):
        plan.run()
        out = np.append(out, node.samples())
        loud.append(node.samples("level")[0])
    assert set(out) == {0.0, 3.0}
    assert not out[:8000].any()  # it is not known before its second burst
    assert out[14000:24000].all()
    assert not out[-4000:].any()  # it has ended
    expected = 10 ** ((-10 - 3.14) / 20) / np.sqrt(2)
    assert np.median(loud[90:140]) == pytest.approx(expected, rel=0.15)
    assert loud[-1] == 0


def test_one_tone_after_another_is_told(run, signal):
    parts = []
    for kind, frames in (("dial", 100), ("ringback", 500), ("busy", 200)):
        parts += [run(DialTone(kind=kind), frames)[0], np.zeros(4000)]
    _, events = run(CallProgress(signal(np.concatenate(parts)), country="us"), 850)
    assert names(events) == ["dial", "ringback", "busy"]


@pytest.mark.parametrize("make", [
    lambda: Noise(amp=0.3), lambda: Dust(density=3), lambda: Sine(freq=300), lambda: Sine(freq=1000),
    lambda: Tone(freq=440, seconds=0.3), lambda: DialTone(kind="off_hook"), lambda: DialTone(kind="recording"),
])  # fmt: skip
def test_other_sounds_set_nothing_off(run, make):
    assert run(CallProgress(make()), 600)[1] == []


def test_speech_and_keys_set_nothing_off(run, signal):
    speech = np.tile(load(SPEECH)[RATE:], 20)
    assert run(CallProgress(signal(speech)), len(speech) // 160)[1] == []
    t, keys = np.arange(800) / RATE, []
    for low, high in itertools.product((697, 770, 852, 941), (1209, 1336, 1477, 1633)):
        keys += [0.3 * np.sin(2 * np.pi * low * t) + 0.3 * np.sin(2 * np.pi * high * t), np.zeros(800)]
    assert run(CallProgress(signal(np.concatenate(keys))), 160)[1] == []


@pytest.mark.parametrize("country", TONES)
def test_known_tones_veto_human_machine_and_beep(signal, country):
    """Of every tone of the country, with its own plan and with all, from the first burst on."""
    for kind in (kind for kind in TONES[country] if kind in CADENCES or kind.startswith(("sit", "cng", "ced"))):
        plan, tones = Plan([made := DialTone(country=country, kind=kind)]), [np.zeros(4000)]
        for _ in range(400):
            plan.run()
            tones.append(made.samples().copy())
        source = signal(on_line(np.concatenate(tones), "pcmu"))
        for ear in (CallProgress(source, country=country), CallProgress(source)):
            beep = Beep(source, tone=ear.tone)
            answering = Answering(VoiceActivity(source, hangover=0.05), tone=ear.tone)
            plan, told = Plan([beep, answering]), []
            for _ in range(425):
                plan.run()
                told += [(token >> 4, value) for token, _, value in plan.taken_events()]
            assert beep.id not in dict(told), kind
            assert dict(told).get(answering.id, 4) in (3, 4), kind  # silence or unsure


def test_tone_is_off_in_words_and_in_the_beep_after_them(signal):
    words = load(SPEECH)[RATE:]
    beep = 0.3 * np.sin(2 * np.pi * 425 * np.arange(4000) / RATE)
    node = CallProgress(signal(on_line(np.concatenate([words, np.zeros(4000), beep, np.zeros(4000)]), "pcmu")))
    plan, tone = Plan([node]), []
    for _ in range(round(len(words) / 160) + 70):
        plan.run()
        tone.append(node.samples("tone").copy())
    assert not np.concatenate(tone)[2400:].any()


def test_an_unknown_country_is_refused():
    with pytest.raises(ValueError, match="call_progress: country 'xx' is none of any, us, uk"):
        CallProgress(Sine(), country="xx")
