"""A patch in Python: a carillon on the keypad, 1 to 9. 0 makes its bells dull, or bright again; # ends.

python examples/synth_patch.py            play it
graphvoip render examples/synth_patch.py:carillon --seconds 6 --keys "1@0.2 5@0.6 9@1"
"""

from graphvoip import Param, patch, poly, runVoipClient
from graphvoip.nodes import Decay, Fm, Keymap, Reverb

NOTES = {"1": "C4", "2": "D4", "3": "E4", "4": "G4", "5": "A4", "6": "C5", "7": "D5", "8": "E5", "9": "G5"}
SHINE = Param(4, "x", 0, 10, "overtones when a bell is struck")


@patch
def bell(keys, shine=SHINE):
    """One bell: a sine whose phase another one moves, the less the softer it is."""
    note = Keymap(keys, map=NOTES, hold=0.01)
    hit = Decay(note.gate, time=2.5)
    return 0.35 * Fm(freq=note, ratio=1.4, index=shine * hit * hit) * hit


@patch
def carillon(keys, shine=SHINE):
    """Five bells, so that one rings on while others are struck, in a tower."""
    return poly(bell, keys, voices=5, shine=shine) >> Reverb(decay=2.5, mix=0.25)


async def handler(call):
    synth = call.play(carillon())
    while await call.getDTMF(filter="0#") == "0":
        synth.set("shine", 4 if synth.shine == 0 else 0, over=0.5)
    synth.stop(fade=1)
    await synth


if __name__ == "__main__":
    runVoipClient(handler)
