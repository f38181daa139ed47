"""The audio thread: plans change under it, memory is freed behind it, events come back, and it stops when it should."""

import asyncio
import gc
import signal
import subprocess
import sys
import textwrap
import threading
import weakref

import numpy as np
import pytest

from graphvoip.clock import VirtualLoop
from graphvoip.engine import Engine
from graphvoip.graph import Graph
from graphvoip.nodes import Gain, LineOut, Mix, Pcm, Recorder, Sine, Tone
from graphvoip.rings import OUT_WRITTEN, LineRing, Wake


def virtual(main):
    """Run main(engine) on the virtual clock."""

    async def run():
        engine = Engine()
        engine.start()
        try:
            return await main(engine)
        finally:
            engine.stop()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(run())


async def frames(engine, count):
    """Wait until the engine has run so many frames more."""
    end = engine.stats().frames + count
    while engine.stats().frames < end:
        await asyncio.sleep(0.005)


async def freed(references, seconds=60.0):
    """Wait until all of these are gone."""
    end = asyncio.get_running_loop().time() + seconds
    while any(one() is not None for one in references) and asyncio.get_running_loop().time() < end:
        gc.collect()
        await asyncio.sleep(0.02)
    return all(one() is None for one in references)


def test_events_are_stamped_with_their_sample_and_told_on_the_loop():
    async def main(engine):
        told = []
        graph = Graph()
        engine.add(graph)
        await asyncio.sleep(0.1)
        tone = Tone(freq=441, seconds=0.0501)  # 401 samples
        graph.add(Mix(tone))
        graph.listen(tone, "done", lambda sample, value: told.append((sample, threading.current_thread())))
        await asyncio.sleep(0.1)
        return told

    ((sample, thread),) = virtual(main)
    assert sample == 800 + 400
    assert thread is threading.main_thread()


def test_an_exception_in_a_listener_is_logged_and_the_others_are_told(caplog):
    async def main(engine):
        told = []
        graph = Graph("call 7")
        engine.add(graph)
        for n in range(3):
            tone = Tone(freq=441, seconds=0.05)
            graph.add(Mix(tone))
            graph.listen(tone, "done", lambda sample, value, n=n: told.append(n) if n != 1 else 1 / 0)
        await asyncio.sleep(0.2)
        return told

    assert sorted(virtual(main)) == [0, 2]
    assert "call 7: an event could not be handled" in caplog.text


def test_edits_of_one_step_are_one_plan():
    async def main(engine):
        graph = Graph()
        engine.add(graph)
        await asyncio.sleep(0.1)
        before, plan = engine._generation, graph.plan
        for _ in range(50):
            graph.add(Mix(Sine()))
        assert graph.plan is plan
        await asyncio.sleep(0.02)
        return engine._generation - before, len(graph.plan.nodes)

    assert virtual(main) == (1, 100)


def test_a_recorder_misses_no_sample_over_fifty_edits():
    async def main(engine):
        graph = Graph()
        engine.add(graph)
        tape = Recorder(Pcm(data=np.arange(20000, dtype=np.float32)))
        graph.add(tape)
        for _ in range(50):
            other = Mix(Sine(), tape.input)
            graph.add(other)
            await asyncio.sleep(0.02)
            graph.remove(other)
            await asyncio.sleep(0.02)
        return tape.recorded()

    recorded = virtual(main)
    np.testing.assert_array_equal(recorded, np.arange(len(recorded)))
    assert len(recorded) >= 100 * 160


@pytest.mark.parametrize("clock", ["virtual", "live"])
def test_nodes_that_have_left_are_freed_when_the_thread_is_past_them(clock, live):
    async def main(engine):
        graph = Graph()
        engine.add(graph)
        root = Mix(Gain(Sine(), 0.25))
        graph.add(root)
        gone = [weakref.ref(root), weakref.ref(root.inputs[0].node)]
        await asyncio.sleep(0.1)
        graph.remove(root)
        del root
        assert all(one() is not None for one in gone)  # the thread may be in them at this very moment
        assert await freed(gone)
        engine.remove(graph)
        gone = [weakref.ref(graph)]
        del graph
        assert await freed(gone)

    virtual(main) if clock == "virtual" else live(lambda engine, call: main(engine))


def test_a_loose_wake_is_closed_only_behind_the_thread(live):
    async def test(engine, call):
        wake = Wake()
        gone = [weakref.ref(wake)]
        engine.add_wake(wake, after=3)
        await frames(engine, 3)
        assert wake.take() % 3 == 0
        engine.remove_wake(wake)
        del wake
        assert await freed(gone)

    live(test)


def test_wakes_before_and_after_the_tick(live):
    async def test(engine, call):
        wake = Wake()
        engine.add_wake(wake, before=1, after=1 << 32)
        await frames(engine, 20)
        engine.remove_wake(wake)
        await frames(engine, 2)
        total = wake.take()
        return total & 0xFFFFFFFF, total >> 32

    before, after = live(test)
    assert 18 <= after <= 23
    assert abs(before - after) <= 1


