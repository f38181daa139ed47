"""Press a key and receive a picture that is made for you on the spot. Show the telephone to a slow-scan television
receiver: an app such as Robot36 or MMSSTV, or `graphvoip.sstv_decode` of a recording. Needs the extra `sstv`.
"""

import time

from PIL import Image, ImageDraw, ImageFont

from graphvoip import runVoipClient
from graphvoip.nodes import Sstv

COLOURS = ["navy", "seagreen", "indigo", "teal", "maroon", "darkslategray", "purple", "sienna", "crimson", "olive"]


def card(key, caller):
    """320 x 240: the key that was pressed, who pressed it, and when."""
    image = Image.new("RGB", (320, 240), COLOURS["0123456789".index(key)])
    draw = ImageDraw.Draw(image)
    for k in range(int(key)):
        x, y = 28 + 66 * (k % 5), 24 + 26 * (k // 5)
        draw.ellipse((x - 9, y - 9, x + 9, y + 9), fill="gold")
    draw.text((160, 128), key, "white", ImageFont.load_default(110), anchor="mm")
    draw.text((160, 200), time.strftime("%H:%M:%S"), "white", ImageFont.load_default(30), anchor="mm")
    draw.text((160, 226), caller[:40], "white", ImageFont.load_default(13), anchor="mm")
    return image


async def handler(call):
    await call.playTone(660, 0.25)
    while True:
        key = await call.getDTMF(filter="0123456789")
        await call.play(Sstv(image=card(key, call.getRemoteUri()), mode="R36", fsk_id="LINE"))


if __name__ == "__main__":
    runVoipClient(handler)
