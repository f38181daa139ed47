"""Handlers that hold everything up: the virtual clock ends them, and Ctrl-C and SIGTERM always end the program."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from graphvoip import watchdog
from graphvoip.clock import run_virtual


@pytest.fixture
def soon(monkeypatch):
    """The watchdog loses patience after 0.3 s of processor time."""
    monkeypatch.setattr(watchdog, "MAX_BUSY_S", 0.3)
    monkeypatch.setattr(watchdog, "POLL_S", 0.05)
    monkeypatch.setattr(watchdog, "REPEAT_S", 0.1)


def burn(seconds):
    """Take processor time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


async def ring(phone, handler):
    async with phone(handler) as p:
        await p.press("1")
        await p.hung_up(within=60)


# --- On the virtual clock ---------------------------------------------------------------------------------------------


async def awaits_nothing(call):
    while True:
        await call.playTone(440, 0)


async def spins(call):
    while True:
        pass


async def spins_and_swallows(call):
    while True:
        try:
            await call.sendDTMF("")
        except Exception:
            pass


async def spins_in_a_task(call):
    async with asyncio.TaskGroup() as group:
        group.create_task(spins(call))


async def spins_in_threads(call):
    while True:
        await asyncio.to_thread(burn, 0)


async def spins_in_a_sound(call):
    await call.playCustom(lambda t, delta: burn(1e9))


async def spins_at_a_key(call):
    await call.getDTMF(on_first=lambda key: burn(1e9))


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (awaits_nothing, r"for 0.3 s .*py, line 44, in awaits_nothing: await call.playTone\(440, 0\)"),
        (spins, "for 0.3 s .*py, line 4[89], in spins"),
        (spins_and_swallows, "for 0.3 s .*py, line 5[3456], in spins_and_swallows"),
        (spins_in_threads, r"while it gave 10000 jobs to threads.*py, line 67, in spins_in_threads: await"),
        (spins_in_a_sound, "for 0.3 s .*py, line (28|29|30), in burn"),
        (spins_at_a_key, "for 0.3 s .*py, line (28|29|30), in burn"),
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it may fall into a weakref's callback
async def test_handler_that_lets_no_time_pass_ends_with_an_error_that_names_the_line(phone, soon, handler, says):
    with pytest.raises(RuntimeError, match="the handler let no time pass " + says):
        await ring(phone, handler)


@pytest.mark.parametrize(("module", "is_stopped"), [("numba.core.compiler", False), ("numbas", True)])
async def test_handler_whose_kernels_are_compiled_is_not_stopped(phone, soon, module, is_stopped):
    """However long it takes: here three times as long as a handler may compute."""
    exec("def work(): burn(1)", compiler := {"burn": burn, "__name__": module})

    async def handler(call):
        await call.getDTMF()
        compiler["work"]()

    with pytest.raises(RuntimeError, match="let no time pass") if is_stopped else contextlib.nullcontext():
        await ring(phone, handler)


async def test_task_that_lets_no_time_pass_is_stopped_where_it_is_awaited(phone, soon):
    with pytest.raises(BaseExceptionGroup) as caught:
        await ring(phone, spins_in_a_task)
    assert "in spins" in str(caught.value.exceptions[0])


async def test_other_calls_outlive_a_handler_that_is_stopped(phone, soon):
    async def fine(call):
        await call.getDTMF()
        await call.playTone(440, 1)

    async with phone(fine) as good:
        with pytest.raises(RuntimeError, match="let no time pass"):
            await ring(phone, spins)
        await good.press("1")
        assert await good.hears_tone(440)


async def test_handler_that_waits_for_a_program_is_not_stopped(phone, soon):
    async def handler(call):
        subprocess.run([sys.executable, "-c", "import numpy"], check=True)  # stands for a breakpoint
        await call.playTone(440, 1)

    async with phone(handler) as p:
        assert await p.hears_tone(440)


async def test_handler_may_take_its_time_in_every_frame(phone, soon):
    async def handler(call):
        for _ in range(5):
            burn(0.1)
            await asyncio.sleep(0.02)
        await call.playTone(440, 1)

    async with phone(handler) as p:
        assert await p.hears_tone(440)


async def test_test_itself_may_take_its_time(phone, soon):
    async def handler(call):
        await call.playTone(440, 1)

    async with phone(handler) as p:
        burn(1)
        assert await p.hears_tone(440)


def test_error_is_raised_where_nothing_else_runs(soon):
    async def main():
        await asyncio.create_task(spins(None))

    with pytest.raises(watchdog.Blocked, match="in spins"):
        run_virtual(main())


