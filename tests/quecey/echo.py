"""What is said comes back, until a key."""

import queue

from voip import runVoipClient


async def handler(call):
    waiting = queue.Queue(maxsize=16000)
    stop = False

    def hear(sample):
        if stop:
            return False
        if not waiting.full():
            waiting.put(sample)
        return True

    def say(t, delta):
        if stop:
            return None
        return waiting.get() if waiting.qsize() >= 160 else 0

    call.recordCustom(hear)
    call.playCustom(say)
    await call.getDTMF()


if __name__ == "__main__":
    runVoipClient(handler)
