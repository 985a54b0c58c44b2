"""The service of the quickstart in Python with dbus-next, for clients of busbar.

It behaves like examples/quickstart/service.ts. Every event is a line of JSON on standard output. The bus is the
session bus of the environment, or the system bus with --system. Ends on SIGTERM.
"""
import asyncio
import json
import signal as signals
import sys

from dbus_next import BusType
from dbus_next.aio import MessageBus
from dbus_next.service import ServiceInterface, dbus_property, method, signal

MACHINES = {"web": "kvm", "mail": "kvm", "build": "xen"}


def report(event, **details):
    print(json.dumps({"event": event, **details}), flush=True)


class TestModule(ServiceInterface):
    def __init__(self):
        super().__init__("org.example.dbustest.Module")
        self.states = {"web": "running", "mail": "running", "build": "paused"}

    @method()
    async def TestMethod(self, kind: "s", devices: "a{sas}") -> "s":
        report("call", kind=kind, devices=devices)
        affected = [name for name, its_kind in MACHINES.items() if its_kind == kind]
        if not affected:
            return "Fail: no machine of this kind"
        detached = ", ".join(device for group in devices.values() for device in group)
        self.TestSignal({name: f"detached {detached}" for name in affected})
        return "Success"

    @signal()
    def TestSignal(self, vms) -> "a{ss}":
        return vms

    @dbus_property()
    def TestProperty(self) -> "a{ss}":
        return self.states

    @TestProperty.setter
    def TestProperty(self, states: "a{ss}"):
        report("set", value=states)
        self.states = states
        self.emit_properties_changed({"TestProperty": states})


async def main():
    bus = await MessageBus(bus_type=BusType.SYSTEM if "--system" in sys.argv else BusType.SESSION).connect()
    bus.export("/org/example/dbustest", TestModule())
    await bus.request_name("org.example.dbustest")
    asyncio.get_running_loop().add_signal_handler(signals.SIGTERM, bus.disconnect)
    report("ready", unique_name=bus.unique_name)
    await bus.wait_for_disconnect()


asyncio.run(main())
