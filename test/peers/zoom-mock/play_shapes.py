"""Plays messages of Zoom as others show them, in sessions of its own; written apart from the simulator.

    play_shapes.py SHAPES PLANS CLIENT_ID CLIENT_SECRET

SHAPES has a JSON line with `id` and `message` for each message. PLANS has one session for each stream:
`{"<stream id>": {"entity", "handshake": [[id, ...], ...], "media", "play": [id, ...], "end"}}`. `handshake` has what each
attempt of the client is answered, `media` is the answer for audio; "plain" stands for the published form. What is played
goes over the socket of its medium, everything else and the end over signaling, unless the end is told over audio.
Prints its address, and after each session what the client did, as JSON.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import re
import sys

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

with open(sys.argv[1], encoding="utf-8") as lines:
    SHAPES = {shape["id"]: shape["message"] for shape in map(json.loads, lines)}
with open(sys.argv[2], encoding="utf-8") as text:
    PLANS = json.load(text)
CLIENT, SECRET = sys.argv[3:5]
PAYLOAD = base64.b64encode(b"\x5a" * 640).decode()
SIGNALING, AUDIO, ALL = 0, 1, 32
SOCKET_OF_MESSAGE = {14: AUDIO, 17: 8, 18: 16}
PLAIN = {"signaling": {"msg_type": 2, "protocol_version": 1, "status_code": 0, "reason": "", "media_server": {"server_urls": {"all": "wss://h"}}}}
OVER_AUDIO = ["Z11"]


class Session:
    """What one stream has come to."""

    def __init__(self, address, stream):
        self.address, self.stream, self.plan = address, stream, PLANS[stream]
        self.told = {"stream": stream, "signatures": 0, "attempts": 0, "dialled": {}, "keepAlives": []}
        self.ready, self.played, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.sockets, self.left = {}, len(self.plan["play"])
        self.answers = asyncio.Queue()

    def text(self, shape):
        message = json.dumps(PLAIN["signaling"]) if shape == "plain" else SHAPES[shape]
        return re.sub(r"wss?://(h|127\.0\.0\.1:443)\b", self.address, message).replace("<base64 of 640 bytes>", PAYLOAD)

    def sign(self, message):
        known = f"{CLIENT},{self.plan['entity']},{self.stream}".encode()
        expected = hmac.new(SECRET.encode(), known, hashlib.sha256).hexdigest()
        self.told["signatures"] += hmac.compare_digest(message.get("signature", ""), expected)

    async def play(self, socket, medium):
        """Plays what belongs to this socket, once the client is ready."""
        await self.ready.wait()
        for shape in self.plan["play"]:
            kind = int(json.loads(SHAPES[shape])["msg_type"])
            wanted = SOCKET_OF_MESSAGE.get(kind, SIGNALING)
            if not (wanted & medium or wanted == medium):
                continue
            await socket.send(self.text(shape))
            if kind == 12:
                self.told["keepAlives"].append(await self.answers.get())
            self.left -= 1
        if self.left == 0:
            self.played.set()

    async def end(self):
        await self.played.wait()
        shape = self.plan["end"]
        await self.sockets[AUDIO if shape in OVER_AUDIO else SIGNALING].send(self.text(shape))

    async def signaling(self, socket, first):
        self.sign(first)
        attempt = self.plan["handshake"][self.told["attempts"] : self.told["attempts"] + 1]
        self.told["attempts"] += 1
        if not attempt:
            # More attempts than were planned: the client has lost what it had. It is told that the stream is over.
            await socket.send('{"msg_type":8,"state":4,"reason":4}')
        self.sockets[SIGNALING] = socket
        for shape in sum(attempt, []):
            await socket.send(self.text(shape))
        tasks = []
        async for text in messages_of(socket):
            message = json.loads(text)
            if message["msg_type"] == 7:
                self.ready.set()
                tasks = [asyncio.create_task(self.play(socket, SIGNALING)), asyncio.create_task(self.end())]
            elif message["msg_type"] == 13:
                self.answers.put_nowait(message)
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)
            self.ended.set()

    async def media(self, socket, first):
        self.sign(first)
        self.told["dialled"][first["media_type"]] = socket.request.path
        medium = ALL - 1 if first["media_type"] == ALL else first["media_type"]
        if medium & AUDIO:
            self.sockets[AUDIO] = socket
        plain = {"msg_type": 4, "status_code": 0, "reason": "", "media_params": first.get("media_params")}
        shape = self.plan["media"] if medium & AUDIO else "plain"
        await socket.send(json.dumps(plain) if shape == "plain" else self.text(shape))
        await self.play(socket, medium)
        await socket.wait_closed()


async def messages_of(socket):
    """Until the client has closed the socket, in whatever way."""
    try:
        async for text in socket:
            yield text
    except ConnectionClosed:
        pass


async def main():
    sessions = {}
    address = ""

    async def on_socket(socket):
        first = json.loads(await socket.recv())
        session = sessions.setdefault(first["rtms_stream_id"], Session(address, first["rtms_stream_id"]))
        await (session.signaling if first["msg_type"] == 1 else session.media)(socket, first)
        if session.ended.is_set():
            print(json.dumps(session.told), flush=True)
            session.ended.clear()

    async with serve(on_socket, "127.0.0.1", 0) as server:
        address = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        print(address, flush=True)
        await asyncio.to_thread(sys.stdin.read)


asyncio.run(main())
