"""The scripted phone: what it does, what it hears, and what it says of a script that makes no sense."""

import asyncio

import numpy as np
import psutil
import pytest

from graphvoip import DeviceError, savePCMtoWAV
from graphvoip.client import run
from graphvoip.io.tape import Tape
from graphvoip.io.virtual import Phone, dtmf_tone, parse
from graphvoip.listen import tones
from graphvoip.testing import phone, run_virtual


def ring(handler, script, **options):
    phone = Phone(script=script, **options)
    run(handler, phone)
    return phone


def test_a_script_is_acted_in_its_order(tmp_path, sine):
    savePCMtoWAV(0.5 * sine(600, 0.3), tmp_path / "a b.wav")
    got = []

    async def handler(call):
        await call.playTone(440, 0.5)
        got.append(("key", await call.getDTMF(n=2), call.time))
        voice = await call.recordPCM(maxlen=8000)
        got.append(("voice", round(tones(voice[2000:2400])[0][0])))
        await call.getDTMF()

    phone = ring(handler, f"until tone 440; until quiet; wait 0.5; keys 1#\nplay '{tmp_path}/a b.wav'; wait 1; hangup")
    (_, keys, at), (_, pitch) = got
    assert keys == "1#"
    assert 1.4 < at < 2.0
    assert pitch == pytest.approx(600, abs=2)
    assert phone.ended == "the caller hung up"


def test_after_its_last_step_the_caller_hangs_up():
    async def handler(call):
        try:
            await call.playTone(440, 100)
        finally:
            call_ended.append(await call.ended)

    call_ended = []
    phone = ring(handler, "wait 2")
    assert phone.time == pytest.approx(2, abs=0.05)
    assert call_ended == ["the caller hung up"]


def test_without_a_script_it_listens_until_the_handler_ends():
    async def handler(call):
        await call.playTone(440, 5)

    phone = ring(handler, None)
    assert phone.time == pytest.approx(5, abs=0.05)
    assert phone.ended == "the other side hung up"


def test_without_a_script_it_loses_patience_after_a_minute():
    async def handler(call):
        await call.getDTMF()

    assert ring(handler, None).time == pytest.approx(60, abs=0.1)


def test_what_does_not_happen_is_said():
    async def handler(call):
        await call.getDTMF()

    with pytest.raises(DeviceError, match=r"script: 'until tone 440' did not happen within 60 s"):
        ring(handler, "until tone 440; keys 1")


def test_keys_as_tones(sine):
    async def handler(call):
        await asyncio.sleep(1)

    phone = ring(handler, "wait 0.1; keys 5; wait 0.5", inband=True)
    sound = phone.said[np.flatnonzero(phone.said)[0] :][:700]
    assert sorted(frequency for frequency, _ in tones(sound)) == pytest.approx([770, 1336], abs=3)


@pytest.mark.parametrize("key", "0123456789*#ABCD")
def test_every_keys_two_tones(key):
    rows = {"123A": 697, "456B": 770, "789C": 852, "*0#D": 941}
    columns = {"147*": 1209, "2580": 1336, "369#": 1477, "ABCD": 1633}
    expected = [next(hz for keys, hz in table.items() if key in keys) for table in (rows, columns)]
    assert sorted(frequency for frequency, _ in tones(dtmf_tone(key))) == pytest.approx(expected, abs=3)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("wait 1; kyes 12", "script: step 2: there is no 'kyes'; did you mean 'keys'?"),
        ("dance", "script: step 1: there is no 'dance'; there are wait, keys, play, say, until, hangup"),
        ("wait", "script: step 1, 'wait': wait takes seconds: wait 1.5"),
        ("wait -1", "wait takes seconds"),
        ("keys 12x", "keys takes keys of a telephone"),
        ("keys", "keys takes keys of a telephone"),
        ("say", "say takes words"),
        ("until noon", "until takes quiet, or a tone"),
        ("until tone loud", "until takes quiet, or a tone"),
        ("hangup now", "hangup takes nothing after it"),
        ("play nothing.wav", "nothing.wav"),
        ('say "hello', "script: no closing quotation"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused_before_it_rings(script, says):
    with pytest.raises(DeviceError) as caught:
        parse(script)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_tones_are_found_though_they_came_while_the_caller_was_busy(phone):
    async def handler(call):
        for frequency in (420, 560, 650):
            await call.playTone(frequency, 0.3)

    async with phone(handler) as p:
        await p.wait(3)
        assert await p.hears_tone(420)
        assert await p.hears_tone(650)
        assert not await p.hears_tone(420)  # that was before


async def test_a_tone_before_the_key_is_no_answer_to_it(phone):
    async def handler(call):
        await call.playTone(440, 0.3)
        await call.getDTMF()
        await call.playTone(600, 0.3)

    async with phone(handler) as p:
        await p.wait(0.5)
        await p.press("1")
        assert not await p.hears_tone(440, within=1)


async def test_quiet_and_sound(phone):
    async def handler(call):
        await asyncio.sleep(1)
        await call.playTone(440, 0.5)
        await asyncio.sleep(2)

    async with phone(handler) as p:
        assert not await p.hears_sound(within=0.5)
        assert await p.hears_sound(within=1)
        assert await p.hears_quiet(seconds=1)
        assert 2.4 < p.time < 2.7
        assert not await p.hung_up(within=0.2)
        assert await p.hung_up()


async def test_it_says_what_it_is_told_to_say(phone):
    async def handler(call):
        call.recording = await call.recordPCM(maxlen=16000)

    async with phone(handler) as p:
        await p.say("hello there")
        assert await p.hung_up()
    assert np.std(p.call.recording) > 0.01


def test_a_phone_needs_the_virtual_clock():
    from graphvoip.client import serve

    async def handler(call):
        pass

    with pytest.raises(DeviceError, match="needs the virtual clock"):
        asyncio.run(serve(handler, Phone()))


def test_a_long_call_is_kept_whole_and_takes_no_memory_for_it(sine):
    """Half an hour, of which ten minutes may be in memory: 19 MB for both ways, and not 58."""
    sound = (0.5 * sine(441, 1)).astype(np.float32)

    async def handler(call):
        call.playPCM(sound)
        await call.getDTMF()
        await call.playTone(600, 1)

    async def main():
        async with phone(handler) as p:
            await p.wait(2)
            before = psutil.Process().memory_info().rss
            await p.wait(1800)
            grown = psutil.Process().memory_info().rss - before
            await p.press("1")
            assert await p.hears_tone(600)
            return p, grown

    p, grown = run_virtual(main())
    assert grown < 45e6
    heard = p.heard
    assert len(heard) / 8000 == pytest.approx(1802.2, abs=0.5)
    begin = int(np.argmax(heard != 0))
    np.testing.assert_allclose(heard[begin : begin + 7000], sound[1:7001], atol=2e-4)
    assert not heard[10 * 8000 : 1801 * 8000].any()
    assert tones(heard[-2000:-1000])[0][0] == pytest.approx(600, abs=2)
    assert p.digits == ""


@pytest.mark.parametrize("at", [0, 1, 9_599_998, 9_600_000, 9_600_002, 19_199_000, 19_200_000, 19_300_000])
def test_any_part_of_a_tape_can_be_read_again(at):
    tape, numbers = Tape(), np.arange(9_700_000, dtype="<u2").tobytes()
    for place in range(0, len(numbers), 320):
        tape.append(numbers[place : place + 320])
    assert len(tape) == len(numbers) == 19_400_000
    assert tape.read(at, 1600) == numbers[at : at + 1600]
    assert tape.read(at) == numbers[at:]
