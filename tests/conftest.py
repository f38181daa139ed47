import asyncio
import atexit
import os
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from typer.testing import CliRunner

from graphvoip.cli import app
from graphvoip.client import Exchange
from graphvoip.engine import Engine
from graphvoip.io import Leg
from graphvoip.kernel import _Teller
from graphvoip.rings import LineRing

EXAMPLES = Path(__file__).parent.parent / "examples"

# Spoken prompts are not kept in the cache of whoever runs the tests.
CACHE = tempfile.TemporaryDirectory(prefix="graphvoip-tests-", ignore_cleanup_errors=True)
atexit.register(CACHE.cleanup)
os.environ["GRAPHVOIP_CACHE"] = CACHE.name

# A shell that starts the tests in the background has them ignore Ctrl-C, and with them all programs that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Whoever shares the machine may slow down the making of examples, too.
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")

# That kernels are compiled is said on stderr, once: not in the middle of a test.
_Teller.told = True


def pytest_collection_modifyitems(items):
    """Have one process run all tests in real time, one after the other, while another one computes."""
    for item in items:
        if "io" in item.path.parts or "live" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group("real time"))


class LooseLeg(Leg):
    """A far end that nobody holds: frames stay in the ring, and hanging up is noted."""

    def __init__(self, uri: str = "sip:test@localhost"):
        super().__init__(uri, LineRing())
        self.hung_up = asyncio.Event()

    def hangup(self) -> None:
        self.hung_up.set()


@pytest.fixture
def live():
    """Run handlers on the real clock: live(test) with async test(engine, call(handler) -> (leg, Call))."""

    def run(test):
        async def main():
            engine = Engine()
            engine.start()
            exchanges = []

            def call(handler):
                exchange = Exchange(handler, engine)
                exchanges.append(exchange)
                leg = LooseLeg()
                assert exchange.incoming(leg)
                ((task, one),) = exchange.calls.items()
                return leg, one, task

            try:
                return await asyncio.wait_for(test(engine, call), 120)
            finally:
                for exchange in exchanges:
                    await exchange.close()
                engine.stop()

        return asyncio.run(main())

    return run


@pytest.fixture
def sine():
    """sine(frequency, seconds): float64 samples of full scale."""

    def make(frequency: float, seconds: float) -> np.ndarray:
        return np.sin(2 * np.pi * frequency * np.arange(round(8000 * seconds)) / 8000)

    return make


@pytest.fixture
def graphvoip(tmp_path, monkeypatch):
    """graphvoip("call", file): run the command line in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    modules, path = set(sys.modules), sys.path[:]
    yield lambda *words: CliRunner().invoke(app, [str(word) for word in words])
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith((str(tmp_path), str(EXAMPLES))):
            del sys.modules[name]


@pytest.fixture(params=["command", "library"])
def either(request, monkeypatch):
    """Both ways that espeak-ng comes."""
    if request.param == "library":
        monkeypatch.setenv("PATH", "")
    return request.param
