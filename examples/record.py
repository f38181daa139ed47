"""Speak after the beep, press a key, hear yourself."""

from graphvoip import RecordController, runVoipClient


async def handler(call):
    await call.playTone(1000, 0.25)
    controller = RecordController()
    recording = call.recordPCM(controller)
    await call.getDTMF()
    controller.stop()
    await call.playPCM(await recording)


if __name__ == "__main__":
    runVoipClient(handler)
