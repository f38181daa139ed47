"""An echo, sample by sample, through a queue of two seconds at most."""

import queue

from graphvoip import runVoipClient


async def handler(call):
    sampleQueue = queue.Queue(maxsize=8000 * 2)

    def record(sample):
        if not sampleQueue.full():
            sampleQueue.put(sample)

    def play(t, delta):
        if sampleQueue.qsize() < 160:
            return 0
        return sampleQueue.get()

    call.playCustom(play)
    await call.recordCustom(record)  # never ends by itself: the caller hangs up


if __name__ == "__main__":
    runVoipClient(handler)
