"""runVoipClient, the choice of a far end, limits, one_at_a_time."""

import asyncio
import os
import subprocess
import sys
import textwrap

import pytest

from graphvoip import DeviceError, one_at_a_time
from graphvoip.client import Exchange, choose_device, serve, uri_of
from graphvoip.clock import run_virtual
from graphvoip.engine import Engine
from graphvoip.io.virtual import Phone
from graphvoip.listen import level

HELLO = """
    from voip import runVoipClient

    async def handler(call):
        await call.playTone(420, .5)
        print("from", call.getRemoteUri())
        {more}

    if __name__ == "__main__":
        runVoipClient(handler)
        print("end")
"""


def program(more="", arguments=(), **environment):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(HELLO).format(more=more), *arguments],
        env=os.environ | {"GRAPHVOIP_DEVICE": "virtual"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_script_rings_once_and_ends():
    done = program()
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ['from "5556667777" <sip:5556667777@localhost>', "end"]
    assert "ended after 0.5 s" in done.stderr


def test_the_first_argument_is_the_callers_number():
    assert '"4477" <sip:4477@localhost>' in program(arguments=["4477"]).stdout


def test_the_callers_script_comes_from_the_environment():
    done = program("print(await call.getDTMF(n=4))", GRAPHVOIP_SCRIPT="wait 1; keys 1234")
    assert "1234" in done.stdout.splitlines()


def test_an_exception_in_the_handler_is_a_traceback_with_the_calls_id_and_status_1():
    done = program("raise LookupError('mine')")
    assert done.returncode == 1
    assert "call 1: the handler failed" in done.stderr
    assert "LookupError: mine" in done.stderr
    assert "end" not in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        (
            {"GRAPHVOIP_DEVICE": "telegraph"},
            "graphvoip: GRAPHVOIP_DEVICE is 'telegraph'; it is one of virtual, pyaudio, pjsip",
        ),
        ({"GRAPHVOIP_SCRIPT": "kyes 1"}, "graphvoip: script: step 1: there is no 'kyes'; did you mean 'keys'?"),
    ],
)
def test_a_bad_environment_is_one_line(environment, says):
    done = program(**environment)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == says
    assert "Traceback" not in done.stderr


def test_the_device_is_the_environments(monkeypatch):
    monkeypatch.setenv("GRAPHVOIP_DEVICE", "virtual")
    assert choose_device().name == "virtual"
    monkeypatch.setenv("QUECEY_VOIP_REAL", "1")
    assert choose_device().name == "virtual"  # the name is the more exact wish
    monkeypatch.delenv("GRAPHVOIP_DEVICE")
    assert choose_device(5070).name == "pjsip"
    with pytest.raises(DeviceError):
        choose_device(name="carrier pigeon")


def test_above_the_limit_the_line_is_busy():
    async def handler(call):
        await asyncio.sleep(5)

    async def main():
        engine = Engine()
        engine.start()
        exchange = Exchange(handler, engine, limit=2)
        phones = [Phone(str(n)) for n in range(4)]
        for phone in phones:
            await phone.open(engine, exchange.incoming)
        busy = [phone.busy for phone in phones]
        phones[0].hangup()
        await asyncio.sleep(0.1)
        late = Phone("late")
        await late.open(engine, exchange.incoming)
        await exchange.close()
        engine.stop()
        return busy, late.busy

    assert run_virtual(main()) == ([False, False, True, True], False)


def test_serve_ends_when_the_call_is_over_and_waits_for_finally():
    done = []

    async def handler(call):
        try:
            await call.getDTMF()
        finally:
            await asyncio.sleep(1)  # clearing up takes its time
            done.append(True)

    run_virtual(serve(handler, Phone(script="wait 1; hangup")))
    assert done == [True]


async def test_one_at_a_time(phone):
    @one_at_a_time
    async def handler(call):
        """Talks to one."""
        await call.getDTMF()
        await call.playTone(440, 0.5)

    assert handler.__name__ == "handler"
    assert handler.__doc__ == "Talks to one."
    async with phone(handler) as first, phone(handler) as second:
        assert await second.hung_up(within=10)  # it has heard the message
        assert 1.5 < second.time < 8
        assert level(second.heard) > -30
        await first.press("1")
        assert await first.hears_tone(440)
    async with phone(handler) as third:  # and then it is free again
        await third.press("1")
        assert await third.hears_tone(440)


async def test_after_a_hangup_the_next_one_is_served(phone):
    @one_at_a_time
    async def handler(call):
        await call.playTone(440, 60)

    async with phone(handler) as first:
        assert await first.hears_tone(440)
    async with phone(handler) as second:
        assert await second.hears_tone(440)


def plain(call):
    call.playTone(440, 1)


async def with_yield(call):
    yield call


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (plain, r"the handler plain is not a coroutine function; write 'async def plain\(call\)'"),
        (with_yield, "the handler with_yield has a 'yield' in it, so it never runs"),
    ],
)
async def test_handler_that_is_no_coroutine_function_fails_with_the_remedy(phone, handler, says):
    async def ring():
        async with phone(handler) as p:
            await p.hung_up()

    with pytest.raises(TypeError, match=says):
        await ring()


def test_a_handler_must_be_a_function():
    with pytest.raises(TypeError, match="async def handler"):
        Exchange(5, None)  # type: ignore[arg-type]


def test_uris():
    assert uri_of("123") == '"123" <sip:123@localhost>'


@pytest.mark.parametrize("name", ["pyaudio", "pjsip"])
def test_windows_is_refused_in_one_line(name, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(
        DeviceError, match=f"^device '{name}' is not supported on Windows yet: expected Linux or macOS. "
    ):
        choose_device(name=name)


def test_windows_without_a_device_rings_a_scripted_caller(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    for name in ("GRAPHVOIP_DEVICE", "QUECEY_VOIP_REAL"):
        monkeypatch.delenv(name, raising=False)
    assert choose_device().name == "virtual"
