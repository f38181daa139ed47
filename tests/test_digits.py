"""Keys on a call: which way they come, each of them once, and keys that we send."""

import asyncio

import numpy as np
import pytest

from graphvoip import detect_dtmf
from graphvoip.digits import WITHIN, Digits, Key, Presses
from graphvoip.io.virtual import dtmf_tone
from graphvoip.nodes import Dtmf


async def collect(call):
    """A handler that keeps all keys until the caller hangs up."""
    call.got = []
    while True:
        call.got.append(await call.getDTMF())


def together(call):
    return Digits([key for keys in call.got for key in _keys(keys)])


def _keys(digits):
    return [Key(*one) for one in zip(digits, digits.how, digits.times, strict=True)]


# --- How keys come ----------------------------------------------------------------------------------------------------


async def test_keys_in_the_sound_are_keys(phone):
    async with phone(collect, inband=True) as p:
        await p.press("0123456789*#ABCD")
        await p.wait(0.2)
    assert together(p.call) == "0123456789*#ABCD"
    assert set(together(p.call).how) == {"tones"}


async def test_the_string_says_how_and_when_each_key_came(phone):
    async def handler(call):
        call.keys_found = await call.getDTMF(n=3)

    async with phone(handler) as p:
        await p.wait(0.5)
        await p.press("1")
        await p.press("2", inband=True)
        p._leg.on_digit("3", "info")
        assert await p.hung_up()
    found = p.call.keys_found
    assert found == "123"
    assert isinstance(found, str)
    assert found.how == ("event", "tones", "info")
    assert found.times == pytest.approx((0.5, 0.7, 0.9), abs=0.041)
    assert [what for _, what in p.call.history if what.startswith("key")] == [
        "key 1",
        "key 2, by tones",
        "key 3, by info",
    ]


async def test_on_first_and_what_was_typed_ahead_know_it_too(phone):
    async def handler(call):
        first = []
        await call.getDTMF(n=2, on_first=first.append)
        await asyncio.sleep(1)
        call.found = first, call.flushDTMF()

    async with phone(handler, inband=True) as p:
        await p.press("1234")
        assert await p.hung_up()
    (first,), ahead = p.call.found
    assert (first, first.how) == ("1", "tones")
    assert (ahead, ahead.how) == ("34", ("tones", "tones"))


async def test_an_instrument_hears_keys_in_the_sound(phone):
    """They come through the keypad, as all keys do, so that call.keys has them."""
    from graphvoip.nodes import Keymap, Sine

    async def handler(call):
        call.play(Sine(freq=Keymap(call.keys, map={"5": 611})))
        await call.ended

    async with phone(handler, inband=True) as p:
        await p.press("5")
        assert await p.hears_tone(611)


@pytest.mark.parametrize("delay", [-0.2, -0.1, -0.02, 0.0, 0.02, 0.1, 0.2])
@pytest.mark.parametrize("way", ["event", "info"])
async def test_a_key_that_comes_both_ways_is_one(phone, delay, way):
    """delay: of the signal behind the beginning of the tones. Equal keys in a row stay as many as they are."""
    keys = "1225550"

    async def signal(p, key, delay):
        await asyncio.sleep(delay)
        p._leg.on_digit(key, way)

    async with phone(collect, inband=True) as p:
        await p.wait(0.3)
        tasks = []
        for key in keys:
            tasks.append(asyncio.create_task(signal(p, key, 0.2 + delay)))
            await p.wait(0.2)
            p._say(dtmf_tone(key))
            await p.wait(0.1)
        await p.wait(0.5)
    assert together(p.call) == keys


async def test_all_three_ways_at_once_are_one(phone):
    async with phone(collect, inband=True) as p:
        await p.wait(0.1)
        for key in "77":
            p._leg.on_digit(key, "event")
            await p.press(key)
            p._leg.on_digit(key, "info")
            await p.wait(0.2)
        await p.wait(0.5)
    assert together(p.call) == "77"


async def test_a_key_held_for_long_is_one_when_its_info_comes_at_its_end(phone):
    async with phone(collect, inband=True) as p:
        p._say(dtmf_tone("9", 3.0))
        await p.wait(3.05)
        p._leg.on_digit("9", "info")
        await p.wait(0.5)
    assert together(p.call) == "9"


async def test_the_same_key_much_later_another_way_is_another(phone):
    async with phone(collect, inband=True) as p:
        await p.press("4")
        await p.wait(WITHIN + 0.3)
        p._leg.on_digit("4", "event")
        await p.wait(0.2)
    assert together(p.call) == "44"
    assert together(p.call).how == ("tones", "event")


