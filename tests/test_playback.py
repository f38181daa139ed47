"""Patches on a call: parameters, edits and reloads while they sound, and nothing clicks."""

import asyncio

import numpy as np
import pytest

from graphvoip import Param, patch, render
from graphvoip.nodes import Add, Biquad, Constant, Decay, Function, Gain, Mix, Noise, Pcm, Record, Sampler, Sine, Tone
from graphvoip.patchfile import parse_patch

RATE = 8000


def largest_step(samples):
    return np.abs(np.diff(samples)).max()


def slope(frequency, level=1.0):
    """The largest step of a sine between two samples."""
    return level * 2 * np.pi * frequency / RATE


@patch
def beep(freq=Param(441, "Hz", 100, 2000), level=Param(0.5, "x", 0, 1)):
    return Sine(freq=freq, name="tone") * level


def playing(call):
    """The types of the nodes in a call's graph that every call does not have."""
    return {node.type for node in call._graph.plan.nodes} - {"keypad", "line_in", "line_out", "dtmf"}


async def ring(phone, handler, seconds=60):
    """What the caller heard of a handler that ends by itself."""
    async with phone(handler) as p:
        assert await p.hung_up(seconds)
    return np.array(p.heard)


async def test_a_patch_plays_until_it_is_done(phone):
    @patch
    def short():
        tone = Tone(freq=441, seconds=0.5)
        return tone * 0.5, tone.done

    times = []

    async def handler(call):
        await call.play(short())
        times.append(call.time)

    heard = await ring(phone, handler)
    assert 0.5 <= times[0] <= 0.56
    assert np.abs(heard[:4000]).max() == pytest.approx(0.5, abs=0.01)


async def test_what_still_sounds_at_the_end_fades(phone):
    @patch
    def cut():
        tone = Tone(freq=300, seconds=0.3)
        return Sine(freq=441) * 0.5 + tone * 0.0, tone.done

    async def handler(call):
        await call.play(cut())
        await asyncio.sleep(0.1)

    heard = await ring(phone, handler)
    assert largest_step(heard) <= 1.02 * slope(441, 0.5)
    assert np.abs(heard[-400:]).max() == 0


async def test_parameters_are_attributes_and_ramp(phone):
    async def handler(call):
        synth = call.play(beep())
        await asyncio.sleep(0.5)
        assert synth.level == 0.5
        synth.level = 0.05
        assert synth.level == 0.05
        await asyncio.sleep(0.5)
        synth.set("freq", 882, over=0.3)
        await asyncio.sleep(0.5)
        synth.set("tone.amp", 2)
        await asyncio.sleep(0.5)

    heard = await ring(phone, handler)
    assert largest_step(heard) <= 1.05 * slope(441, 0.5)
    assert np.abs(heard[1000:4000]).max() == pytest.approx(0.5, abs=0.001)
    assert np.abs(heard[4400:8000]).max() == pytest.approx(0.05, abs=0.001)
    assert np.abs(heard[12400:15900]).max() == pytest.approx(0.1, abs=0.001)
    assert np.argmax(np.abs(np.fft.rfft(heard[12400:14000]))) * 5 == pytest.approx(882, abs=5)


async def test_wrong_parameters_are_told_and_nothing_changes(phone):
    async def handler(call):
        synth = call.play(beep())
        with pytest.raises(AttributeError, match=r"beep has no parameter 'levle'; did you mean 'level'?"):
            synth.levle = 1
        with pytest.raises(AttributeError, match=r"'levle'; did you mean 'level'?"):
            _ = synth.levle
        with pytest.raises(ValueError, match=r"level: 2 x is outside 0..1"):
            synth.level = 2
        with pytest.raises(ValueError, match=r"beep has no 'tone.frq' to set|tone: sine has no input 'frq'"):
            synth.set("tone.frq", 2)
        with pytest.raises(ValueError, match="over is -1"):
            synth.set("level", 0.1, over=-1)
        assert synth.level == 0.5
        with pytest.raises(TypeError, match="call it to make a patch"):
            call.play(beep)
        await asyncio.sleep(0.1)

    await ring(phone, handler)


