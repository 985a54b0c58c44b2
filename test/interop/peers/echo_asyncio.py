"""Echoes on dbus-next or dbus-fast, by their low-level messages: echo_asyncio.py dbus_next|dbus_fast service|client

The service answers every call of org.example.Echo: Echo with the same values, Report with what it decoded, in the
notation of echo_notation.py, and ReadAll with what the descriptors gave. The client reads a line of JSON for each call
that it is to make: to Echo of the bus name on its command line, with `values`, it prints `reply` and what came back; to
Fill, with `pipes`, it prints `filled` and what was written into each. Both use the session bus of the environment.
"""
import asyncio
import importlib
import json
import os
import sys

from echo_descriptors import Pipes, read_all
from echo_notation import from_plain, to_plain, to_text

library = importlib.import_module(sys.argv[1])
INTERFACE, PATH = "org.example.Echo", "/org/example/Echo"


async def connected():
    aio = importlib.import_module(sys.argv[1] + ".aio")
    return await aio.MessageBus(bus_type=library.BusType.SESSION, negotiate_unix_fd=True).connect()


async def answer(bus, call):
    if call.member == "Echo":
        reply = library.Message.new_method_return(call, call.signature, call.body, call.unix_fds)
    elif call.member == "Report":
        reply = library.Message.new_method_return(call, "s", [to_text(to_plain(call.body, library.Variant))])
    elif call.member == "ReadAll":
        # In another task, because the caller may write only when the pipes are on their way.
        texts = [await asyncio.to_thread(read_all, fd) for fd in call.unix_fds]
        await bus.send(library.Message.new_method_return(call, "as", [texts]))
        return
    else:
        reply = library.Message.new_error(call, "org.freedesktop.DBus.Error.UnknownMethod", call.member)
    try:
        await bus.send(reply)
    except Exception as error:  # a value that the library cannot write must not leave the caller waiting
        text = f"{type(error).__name__}: {error}".encode("ascii", "backslashreplace").decode()
        await bus.send(library.Message.new_error(call, "org.example.Error.CannotWrite", text))
    for fd in call.unix_fds:
        os.close(fd)


async def serve():
    bus = await connected()
    answers = set()

    def on_message(message):
        if message.message_type != library.MessageType.METHOD_CALL or message.interface != INTERFACE:
            return False
        task = asyncio.ensure_future(answer(bus, message))
        answers.add(task)
        task.add_done_callback(answers.discard)
        return True

    bus.add_message_handler(on_message)
    print(to_text({"event": "ready", "name": bus.unique_name}), flush=True)
    await bus.wait_for_disconnect()


async def call(bus, destination, member, signature, body, unix_fds):
    message = library.Message(
        destination=destination, path=PATH, interface=INTERFACE, member=member, signature=signature, body=body,
        unix_fds=unix_fds,
    )
    reply = await bus.call(message)
    if reply.message_type == library.MessageType.ERROR:
        raise RuntimeError(f"{reply.error_name}: {reply.body}")
    return reply


async def run(bus, destination, order):
    body = from_plain(order["values"], library.Variant)
    if "pipes" not in order:
        reply = await call(bus, destination, "Echo", order["signature"], body, [])
        return "reply " + to_text(to_plain(reply.body, library.Variant))
    pipes = Pipes(order["pipes"])
    await call(bus, destination, "Fill", order["signature"], body, pipes.writing_ends)
    pipes.close_writing_ends()
    return "filled " + to_text(await asyncio.to_thread(pipes.read_all))


async def be_client(destination):
    bus = await connected()
    while line := await asyncio.to_thread(sys.stdin.readline):
        try:
            outcome = await run(bus, destination, json.loads(line))
        except Exception as error:
            outcome = "failed " + to_text(f"{type(error).__name__}: {error}")
        print(outcome, flush=True)
    bus.disconnect()


asyncio.run(serve() if sys.argv[2] == "service" else be_client(sys.argv[3]))
