"""A Zoom that was written after its published descriptions, in another language and apart from the simulator.

    mock_server.py ENTITY_ID STREAM_ID CLIENT_ID CLIENT_SECRET

Prints its address, speaks with one client, and prints what that client did as JSON when the meeting has ended.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import sys
import time

from websockets.asyncio.server import serve

ENTITY, STREAM, CLIENT, SECRET = sys.argv[1:5]
EXPECTED = hmac.new(SECRET.encode(), f"{CLIENT},{ENTITY},{STREAM}".encode(), hashlib.sha256).hexdigest()
FRAMES = 100
KEEP_ALIVES = 3

told = {"signatures": 0, "mediaTypes": [], "ready": 0, "subscribed": 0, "keepAlives": 0, "sent": []}
ready = asyncio.Event()
done = asyncio.Event()
address = ""


def now():
    return int(time.time() * 1000)


async def say(socket, **message):
    await socket.send(json.dumps(message))


def check(message):
    ok = hmac.compare_digest(message.get("signature", ""), EXPECTED) and message.get("rtms_stream_id") == STREAM
    told["signatures"] += ok
    return 0 if ok else 3


async def signaling(socket):
    async for text in socket:
        message = json.loads(text)
        kind = message["msg_type"]
        if kind == 1:
            urls = {"all": f"{address}/media"}
            status = check(message)
            await say(socket, msg_type=2, protocol_version=1, status_code=status, reason="", media_server={"server_urls": urls})
            await say(socket, msg_type=12, timestamp=now())
        elif kind == 5:
            told["subscribed"] += 1
        elif kind == 7:
            told["ready"] += 1
            ready.set()
            asyncio.get_running_loop().create_task(end(socket))
        elif kind == 13:
            told["keepAlives"] += 1


async def end(socket):
    await done.wait()
    await say(socket, msg_type=8, rtms_stream_id=STREAM, state=4, reason=6, timestamp=now())
    await asyncio.sleep(0.2)
    await socket.close()


async def media(socket):
    request = json.loads(await socket.recv())
    told["mediaTypes"].append(request["media_type"])
    await say(socket, msg_type=4, protocol_version=1, status_code=check(request), reason="", media_params=request.get("media_params"))
    await ready.wait()
    for number in range(FRAMES):
        payload = bytes([number]) * 640
        content = {"user_id": 16778240, "user_name": "Mia", "data": base64.b64encode(payload).decode(), "timestamp": now()}
        await say(socket, msg_type=14, content=content)
        told["sent"].append(hashlib.sha256(payload).hexdigest())
        await asyncio.sleep(0.01)
    line = {"user_id": 16778240, "user_name": "Mia", "timestamp": now(), "data": "Hi, hello world!"}
    await say(socket, msg_type=17, content=line)
    for _ in range(KEEP_ALIVES):
        await say(socket, msg_type=12, timestamp=now())
        told["keepAlives"] += json.loads(await socket.recv())["msg_type"] == 13
    done.set()
    await socket.wait_closed()


async def main():
    global address
    finished = asyncio.Event()

    async def on_socket(socket):
        try:
            await (media if socket.request.path == "/media" else signaling)(socket)
        finally:
            if done.is_set():
                finished.set()

    async with serve(on_socket, "127.0.0.1", 0) as server:
        address = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        print(address, flush=True)
        await finished.wait()
        await asyncio.sleep(0.3)
        print(json.dumps(told), flush=True)


asyncio.run(main())