async def test_the_callers_voice_and_keys_are_bound_by_name(phone):
    document = {
        "graphvoip": 1, "inputs": {"voice": "audio", "keys": "events"},
        "nodes": {"k": {"type": "keymap", "keys": "keys"}, "s": {"type": "sine", "freq": "k"}},
        "out": "voice * 0.5 + s * k.gate * 0.25",
    }  # fmt: skip

    async def handler(call):
        call.play(parse_patch(document)())
        await asyncio.sleep(1)

    async with phone(handler) as p:
        await p.play(np.full(1600, 0.5))
        await p.wait(0.3)
        await p.press("1")
        assert await p.hung_up()
    heard = np.array(p.heard)
    assert np.mean(heard[600:1400]) == pytest.approx(0.25, abs=0.01)
    assert np.abs(heard[2000:3800]).max() < 0.01
    assert np.abs(heard[4100:5000]).max() == pytest.approx(0.25, abs=0.01)


async def test_an_input_that_a_call_does_not_have_is_told(phone):
    @patch
    def loud(mic):
        return Gain(mic, 2.0)

    async def handler(call):
        with pytest.raises(ValueError, match="loud: its input 'mic' is not wired, and a call has voice and keys"):
            call.play(loud())

    await ring(phone, handler)


async def test_a_patch_plays_once(phone):
    async def handler(call):
        tone = patch(lambda: Tone(seconds=0.1))()
        await call.play(tone)
        with pytest.raises(ValueError, match="has come to its end; build another one"):
            call.play(tone)
        synth = call.play(beep())
        await asyncio.sleep(0.1)
        with pytest.raises(ValueError, match="sounds in call"):
            render(synth.patch, seconds=1)

    await ring(phone, handler)


# --- Edits ------------------------------------------------------------------------------------------------------------


async def test_no_edit_clicks(phone):
    """441 Hz is nowhere near zero at the edges of frames. Every kind of edit, and the steps stay those of the sine."""
    source, gain = Sine(freq=441), None

    async def handler(call):
        nonlocal gain
        gain = Gain(source, 0.5)
        mix = Mix(gain)
        synth = call.play(mix)
        for n in range(6):
            await asyncio.sleep(0.1)
            if n == 0:
                gain.gain = 0.1
            elif n == 1:
                gain.gain = Sine(freq=3, amp=0.2)
            elif n == 2:
                gain.input = Add(source, 0.2)
            elif n == 3:
                mix.inputs = [*mix.inputs, Sine(freq=100, amp=0.1)]
            elif n == 4:
                mix.inputs = mix.inputs[:1]
            else:
                gain.input = mix  # a loop
                gain.gain = 0.3
        await asyncio.sleep(0.2)
        synth.stop()
        await asyncio.sleep(0.1)
        assert not call._out.inputs

    heard = await ring(phone, handler)
    assert largest_step(heard) <= 1.02 * slope(441, 0.5)


async def test_an_edit_of_an_edit_arrives_where_the_last_one_wanted(phone):
    async def handler(call):
        gain = Gain(Sine(freq=441), 0.5)
        call.play(gain)
        await asyncio.sleep(0.1)
        for n in range(20):
            gain.gain = n / 20
            await asyncio.sleep(0.01)
        gain.gain = 0.25
        assert gain.gain == 0.25
        await asyncio.sleep(0.3)
        assert gain.gain == 0.25
        assert playing(call) == {"sine", "gain", "fade", "constant"}

    heard = await ring(phone, handler)
    assert largest_step(heard) <= 1.02 * slope(441, 1.0)
    assert np.abs(heard[4400:6200]).max() == pytest.approx(0.25, abs=0.001)


async def test_a_loop_runs_with_one_sample_of_delay_on_a_call(phone):
    async def handler(call):
        echo = Add(Pcm(data=np.concatenate([[0.5], np.zeros(20)])), 0.0)
        echo.b = Gain(echo, 0.5)
        call.play(echo, fade=0)
        await asyncio.sleep(0.1)

    heard = await ring(phone, handler)
    first = np.argmax(np.abs(heard))
    np.testing.assert_allclose(heard[first : first + 6], 0.5 ** np.arange(1, 7), atol=1e-4)


# --- Reload -----------------------------------------------------------------------------------------------------------


