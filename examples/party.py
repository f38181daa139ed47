"""A party line: all who call are in one room and hear each other, with a chime for everyone who comes in; # leaves.

graphvoip serve examples/party.py
"""

from pathlib import Path

from graphvoip import load_patch, runVoipClient

party_line = load_patch(Path(__file__).parent.parent / "patches" / "party_line.json")


async def handler(call):
    room = call.play(party_line())
    await call.getDTMF(filter="#")
    room.stop(fade=0.3)
    await room
    await call.playTone(420, 0.3)


if __name__ == "__main__":
    runVoipClient(handler)
