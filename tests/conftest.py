import asyncio
import os
import tempfile

import numpy as np
import pytest

from graphvoip.client import Exchange
from graphvoip.engine import Engine
from graphvoip.io import Leg
from graphvoip.rings import LineRing

# Spoken prompts are not kept in the cache of whoever runs the tests.
os.environ["GRAPHVOIP_CACHE"] = tempfile.mkdtemp(prefix="graphvoip-tests-")


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
                return await asyncio.wait_for(test(engine, call), 30)
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