def document(**nodes):
    return {"graphvoip": 1, "params": {"level": 0.5}, "nodes": nodes, "out": "a * level"}


async def test_a_reload_keeps_state_by_name_and_type(phone):
    before = document(a={"type": "sine", "freq": 317}, n={"type": "noise"})
    after = document(a={"type": "sine", "freq": 331}) | {"params": {"level": 0.4}}

    async def handler(call):
        synth = call.play(parse_patch(before)())
        await asyncio.sleep(0.5)
        tone = synth.patch["a"]
        synth.reload(parse_patch(after)())
        assert synth.patch["a"] is tone
        await asyncio.sleep(0.5)
        assert synth.level == 0.4
        synth.level = 0.2
        synth.reload(parse_patch(after)())
        assert synth.level == 0.2, "what was set by hand stays, where the file has not changed it"
        synth.reload(parse_patch(document(a={"type": "triangle", "freq": 331}) | {"params": {"level": 0.4}})())
        assert synth.patch["a"] is not tone
        await asyncio.sleep(0.5)
        synth.stop()
        await asyncio.sleep(0.1)
        assert playing(call) == set()

    heard = await ring(phone, handler)
    assert largest_step(heard[:8200]) <= 1.02 * slope(331, 0.5)
    assert largest_step(heard) <= 1.1 * slope(331, 0.5)
    assert np.argmax(np.abs(np.fft.rfft(heard[4800:8000]))) * 2.5 == pytest.approx(331, abs=2.5)


async def test_a_reload_of_the_same_changes_nothing_at_all(phone):
    chain = {"graphvoip": 1, "params": {"level": 0.5},
             "nodes": {"a": {"type": "saw", "freq": "200 + 50 * lfo"}, "lfo": {"type": "sine", "freq": 3},
                       "f": {"type": "biquad", "input": "a + 0.3 * f", "freq": 900}, "n": {"type": "noise"}},
             "out": "f * level + 0.01 * n"}  # fmt: skip

    def handler_of(reloads):
        async def handler(call):
            synth = call.play(parse_patch(chain)())
            for _ in range(5):
                await asyncio.sleep(0.1)
                if reloads:
                    synth.reload(parse_patch(chain)())

        return handler

    np.testing.assert_array_equal(await ring(phone, handler_of(False)), await ring(phone, handler_of(True)))


async def test_a_reload_takes_recorders_along(phone, tmp_path):
    @patch
    def recorded(level=0.5):
        tone = Sine(freq=441, name="a") * level
        Record(tone, file=tmp_path / "x.wav", name="tape")
        return tone

    async def handler(call):
        synth = call.play(recorded())
        await asyncio.sleep(0.5)
        synth.reload(recorded(level=0.25))
        await asyncio.sleep(0.5)
        synth.stop()
        await asyncio.sleep(0.1)

    await ring(phone, handler)
    import soundfile

    samples, rate = soundfile.read(tmp_path / "x.wav")
    assert rate == RATE
    assert len(list(tmp_path.iterdir())) == 1
    assert np.abs(samples[1000:3000]).max() == pytest.approx(0.5, abs=0.01)
    assert np.abs(samples[5000:7000]).max() == pytest.approx(0.25, abs=0.01)


async def test_what_cannot_be_reloaded_is_told_and_the_old_one_sounds_on(phone):
    async def handler(call):
        synth = call.play(beep())
        synth.reload(beep())  # before its first frame
        await asyncio.sleep(0.1)
        with pytest.raises(TypeError, match="reload: 5 is not a patch"):
            synth.reload(5)
        with pytest.raises(ValueError, match="its input 'mic' is not wired"):
            synth.reload(patch(lambda mic: Gain(mic, 1.0))())
        await asyncio.sleep(0.4)
        synth.stop()
        await synth
        with pytest.raises(ValueError, match="has ended; play the new one"):
            synth.reload(beep())

    heard = await ring(phone, handler)
    assert np.abs(heard[1000:4000]).max() == pytest.approx(0.5, abs=0.01)


# --- Python in the graph ----------------------------------------------------------------------------------------------


