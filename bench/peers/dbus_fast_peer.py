"""The peer in Python: dbus-fast.

`python3 dbus_fast_peer.py ADDRESS WORKLOAD name=value…`, with the protocol of sd-bus/harness.h and the workloads of
client.mjs.
"""

import asyncio
import json
import resource
import sys
import time

from dbus_fast import Message, Variant, aio, service

ADDRESS, WORKLOAD, *REST = sys.argv[1:]
PARAMETERS = dict(argument.split("=", 1) for argument in REST)


NAME = "org.example.Bench"
PATH = "/org/example/bench"
INTERFACE = "org.example.Bench1"
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
DRIVER = {"destination": "org.freedesktop.DBus", "path": "/org/freedesktop/DBus"}
MATCH_RULE = f"type='signal',path='{PATH}',interface='{PROPERTIES}'"
TEXTS = [f"a text to echo, {i}" for i in range(1000)]
BURST = 1000


class Bench(service.ServiceInterface):
    def __init__(self):
        super().__init__(INTERFACE)

    @service.method()
    def Echo(self, text: "s") -> "s":
        return text

    @service.method()
    def Usage(self) -> "d":
        return cpu()

    @service.signal()
    def Changed(self, rssi) -> "sa{sv}as":
        return ["org.bluez.Device1", {"RSSI": Variant("n", rssi)}, []]


def cpu():
    """User and system time of this process, in microseconds."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return (usage.ru_utime + usage.ru_stime) * 1e6


async def interface_of(bus, path, name):
    introspection = await bus.introspect(NAME, path)
    return bus.get_proxy_object(NAME, path, introspection).get_interface(name)


async def calls(bus):
    window = int(PARAMETERS.get("window", 1))
    bench = await interface_of(bus, PATH, INTERFACE)

    async def operate(operations):
        numbers = iter(range(operations))

        async def lane():
            for i in numbers:
                await bench.call_echo(TEXTS[i % len(TEXTS)])

        await asyncio.gather(*(lane() for _ in range(min(window, operations))))

    return operate


async def objects(bus):
    manager = await interface_of(bus, "/", OBJECT_MANAGER)

    async def operate(operations):
        for _ in range(operations):
            if not await manager.call_get_managed_objects():
                raise RuntimeError("there are no objects")

    return operate


async def signals(bus):
    received = 0

    def on_properties_changed(_name, changed, _invalidated):
        nonlocal received
        received += 1

    (await interface_of(bus, PATH, PROPERTIES)).on_properties_changed(on_properties_changed)
    flood = await flooded(bus)

    async def operate(operations):
        nonlocal received
        received = 0
        await flood(operations)
        if received != operations:
            raise RuntimeError(f"{received} of {operations} signals arrived")

    return operate


async def unmatched(bus):
    """The bus sends signals to which nothing here listens."""
    add_match = {"interface": "org.freedesktop.DBus", "member": "AddMatch", "signature": "s", "body": [MATCH_RULE]}
    await bus.call(Message(**DRIVER, **add_match))
    return await flooded(bus)


async def flooded(bus):
    bench = await interface_of(bus, PATH, INTERFACE)
    done = asyncio.Event()
    # The library requires a function with the signal's number of arguments, and counts one more for a bound method.
    bench.on_done(lambda: done.set())
    await ping(bus)

    async def operate(operations):
        done.clear()
        await bench.call_emit(operations)
        # Messages queue up meanwhile.
        time.sleep(int(PARAMETERS.get("pause", 0)) / 1000)
        await done.wait()

    return operate


async def emit(bus):
    bench = Bench()
    bus.export(PATH, bench)

    async def operate(operations):
        for start in range(0, operations, BURST):
            for i in range(start, min(start + BURST, operations)):
                bench.Changed(i % 100 - 100)
            await ping(bus)

    return operate


async def ping(bus):
    await bus.call(Message(**DRIVER, interface="org.freedesktop.DBus.Peer", member="Ping"))


async def cold(bus):
    await (await interface_of(bus, PATH, INTERFACE)).call_echo("the first call")
    print(json.dumps({"operations": 1, "cpu": cpu(), "wall": 0}), flush=True)


async def serve(bus):
    bus.export(PATH, Bench())
    await bus.request_name(PARAMETERS["name"])
    print("ready", flush=True)
    await bus.wait_for_disconnect()


async def answer(operate):
    loop = asyncio.get_running_loop()
    print("ready", flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        operations = int(line.removeprefix("go "))
        start_cpu, start_wall = cpu(), time.monotonic()
        await operate(operations)
        wall = (time.monotonic() - start_wall) * 1e6
        print(json.dumps({"operations": operations, "cpu": cpu() - start_cpu, "wall": wall}), flush=True)


async def main():
    bus = await aio.MessageBus(bus_address=ADDRESS).connect()
    if WORKLOAD == "cold":
        await cold(bus)
    elif WORKLOAD == "service":
        await serve(bus)
    else:
        workloads = {"calls": calls, "objects": objects, "signals": signals, "unmatched": unmatched, "emit": emit}
        await answer(await workloads[WORKLOAD](bus))


asyncio.run(main())
