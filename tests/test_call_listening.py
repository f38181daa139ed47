"""What a call listens for: the end of what is said, and events of nodes."""

import asyncio

import numpy as np
import pytest

from graphvoip import RecordController
from graphvoip.io.wav import load
from graphvoip.nodes import Answering, Beep, CallProgress, DialTone, Sine, Tone, VoiceActivity
from graphvoip.palette import SPEECH
from graphvoip.plan import Plan

RATE = 8000
WORDS = load(SPEECH)[RATE:]


async def test_a_recording_ends_when_the_caller_falls_silent(phone):
    async def handler(call):
        call.recording = await call.recordPCM(silence=1.5)

    async with phone(handler) as p:
        await p.wait(1)
        await p.play(WORDS)
        end = p.time
        assert await p.hung_up(within=10)
        assert p.time - end == pytest.approx(1.5, abs=0.3)
    heard = np.array(p.call.recording)
    assert any(np.array_equal(heard, p.said[lag : lag + len(heard)]) for lag in (0, 160, 320))  # all that was said
    assert len(heard) > RATE + len(WORDS)


async def test_a_pause_that_is_shorter_does_not_end_it(phone):
    async def handler(call):
        call.recording = await call.recordPCM(silence=1.5)

    async with phone(handler) as p:
        await p.play(WORDS)
        await p.wait(1.0)
        await p.play(WORDS)
        end = p.time
        assert await p.hung_up(within=10)
        assert p.time - end == pytest.approx(1.5, abs=0.3)


@pytest.mark.parametrize(("silence", "gives_up"), [(1.5, 5.0), (8.0, 8.0)])
async def test_it_gives_up_when_nobody_speaks(phone, silence, gives_up):
    async def handler(call):
        controller = RecordController()
        assert await call.recordPCM(controller, silence=silence) == []
        call.kept = controller.recorded

    async with phone(handler) as p:
        assert await p.hung_up(within=20)
        assert p.time == pytest.approx(gives_up, abs=0.1)
    assert len(p.call.kept) == pytest.approx(RATE * gives_up, abs=400)


async def test_the_other_ends_of_a_recording_stay(phone):
    async def handler(call):
        before = list(call._graph.roots)
        call.lengths = [len(await call.recordPCM(maxlen=4000, silence=1.5))]
        controller = RecordController()
        recording = call.recordPCM(controller, silence=1.5)
        await asyncio.sleep(0.5)
        controller.stop()
        call.lengths.append(len(await recording))
        await asyncio.sleep(8)  # no timer of theirs is left
        assert list(call._graph.roots) == before

    async with phone(handler) as p:
        await p.play(WORDS)
        assert await p.hung_up(within=20)
    assert p.call.lengths == [4000, pytest.approx(4000, abs=320)]


@pytest.mark.parametrize("silence", [0, 11, "long", -1, float("nan")])
async def test_a_wrong_silence_is_refused(phone, silence):
    async def handler(call):
        with pytest.raises(ValueError, match=r"recordPCM: silence is .*; it is a number of seconds, 0\.1 to 10"):
            call.recordPCM(silence=silence)

    async with phone(handler) as p:
        assert await p.hung_up()


async def test_the_verdict_on_who_has_answered_is_awaited(phone):
    async def handler(call):
        before = list(call._graph.roots)
        call.verdict = await call.when(Answering(VoiceActivity(call.voice, hangover=0.05)).verdict)
        call.beep = await asyncio.wait_for(call.when(Beep(call.voice).beep), 10)
        await asyncio.sleep(0.1)
        assert list(call._graph.roots) == before

    async with phone(handler) as p:
        await p.play(np.tile(WORDS, 2))
        await p.play(0.3 * np.sin(2 * np.pi * 1000 * np.arange(4000) / RATE))
        assert await p.hung_up(within=10)
    assert p.call.verdict == 2  # a machine
    assert p.call.beep == pytest.approx(1000, abs=5)