async def test_a_function_is_heard_320_samples_later_live_and_offline(phone):
    def build():
        return Function(Sine(freq=441) * 0.5, f=lambda x, t: -x if t >= 0.5 else x)

    async def handler(call):
        call.play(build(), fade=0)
        await asyncio.sleep(1)

    heard = await ring(phone, handler)
    tone = 0.5 * np.sin(2 * np.pi * 441 * np.arange(8000) / RATE)
    tone[4000:] *= -1
    first = np.argmax(np.abs(heard) > 0) - 1
    np.testing.assert_allclose(heard[first : first + 7600], tone[:7600], atol=1e-4)
    offline = render(build(), seconds=1)
    np.testing.assert_allclose(offline[480:8000], tone[160:7680], atol=1e-6)
    np.testing.assert_allclose(heard[first + 160 : first + 7600], offline[480:7920], atol=1e-4)


async def test_what_a_function_raises_is_raised_where_it_is_awaited(phone):
    def broken(x, t):
        if t > 0.1:
            raise KeyError("gone")
        return x

    async def handler(call):
        with pytest.raises(KeyError, match="gone"):
            await call.play(Function(Sine(freq=441), f=broken))

    await ring(phone, handler)


def test_a_function_in_a_cycle_is_refused_and_the_reason_said():
    loop = Function(0.0, f=lambda x, t: x)
    loop.input = Gain(loop, 0.5)
    with pytest.raises(ValueError, match="function is in a cycle, and its function is heard some frames late"):
        render(loop, seconds=0.1)


async def test_a_wire_that_would_put_a_function_in_a_cycle_is_refused_while_it_sounds(phone):
    async def handler(call):
        source = Sine(freq=441)
        gain = Gain(source, 0.5)
        half = Gain(Function(gain, f=lambda x, t: x), 0.5)
        call.play(half)
        await asyncio.sleep(0.1)
        with pytest.raises(ValueError, match="function is in a cycle"):
            gain.input = half
        with pytest.raises(ValueError, match="function is in a cycle"):
            gain.gain = Gain(Function(gain, f=lambda x, t: x), 0.5)
        assert gain.input.node is source
        half.gain = gain  # no cycle
        await asyncio.sleep(0.1)

    await ring(phone, handler)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"f": 5}, "function: f is 5; it is a plain function"),
        ({"f": lambda x, t: "loud"}, "function: f gave .* at 0 s; it gives a number for every sample"),
        ({"f": lambda x, t: x[:5], "per": "block"}, "it gives an array of 160 numbers"),
    ],
)
def test_what_is_no_function_of_samples_is_told(values, says):
    with pytest.raises(TypeError, match=says):
        render(Function(Sine(), **values), seconds=0.1)


def test_a_function_of_blocks():
    samples = render(Function(Sine(freq=441), f=lambda block, t: block[::-1] * 0.5, per="block"), seconds=0.1)
    tone = np.sin(2 * np.pi * 441 * np.arange(160) / RATE)
    np.testing.assert_allclose(samples[320:480], tone[::-1] * 0.5, atol=1e-6)


async def test_much_at_once_leaves_nothing_behind(phone):
    async def handler(call):
        listeners = len(call._graph._listeners)
        for _ in range(20):
            filter = Biquad(Noise(amp=0.1), freq=900)
            synth = call.play(filter)
            await asyncio.sleep(0.04)
            filter.freq = 500
            synth.cancel()
        await asyncio.sleep(0.1)
        assert playing(call) == set()
        assert not call._playing
        assert len(call._graph._listeners) == listeners

    await ring(phone, handler)


# --- Whose is what ----------------------------------------------------------------------------------------------------


async def test_a_patch_of_another_call_never_hears_that_caller(phone):
    @patch
    def echo(voice):
        return voice * 1.0

    shared, loose = echo(), []

    async def first(call):
        loose.append(call.voice)
        call.play(shared)
        await asyncio.sleep(0.2)

    async def second(call):
        call.play(shared)
        with pytest.raises(ValueError, match=r"line_in belongs to call [0-9]+, it cannot sound in call"):
            call.play(Gain(loose[0], 1.0))
        await asyncio.sleep(0.5)

    async with phone(first) as p:
        await p.hung_up()
    async with phone(second) as q:
        await q.play(np.full(1600, 0.5))
        await q.hung_up()
    assert np.median(np.array(q.heard)[600:1400]) == pytest.approx(0.5, abs=0.01)


