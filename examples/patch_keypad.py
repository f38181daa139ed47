"""A patch file on the keypad: 1 to 9 are notes of patches/keypad_fm.json, * and # make it duller and brighter, 0 ends.

The notes are the patch's own business, for its input `keys` is the caller's keypad; the handler only turns a knob.
"""

from pathlib import Path

from graphvoip import load_patch, runVoipClient

keypad_fm = load_patch(Path(__file__).parent.parent / "patches" / "keypad_fm.json")


async def handler(call):
    synth = call.play(keypad_fm())
    while (key := await call.getDTMF(filter="*#0")) != "0":
        synth.index = min(10, synth.index * 2) if key == "#" else synth.index / 2
    synth.stop(fade=0.5)
    await synth


if __name__ == "__main__":
    runVoipClient(handler)