def test_presses_forget():
    presses = Presses()
    for k in range(10000):
        assert presses.is_new("5", "tones", float(k), k - 0.05)
        presses.released(k + 0.1)
    assert len(presses.known) < 10


async def test_the_sound_is_not_listened_to_once_a_key_has_come_as_an_agreed_event(phone):
    async with phone(collect) as p:
        await p.press("1", inband=True)
        assert any(isinstance(node, Dtmf) for node in p.call._graph.roots)
        p._leg.tones = False  # as the leg of a SIP call says after an event
        await p.press("2")
        assert not any(isinstance(node, Dtmf) for node in p.call._graph.roots)
        await p.press("3", inband=True)
        await p.wait(0.2)
    assert together(p.call) == "12"


async def test_speech_is_no_key(phone):
    rng = np.random.default_rng(1)
    async with phone(collect) as p:
        await p.play(0.3 * rng.uniform(-1, 1, 16000))
    assert together(p.call) == ""


# --- Keys that we send ------------------------------------------------------------------------------------------------


async def test_keys_are_sent_as_events_where_those_are_agreed_on(phone):
    async def handler(call):
        await call.sendDTMF("12-3, #a")
        call.took = call.time

    async with phone(handler) as p:
        assert await p.hung_up()
    assert p.digits == "123#A"
    assert not np.any(p.heard)
    assert p.call.took == pytest.approx(5 * 0.2 + 1, abs=0.05)
    assert [at for at, _ in p._sent] == pytest.approx([0, 0.2, 0.4, 1.6, 1.8], abs=0.05)


async def test_keys_are_sent_as_tones_elsewhere_and_where_we_say_so(phone):
    async def handler(call):
        await call.sendDTMF("0123456789*#ABCD", how="tones", on=0.07, off=0.05)

    for inband in (True, False):
        async with phone(handler, inband=inband) as p:
            assert await p.hung_up()
        assert p.digits == "0123456789*#ABCD"
        begins = [begin for _, begin, _ in detect_dtmf(p.heard)]
        assert np.diff(begins) == pytest.approx(0.12, abs=0.002)


async def test_sending_can_be_cut_off(phone):
    async def handler(call):
        for how in ("events", "tones"):
            sending = call.sendDTMF("123456", how=how)
            await asyncio.sleep(0.31)
            sending.stop()
            await sending
            other = call.sendDTMF("789", how=how)
            await asyncio.sleep(0.31)
            assert other.cancel()
            await asyncio.sleep(0.5)

    async with phone(handler) as p:
        assert await p.hung_up(10)
    assert p.digits == "12781278"


async def test_sending_ends_with_the_call(phone):
    async def handler(call):
        call.sending = call.sendDTMF("1" * 100)
        await call.sending

    async with phone(handler) as p:
        await p.wait(0.5)
        p.hangup()
        await p.wait(0.1)
        assert p.call.sending.cancelled()
    assert p.digits == "111"


async def test_our_own_tones_that_come_back_are_no_keys(phone):
    """A line's echo, 10 dB down, 60 ms late."""

    async def handler(call):
        call.got = []
        asyncio.get_running_loop().create_task(collect_more(call))
        await call.sendDTMF("159", how="tones")
        await asyncio.sleep(1)

    async def collect_more(call):
        while True:
            call.got.append(await call.getDTMF())

    async with phone(handler) as p:
        while not p.ended:
            p._say(0.3 * p.heard[-480:-320])
            await p._next_frame()
    assert [event for _, event in p.call.history if event.startswith("key")] == []


async def test_what_cannot_be_sent_is_told(phone):
    async def handler(call):
        for wrong, text in [("12x", "'X' is no key"), (12, "12 is no string of keys")]:
            with pytest.raises((TypeError, ValueError), match=f"sendDTMF: {text}"):
                call.sendDTMF(wrong)
        with pytest.raises(ValueError, match="sendDTMF: how is 'inband'; it is 'events', 'tones' or None"):
            call.sendDTMF("1", how="inband")
        with pytest.raises(ValueError, match="the far end has not agreed on telephone events; how='tones' plays them"):
            call.sendDTMF("1", how="events")
        with pytest.raises(ValueError, match="sendDTMF: on is -1; it is a number from 0 to 10"):
            call.sendDTMF("1", on=-1)
        await call.sendDTMF("")

    async with phone(handler, inband=True) as p:
        assert await p.hung_up()
    assert p.digits == ""