async def test_a_node_is_taken_from_the_moment_it_is_played(phone):
    shared = Sine(freq=441) * 0.3
    refused = []

    async def handler(call):
        try:
            call.play(shared)
        except ValueError as error:
            refused.append(str(error))
        await call.playTone(1000, 0.2)

    async with phone(handler) as p, phone(handler) as q:
        assert await p.hung_up()
        assert await q.hung_up()
    assert len(refused) == 1
    assert "sounds in call" in refused[0]


async def test_a_patch_plays_once_at_a_time(phone):
    async def handler(call):
        made = beep()
        first = call.play(made)
        with pytest.raises(ValueError, match="this beep plays already; make another one"):
            call.play(made)
        first.stop()
        await asyncio.sleep(0.1)
        call.play(made)
        await asyncio.sleep(0.2)

    heard = await ring(phone, handler)
    assert np.abs(heard[1000:2000]).max() > 0.4


def amplified(gain, through_itself=False):
    """A patch; or one that cannot be played, because a function of it is in a cycle."""

    @patch
    def made():
        amplifier = Gain(Sine(freq=441, name="s"), gain, name="g")
        if through_itself:
            amplifier.input = Function(amplifier, f=lambda x, t: x, name="f")
        return amplifier

    return made()


async def test_a_refused_reload_leaves_everything_as_it_was(phone):
    async def handler(call):
        synth = call.play(amplified(0.3))
        await asyncio.sleep(0.1)
        with pytest.raises(ValueError, match="is in a cycle"):
            synth.reload(amplified(0.5, through_itself=True))
        assert synth.patch["g"].gain == pytest.approx(0.3)
        assert synth.patch["g"].input.node is synth.patch["s"]
        await asyncio.sleep(0.3)

    heard = await ring(phone, handler)
    assert np.abs(heard[800:2400]).max() == pytest.approx(0.3, abs=0.01)


async def test_long_chains_can_be_reloaded(phone):
    def chain(prefix):
        @patch
        def made():
            node = Sine(freq=441)
            for k in range(600):
                node = Gain(node, 1.0, name=f"{prefix}{k}")
            return sum([node * 0.001 for _ in range(300)], 0.0)

        return made()

    async def handler(call):
        synth = call.play(chain("a"))
        await asyncio.sleep(0.1)
        synth.reload(chain("b"))
        synth.reload(chain("b"))
        await asyncio.sleep(0.1)

    await ring(phone, handler)


async def test_waiting_for_an_event_takes_nothing_away(phone):
    @patch
    def struck():
        hit = Decay(time=0.3, name="hit")
        return Sine(freq=441) * 0.2, hit.done

    async def handler(call):
        synth = call.play(struck())
        waiting = call.when(synth.patch["hit"].done)
        await asyncio.sleep(0.1)
        waiting.cancel()
        await asyncio.wait_for(synth, 3)
        other = call.play(struck())
        waiting = call.when(other.patch["hit"].done)
        other.stop()
        await asyncio.wait_for(waiting, 3)

    await ring(phone, handler)


async def test_a_function_that_two_play_goes_on_with_the_second(phone):
    async def handler(call):
        shared = Function(Sine(freq=441), f=lambda x, t: x)
        first = call.play(Gain(shared, 0.5))
        await asyncio.sleep(0.2)
        call.play(Gain(shared, 0.25))
        await asyncio.sleep(0.2)
        first.stop()
        await asyncio.sleep(0.5)

    heard = await ring(phone, handler)
    assert np.abs(heard[5000:6800]).max() == pytest.approx(0.25, abs=0.01)


async def test_a_reload_takes_new_samples_and_new_ranges(phone):
    def build(level, top):
        @patch
        def made(x=Param(1.0, "", 0, top)):
            sound = np.full(4000, 0.1)
            sound[1500:2500] = level
            return Sampler(data=sound, name="sound", loop=True) * x

        return made()

    async def handler(call):
        synth = call.play(build(0.25, 1))
        await asyncio.sleep(0.2)
        synth.reload(build(0.75, 1.2))
        synth.x = 1.2
        await asyncio.sleep(0.8)

    heard = await ring(phone, handler)
    assert np.abs(heard[2400:]).max() == pytest.approx(0.9, abs=0.02)