# --- Programs ---------------------------------------------------------------------------------------------------------

# A far end on the real clock that calls once and never hangs up.
LIVE = """
    from graphvoip.client import run
    from graphvoip.io import Leg
    from graphvoip.rings import LineRing

    class Caller:
        name, limit = "caller", 1

        async def open(self, engine, incoming):
            leg = Leg("sip:a@b", LineRing())
            leg.hangup = lambda: None
            incoming(leg)

        async def closed(self):
            await asyncio.Event().wait()

        async def close(self):
            pass

    run(handler, Caller())
"""

VIRTUAL = """
    from graphvoip import runVoipClient

    runVoipClient(handler)
"""

BUSY = """
    import asyncio, logging
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    async def handler(call):
        print("here", flush=True)
        while True:
            await call.playTone(440, 0)
"""

STUBBORN = """
    import asyncio, logging

    async def handler(call):
        print("here", flush=True)
        while True:
            try:
                await call.playTone(440, 0)
            except BaseException:
                pass
"""

PATIENT = """
    import asyncio, logging
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    async def handler(call):
        print("here", flush=True)
        try:
            await call.getDTMF()
        finally:
            print("finally", flush=True)
"""


def start(folder, *parts, command=()):
    """Start a program, or a command with it, and wait until its handler runs."""
    file = folder / "program.py"
    file.write_text("".join(textwrap.dedent(part) for part in parts))
    program = subprocess.Popen(
        [sys.executable, *command, str(file)],
        env=os.environ | {"GRAPHVOIP_DEVICE": "virtual"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.default_int_handler
        ),  # a job in the background ignores it
    )
    while "here" not in (line := program.stdout.readline()):
        assert line, program.stderr.read()
    return program


def ended(program):
    """Its status, and what it has said."""
    out, err = program.communicate(timeout=60)
    return program.returncode, out + err


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("far_end", [LIVE, VIRTUAL], ids=["live", "virtual"])
def test_one_signal_ends_a_program_whose_handler_is_busy(tmp_path, far_end, number, status):
    program = start(tmp_path, BUSY, far_end)
    program.send_signal(number)
    code, said = ended(program)
    assert code == status
    assert "program.py, line 8, in handler: await call.playTone(440, 0)" in said


def test_a_command_ends_too(tmp_path):
    program = start(tmp_path, BUSY, command=("-m", "graphvoip", "call"))
    program.send_signal(signal.SIGTERM)
    assert ended(program)[0] == 143


def test_a_second_signal_ends_a_program_that_swallows_everything(tmp_path):
    program = start(tmp_path, STUBBORN, LIVE)
    program.send_signal(signal.SIGINT)
    program.send_signal(signal.SIGTERM)
    assert ended(program)[0] in (130, 143)


def test_the_first_signal_ends_calls_in_good_order(tmp_path):
    program = start(tmp_path, PATIENT, LIVE)
    program.send_signal(signal.SIGTERM)
    code, said = ended(program)
    assert code == 0
    assert "finally" in said
    assert "stopped" in said.splitlines()


def test_pytest_ends_too(tmp_path):
    test = """
    async def test_busy(phone):
        async with phone(handler) as p:
            await p.hung_up()
    """
    program = start(tmp_path, BUSY, test, command=("-m", "pytest", "-s", "-p", "no:cacheprovider"))
    while program.poll() is None:  # the first one asks the test to end, another one ends it
        program.send_signal(signal.SIGINT)
        try:
            program.wait(0.5)
        except subprocess.TimeoutExpired:
            pass
    assert program.returncode in (2, -signal.SIGINT)  # one more may have come while pytest told of it


def test_a_handler_has_ten_seconds_of_processor_time_to_let_time_pass(tmp_path):
    code, said = ended(start(tmp_path, BUSY, VIRTUAL))
    assert code == 1
    assert "the handler let no time pass for 10 s of processor time" in said
    assert "program.py, line 8, in handler: await call.playTone(440, 0)" in said


def test_first_signal_has_2_s_to_turn_the_loop_and_an_interrupted_program_5_s_to_end():
    waited, coming = [], [signal.SIGTERM, signal.SIGTERM, 0]  # 0: the program goes on

    class Turned:
        def wait(self, timeout=None):
            waited.append(timeout)
            return True

    class Signals:
        def get(self, timeout=None):
            waited.append(timeout)
            return coming.pop(0)

    stopping = watchdog.Stopping()
    stopping._turned, stopping._signals = Turned(), Signals()
    stopping._supervise()
    assert waited[1:] == [2, None, 5]
