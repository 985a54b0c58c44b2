"""A client of the quickstart's service in Python: seed_client.py dbus_next|dbus_fast [--xml FILE] [--system]

The two libraries share their interface: call_test_method, on_test_signal, get_test_property, set_test_property. With
--xml the service is known from a file, else it is asked for its introspection data. Every event is a line of JSON.
"""
import argparse
import asyncio
import importlib
import json

NAME, PATH, INTERFACE = "org.example.dbustest", "/org/example/dbustest", "org.example.dbustest.Module"


def report(event, **details):
    print(json.dumps({"event": event, **details}), flush=True)


async def main(options):
    library = importlib.import_module(options.library)
    aio = importlib.import_module(options.library + ".aio")
    bus_type = library.BusType.SYSTEM if options.system else library.BusType.SESSION
    bus = await aio.MessageBus(bus_type=bus_type).connect()

    if options.xml is None:
        introspection = await bus.introspect(NAME, PATH)
    else:
        with open(options.xml, encoding="utf-8") as file:
            introspection = file.read()
    remote = bus.get_proxy_object(NAME, PATH, introspection)
    module = remote.get_interface(INTERFACE)

    # The file describes the service's own interface only.
    asked = await bus.introspect(NAME, PATH)
    properties = bus.get_proxy_object(NAME, PATH, asked).get_interface("org.freedesktop.DBus.Properties")

    signalled, changed = asyncio.Event(), asyncio.Event()

    def on_signal(vms):
        report("signal", vms=vms)
        signalled.set()

    def on_change(interface, changes, invalidated):
        report("changed", interface=interface, changes={k: v.value for k, v in changes.items()}, invalidated=invalidated)
        changed.set()

    module.on_test_signal(on_signal)
    properties.on_properties_changed(on_change)

    report("property", value=await module.get_test_property())
    report("result", value=await module.call_test_method("kvm", {"usb": ["keyboard", "mouse"], "disk": ["sdb"]}))
    await asyncio.wait_for(signalled.wait(), 5)
    report("result", value=await module.call_test_method("hyperv", {}))
    # ASCII only: dbus-fast 1.84 writes the length of other strings in characters, and the bus disconnects it for that.
    await module.set_test_property({"web": "stopped"})
    await asyncio.wait_for(changed.wait(), 5)
    report("property", value=await module.get_test_property())

    unknown = library.Message(destination=NAME, path=PATH, interface=INTERFACE, member="NoSuchMethod")
    report("error", name=(await bus.call(unknown)).error_name)
    misfit = library.Message(
        destination=NAME, path=PATH, interface=INTERFACE, member="TestMethod", signature="i", body=[7]
    )
    report("error", name=(await bus.call(misfit)).error_name)
    bus.disconnect()


parser = argparse.ArgumentParser()
parser.add_argument("library", choices=["dbus_next", "dbus_fast"])
parser.add_argument("--xml")
parser.add_argument("--system", action="store_true")
asyncio.run(main(parser.parse_args()))
