"""A client of a peer on dbus-fast: peer_dbus_fast.py ADDRESS uid|kernel.

Authenticates by its user's number or by the word of the kernel, hands over a pipe, and calls Greet of the object at
/busbar. Every event is a line of JSON on standard output.
"""
import asyncio
import json
import os
import sys

from dbus_fast import Message
from dbus_fast.aio import MessageBus
from dbus_fast.auth import UID_NOT_SPECIFIED, AuthExternal


def report(event, **details):
    print(json.dumps({"event": event, **details}), flush=True)


async def main(address, way):
    auth = AuthExternal(UID_NOT_SPECIFIED if way == "kernel" else None)
    bus = await MessageBus(bus_address=address, auth=auth, negotiate_unix_fd=True).connect()

    async def call(member, signature, body, fds):
        answer = await bus.call(Message(destination="org.example", path="/busbar", interface="org.example.Peer",
                                        member=member, signature=signature, body=body, unix_fds=fds))
        return answer.body[0]

    reading, writing = os.pipe()
    os.write(writing, b"through a pipe")
    os.close(writing)
    report("read", text=await call("Read", "h", [0], [reading]))
    report("answer", text=await call("Greet", "s", ["dbus-fast"], []))
    bus.disconnect()


asyncio.run(main(*sys.argv[1:]))