async def test_whichever_of_two_events_comes_first(phone):
    async def handler(call):
        ear = CallProgress(call.voice, country="us")
        events = {call.when(ear.busy): "busy", call.when(ear.ringback): "ringback"}
        done, _ = await asyncio.wait(events, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        call.first = [events[one] for one in done]
        assert ear in call._graph.roots  # the other one is awaited still

    async with phone(handler) as p:
        t = np.arange(3 * RATE) / RATE
        await p.play(0.05 * (t % 1 < 0.5) * (np.sin(2 * np.pi * 480 * t) + np.sin(2 * np.pi * 620 * t)))
        assert await p.hung_up()
    assert p.call.first == ["busy"]


async def test_the_end_of_a_tone_that_plays_can_be_awaited(phone):
    async def handler(call):
        tone = Tone(freq=441, seconds=0.3)
        call.play(0.5 * tone, until=tone)
        await call.when(tone.done)
        call.at = call.time

    async with phone(handler) as p:
        assert await p.hung_up()
    assert p.call.at == pytest.approx(0.32, abs=0.021)


async def test_what_is_no_event_is_refused(phone):
    async def handler(call):
        with pytest.raises(TypeError, match=r"when: .* is not an event of a node; write node\.name"):
            call.when(Sine())
        with pytest.raises(ValueError, match="call_progress: 'input' must be given"):
            call.when(CallProgress().busy)

    async with phone(handler) as p:
        assert await p.hung_up()


async def test_the_end_of_the_call_cancels_it(phone):
    async def handler(call):
        call.future = call.when(CallProgress(DialTone()).busy)
        await call.future

    async with phone(handler) as p:
        await p.wait(0.1)
    assert p.call.future.cancelled()


async def leaves_a_message(call, country):
    """Wait for a machine and its beep; docs/signals.md has it."""
    ear = CallProgress(call.voice, country=country)
    verdict = Answering(VoiceActivity(call.voice, hangover=0.05), tone=ear.tone).verdict
    told = {call.when(getattr(ear, name)): name for name in ("busy", "reorder", "sit")} | {
        call.when(verdict): "verdict"
    }
    (first, *_), _ = await asyncio.wait(told, return_when=asyncio.FIRST_COMPLETED)
    call.told = told[first], first.result()
    if call.told == ("verdict", 2):
        call.beep = await asyncio.wait_for(call.when(Beep(call.voice, tone=ear.tone).beep), 10)


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(("country", "kind"), [
    ("fr", "busy"), ("it", "busy"), ("es", "busy"), ("ch", "busy"), ("nl", "busy"), ("jp", "busy"), ("uk", "reorder"),
    ("us", "busy"), ("uk", "busy"), ("de", "busy"), ("au", "busy"), ("us", "sit_vacant"), ("uk", "sit"),
])  # fmt: skip
async def test_handler_on_a_line_of_tones_hears_the_tone_and_no_machine(phone, run_of, country, kind, own):
    async def handler(call):
        await leaves_a_message(call, country if own else "any")

    async with phone(handler, line="pcmu") as p:
        await p.play(run_of(DialTone(country=country, kind=kind), 350))
        assert await p.hung_up(within=10)
    usual = "reorder" if (country, own) == ("es", False) else kind.split("_")[0]
    assert p.call.told[0] == usual
    assert not hasattr(p.call, "beep")


@pytest.mark.parametrize("pitch", [425, 440, 1000, 1400])
@pytest.mark.parametrize("country", ["fr", "any"])
async def test_handler_after_ringback_and_a_greeting_waits_for_the_beep(phone, run_of, country, pitch):
    async def handler(call):
        await leaves_a_message(call, country)

    async with phone(handler, line="pcmu") as p:
        await p.play(run_of(DialTone(country="fr", kind="ringback"), 100))
        await p.play(np.concatenate([WORDS, WORDS, np.zeros(4000)]))
        await p.play(0.3 * np.sin(2 * np.pi * pitch * np.arange(4000) / RATE))
        assert await p.hung_up(within=10)
    assert p.call.told == ("verdict", 2)
    assert p.call.beep == pytest.approx(pitch, abs=5)


@pytest.fixture
def run_of():
    """run_of(node, frames): its samples."""

    def play(node, frames):
        plan, found = Plan([node]), []
        for _ in range(frames):
            plan.run()
            found.append(node.samples().copy())
        return np.concatenate(found)

    return play
