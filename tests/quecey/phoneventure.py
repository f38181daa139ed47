"""A tree of sounds that its callers write."""

import asyncio
import pickle

from voip import RecordController, loadWAVtoPCM, normalizePCM, one_at_a_time, runVoipClient

try:
    with open("phone_tree.pkl", "rb") as file:
        tree = {place: pcm for place, pcm in pickle.load(file).items() if len(pcm)}
except (FileNotFoundError, pickle.UnpicklingError):
    tree = {"s": loadWAVtoPCM("assets/phone_tree_trailhead.wav")}

missing = loadWAVtoPCM("assets/phone_tree_answer_missing.wav")
finalize = loadWAVtoPCM("assets/phone_tree_author_finalize.wav")


async def write(call, place):
    """Record until the author likes it."""
    while True:
        await call.playTone(1000, 0.25)
        controller = RecordController()
        recording = call.recordPCM(controller=controller)
        try:
            await asyncio.wait_for(call.getDTMF(), 60)
        except TimeoutError:
            pass
        controller.stop()
        pcm = normalizePCM(await recording)
        if len(pcm) == 0:
            await call.playTone(900, 0.1)
            continue
        await call.playPCM(pcm)
        playback = call.playPCM(finalize)
        key = await call.getDTMF()
        playback.cancel()
        if key == "1":
            tree[place] = pcm
            with open("phone_tree.pkl", "wb") as file:
                pickle.dump(tree, file)
            return


@one_at_a_time
async def handler(call):
    place = "s"
    while place:
        playback = call.playPCM(tree.get(place, missing))
        await asyncio.sleep(0.25)
        key = await call.getDTMF()
        playback.cancel()
        if key == "*":
            place = place[:-1]
        elif key == "#" and place not in tree:
            await write(call, place)
        elif key.isdigit() and place in tree:
            place += key


if __name__ == "__main__":
    runVoipClient(handler)