async def test_a_reload_to_an_end_that_has_been_ends(phone):
    def build(ends):
        @patch
        def made():
            hit = Decay(time=0.1, name="hit")
            out = Sine(freq=441) * 0.2 + hit * 0.0
            return (out, hit.done) if ends else out

        return made()

    async def handler(call):
        synth = call.play(build(False))
        await asyncio.sleep(1)
        synth.reload(build(True))
        await asyncio.wait_for(synth, 1)

    await ring(phone, handler)


async def test_a_node_that_fails_when_it_leaves_costs_only_itself(phone, caplog, monkeypatch):
    def broken(self):
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(Sine, "leave", broken)

    async def handler(call):
        call.play(Sine(freq=441))
        await asyncio.sleep(0.1)

    async with phone(handler) as p:
        assert await p.hung_up()
    assert "sine: the disk is gone" in caplog.text


async def test_a_wrong_value_from_another_thread_is_told_there(phone):
    told = []

    async def handler(call):
        synth = call.play(beep())

        def elsewhere(t, delta):
            for value in ("loud", 2, True):
                try:
                    synth.set("level", value)
                except (TypeError, ValueError) as error:
                    told.append(str(error))
            return

        await call.playCustom(elsewhere)

    await ring(phone, handler)
    assert told == ["level is a number, a node or a node's output, not 'loud'", "level: 2 x is outside 0..1",
                    "level is a number, a node or a node's output, not True"]  # fmt: skip


def half(x, t):
    return x * 0.5


async def test_functions_may_be_wired_around_as_long_as_no_cycle_is_written(phone):
    """What fades away at that moment is no part of what is written."""

    async def handler(call):
        tone = Sine(freq=441)
        function = Function(tone, f=half)
        after = Gain(function, 0.5)
        call.play(Mix(after, function))
        await asyncio.sleep(0.1)
        after.input = tone
        function.input = after
        await asyncio.sleep(0.1)
        assert function.input.node is after
        assert after.input.node is tone

    await ring(phone, handler)


async def test_a_cycle_through_a_function_is_refused_within_one_step_too(phone):
    async def handler(call):
        gain, add = Gain(Sine(freq=441), 0.5), Add(0.0, 0.0)
        call.play(Mix(gain, add))
        await asyncio.sleep(0.1)
        gain.input = Function(add, f=half)
        with pytest.raises(ValueError, match="function is in a cycle"):
            add.a = gain
        late = Gain(0.0)
        heard = Mix(Function(late, f=half))
        call.play(heard)
        with pytest.raises(ValueError, match="function is in a cycle"):
            late.input = heard

    await ring(phone, handler)


async def test_what_is_about_to_sound_cannot_be_wired_to_what_sounds_elsewhere(phone):
    taken = []

    async def first(call):
        taken.append(Sine(freq=441))
        call.play(taken[0])
        await asyncio.sleep(1)

    async def second(call):
        await asyncio.sleep(0.2)
        gain = Gain(0.0)
        call.play(gain)
        with pytest.raises(ValueError, match="sounds in call"):
            gain.input = taken[0]
        await call.playTone(1000, 0.2)

    async with phone(first) as p, phone(second) as q:
        await q.hung_up()
        await p.hung_up()
    assert np.abs(np.array(q.heard)).max() > 0.5


async def test_update_takes_over_what_was_changed_behind_a_nodes_back(phone):
    async def handler(call):
        mix, gain = Mix(Sine(freq=441, amp=0.1)), Gain(Sine(freq=300), 0.5)
        call.play(mix)
        call.play(gain)
        await asyncio.sleep(0.1)
        mix.wires["inputs"].append(Sine(freq=1000, amp=0.4).port())
        gain.wires.update(gain=0.0)
        call.update()
        await asyncio.sleep(0.2)
        assert len(mix.inputs) == 2

    heard = await ring(phone, handler)
    after = np.array(heard[1120:2320], float) * np.hanning(1200)
    tones = np.abs(np.fft.rfft(after))
    at = {freq: tones[round(freq * 1200 / 8000)] for freq in (300, 440, 1000)}
    assert at[1000] > 3 * at[440] > 30 * at[300]


