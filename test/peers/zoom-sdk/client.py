"""Joins a stream with Zoom's own SDK for Python, and tells what it delivers.

    client.py FOLDER < {"join": what rtms.Client.join takes, "seconds": how long to stay}

Prints one JSON object: how often each callback came. The payloads of each source are written one behind the other to
FOLDER/<media type>-<user id>.bin, as the simulator does with what it sends. The SDK writes its own log into ./logs.
"""

import json
import os
import pathlib
import sys
import time

import rtms

FOLDER = pathlib.Path(sys.argv[1])


def main():
    asked = json.load(sys.stdin)
    told = {"join": None, "leave": None, "users": [], "frames": {}, "transcript": []}
    client = rtms.Client()
    files = {}

    def media(kind):
        def on_data(data, size, timestamp, metadata):
            name = f"{kind}-{metadata.userId}"
            if name not in files:
                files[name] = open(FOLDER / f"{name}.bin", "wb")
            files[name].write(bytes(data)[:size])
            told["frames"][name] = told["frames"].get(name, 0) + 1

        return on_data

    def on_transcript(data, size, timestamp, metadata):
        told["transcript"].append({"user": metadata.userName, "text": bytes(data)[:size].decode()})

    client.onJoinConfirm(lambda reason: told.update(join=reason))
    client.onLeave(lambda reason: told.update(leave=reason))
    client.onUserUpdate(lambda operation, participant: told["users"].append([operation, participant.name]))
    client.on_audio_data(media("audio"))
    client.on_video_data(media("video"))
    client.on_deskshare_data(media("deskshare"))
    client.on_transcript_data(on_transcript)
    client.join(**asked["join"])
    until = time.monotonic() + asked["seconds"]
    while time.monotonic() < until and told["leave"] is None and told["join"] in (None, 0):
        time.sleep(0.01)
    if told["leave"] is None:
        client.leave()
    for file in files.values():
        file.close()
    print(json.dumps(told), flush=True)
    # A thread of the SDK is still running: an ordinary exit aborts the process ("terminate called without an active exception").
    os._exit(0)


main()
