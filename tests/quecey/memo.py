"""Memos behind numbers: the first caller records one, the next one hears it."""

import asyncio
import os

from voip import RecordController, loadWAVtoPCM, normalizePCM, runVoipClient, savePCMtoWAV

intro = loadWAVtoPCM("assets/memo_intro.wav")
record = loadWAVtoPCM("assets/memo_record.wav")


async def handler(call):
    code = ""
    playback = call.playPCM(intro)
    while True:
        key = await call.getDTMF(filter="0123456789#")
        playback.cancel()
        if key == "#":
            break
        code += key
    if len(code) == 0:
        return
    path = f"./memos/{code}.wav"
    if os.path.exists(path):
        await call.playPCM(loadWAVtoPCM(path))
        return
    playback = call.playPCM(record)
    await call.getDTMF(filter="#")
    playback.cancel()
    await call.playTone(1000, 0.25)
    controller = RecordController()
    await asyncio.sleep(0.1)
    recording = call.recordPCM(controller=controller)
    try:
        await asyncio.wait_for(call.getDTMF(), 120)
    except TimeoutError:
        await call.playTone(900, 0.1)
        controller.stop()
        return
    controller.stop()
    savePCMtoWAV(normalizePCM(await recording), path)


if __name__ == "__main__":
    runVoipClient(handler)