async def test_a_reload_that_turns_two_nodes_around_a_function(phone):
    def build(function_first):
        @patch
        def made():
            tone = Sine(freq=441, name="s")
            if function_first:
                return Gain(Function(tone, f=half, name="f"), 0.5, name="g")
            return Function(Gain(tone, 0.5, name="g"), f=half, name="f")

        return made()

    async def handler(call):
        synth = call.play(build(True))
        await asyncio.sleep(0.1)
        synth.reload(build(False))
        await asyncio.sleep(0.3)
        assert synth.patch["f"].input.node is synth.patch["g"]
        assert synth.patch["g"].input.node is synth.patch["s"]

    heard = await ring(phone, handler)
    assert np.abs(heard[2000:3000]).max() == pytest.approx(0.25, abs=0.01)


async def test_a_reload_of_a_constant_that_was_given_no_value(phone):
    @patch
    def made():
        return Sine(freq=Constant(name="c") + 441.0, amp=0.5)

    async def handler(call):
        synth = call.play(made())
        await asyncio.sleep(0.1)
        synth.reload(made())
        await asyncio.sleep(0.2)

    heard = await ring(phone, handler)
    assert np.abs(heard[1000:2000]).max() == pytest.approx(0.5, abs=0.01)


async def test_a_playback_is_no_node(phone):
    async def handler(call):
        playback = call.play(Sine(freq=441))
        with pytest.raises(AttributeError, match=r"Playback has no 'freq'; change the node that plays: node\.freq = "):
            playback.freq = 220
        await asyncio.sleep(0.1)

    await ring(phone, handler)


async def test_a_drawing_is_an_svg_file(phone, tmp_path):
    async def handler(call):
        with pytest.raises(ValueError, match=r"call\.png: its name must end in \.svg"):
            call.draw(tmp_path / "call.png")

    await ring(phone, handler)


async def test_what_plays_in_another_call_is_left_alone(phone):
    """A patch that cannot be played or reloaded here, because it plays there, plays on and can be set there."""

    @patch
    def echoing(voice):
        return Mix(Gain(voice, 0.0), Gain(Sine(freq=441), 0.5, name="g"))

    there = []

    async def first(call):
        there.append(call.play(echoing()))
        await asyncio.sleep(0.5)
        there[0].set("g.gain", 0.25)
        await asyncio.sleep(0.5)

    async def second(call):
        own = call.play(echoing())
        await asyncio.sleep(0.2)
        with pytest.raises(ValueError, match="sounds in call"):
            call.play(there[0].patch)
        with pytest.raises(ValueError, match="this echoing plays already"):
            own.reload(there[0].patch)
        await asyncio.sleep(0.2)

    async with phone(first) as p, phone(second) as q:
        await q.hung_up()
        await p.hung_up()
    heard = np.array(p.heard)
    assert np.abs(heard[2400:3600]).max() == pytest.approx(0.5, abs=0.01)
    assert np.abs(heard[5600:7000]).max() == pytest.approx(0.25, abs=0.01)


async def test_a_patch_whose_reload_was_refused_is_as_it_was(phone):
    async def handler(call):
        synth = call.play(amplified(0.3))
        await asyncio.sleep(0.1)
        other = amplified(0.5, through_itself=True)
        for _ in range(2):
            with pytest.raises(ValueError, match="is in a cycle"):
                synth.reload(other)
            assert other["g"] is not synth.patch["g"]
        other["g"].input = other["s"]
        synth.reload(other)
        await asyncio.sleep(0.2)

    heard = await ring(phone, handler)
    assert np.abs(heard[1600:2200]).max() == pytest.approx(0.5, abs=0.01)


async def test_a_reload_with_a_narrower_range(phone):
    def build(high):
        @patch
        def made(level=Param(0.1, "x", 0, high)):
            return Sine(freq=441) * level

        return made()

    async def handler(call):
        synth = call.play(build(1))
        synth.level = 0.9
        await asyncio.sleep(0.1)
        synth.reload(build(0.2))
        await asyncio.sleep(0.1)
        assert synth.level == 0.1
        parse_patch(synth.patch.to_json())

    await ring(phone, handler)