def test_live_and_virtual_are_the_same_samples(live):
    """The same graph, edited at the same frame of its own clock, recorded on both clocks."""

    def build(graph):
        feedback = Gain(0.0, 0.4)
        total = Mix(Gain(Sine(freq=441.7), 0.3), Tone(freq=600, seconds=0.2), feedback)
        feedback.input = total
        tape = Recorder(LineOut(total), limit=8000)
        graph.add(tape)
        return tape

    async def main(engine):
        graph = Graph()
        tape = build(graph)
        done = asyncio.Event()
        engine.add(graph)
        graph.listen(tape, "done", lambda sample, value: done.set())
        await done.wait()
        return tape.recorded()

    one, other = virtual(main), live(lambda engine, call: main(engine))
    assert len(one) == 8000
    np.testing.assert_array_equal(one, other)


def test_a_thousand_edits_while_it_runs(live):
    """Random adds and removes under a live thread: every frame comes, and the tone under test never breaks."""

    async def test(engine, call):
        ring = LineRing()
        graph = Graph()
        tape = Recorder(Sine(freq=441))
        graph.add(tape)
        graph.add(LineOut(tape.input.node, ring=ring))
        engine.add(graph)
        random = np.random.default_rng(3)
        others = []
        for n in range(1000):
            if others and random.random() < 0.5:
                graph.remove(others.pop(random.integers(len(others))))
            else:
                feedback = Gain(0.0, 0.5)
                total = Mix(
                    *[Sine(freq=float(random.integers(20, 4000))) for _ in range(random.integers(1, 5))], feedback
                )
                feedback.input = total
                others.append(total)
                graph.add(total)
            if n % 5 == 0:
                await asyncio.sleep(0)
            if n % 50 == 0:
                await frames(engine, 1)
        await frames(engine, 2)
        return tape.recorded().copy(), ring.words[OUT_WRITTEN], int(graph.clock[0])

    recorded, written, clock = live(test)
    expected = np.sin(2 * np.pi * 441 * np.arange(len(recorded)) / 8000)
    np.testing.assert_allclose(recorded, expected, atol=1e-5)
    assert abs(written - clock) <= 1


def script(text, *, signals=(), wait_for="ready"):
    """Run a program; send it signals once it has said that it is ready. Its exit code, output and errors."""
    program = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(text)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    out = ""
    if signals:
        for line in program.stdout:
            out += line
            if wait_for in line:
                break
        for number in signals:
            program.send_signal(number)
    rest, errors = program.communicate(timeout=60)
    return program.returncode, out + rest, errors


LIVE = """
    import asyncio, sys
    from graphvoip.engine import Engine
    from graphvoip.graph import Graph
    from graphvoip.nodes import Sine, LineOut

    async def main():
        engine = Engine()
        engine.start()
        graph = Graph()
        graph.add(LineOut(Sine()))
        engine.add(graph)
        while engine.stats().frames < 5:
            await asyncio.sleep(0.01)
        print("ready", flush=True)
        {end}
"""


@pytest.mark.parametrize(
    ("end", "run", "code"),
    [
        ("return", "asyncio.run(main())", 0),  # left running: atexit stops it
        ("raise SystemExit(3)", "asyncio.run(main())", 3),
        ("1 / 0", "asyncio.run(main())", 1),
        ("sys.exit(4)", "asyncio.run(main())", 4),
    ],
)
def test_a_program_ends_cleanly_whatever_ends_it(end, run, code):
    returned, out, errors = script(LIVE.format(end=end) + "\n    " + run + "\n    print('end')")
    assert returned == code
    assert "Fatal" not in errors
    assert "ready" in out


def test_ctrl_c_ends_a_program_cleanly():
    returned, _, errors = script(
        LIVE.format(end="await asyncio.sleep(600)") + "\n    asyncio.run(main())", signals=[signal.SIGINT]
    )
    assert returned in (1, -signal.SIGINT, 130)
    assert "KeyboardInterrupt" in errors
    assert "Fatal" not in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_stops_in_good_order_on_a_signal(number):
    """The handler's finally runs, the caller is hung up on, and the program's own end is reached."""
    returned, out, errors = script(
        """
        import asyncio, logging
        logging.basicConfig(level=logging.INFO)
        from graphvoip import client
        from graphvoip.io import Leg
        from graphvoip.rings import LineRing

        class One(Leg):
            def hangup(self):
                print("hung up", flush=True)

        class Device:
            name, limit = "test", 1
            async def open(self, engine, incoming):
                assert incoming(One("me", LineRing()))
            async def closed(self):
                await asyncio.Event().wait()
            async def close(self):
                print("closed", flush=True)

        async def handler(call):
            try:
                print("ready", flush=True)
                await call.playTone(441, 60)
            finally:
                print("finally", flush=True)

        client.run(handler, Device())
        print("end", flush=True)
        """,
        signals=[number],
    )
    assert returned == 0, errors
    words = out.split("\n")
    assert {"finally", "hung up", "closed", "end"} <= set(words)
    assert "stopped" in errors
