"""Send a picture by slow-scan television after the beep. It is kept in the folder pictures, and sent back to you. Needs
the extra `sstv`.
"""

from graphvoip import patch, runVoipClient
from graphvoip.nodes import Sstv, SstvReceive


@patch
def inbox(voice):
    receiver = SstvReceive(voice, file="pictures/{call}-{mode}.png", name="receiver")
    return 0 * receiver, receiver.picture  # nothing is to be heard of it; a picture ends it


async def handler(call):
    while True:
        await call.playTone(1000, 0.25)
        box = inbox()
        await call.play(box)
        picture = box["receiver"].pictures[-1]
        print(f"{picture.path}: {picture.mode}, {picture.image.info['rows']} rows")
        await call.playTone(660, 0.25)
        await call.play(Sstv(image=picture.image, mode=picture.mode, fsk_id="MAILBOX"))


if __name__ == "__main__":
    runVoipClient(handler)
