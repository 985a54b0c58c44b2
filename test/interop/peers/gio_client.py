"""A client of the quickstart's service on GLib's own D-Bus implementation, through Gio.DBusProxy, with its cache.

Every event is a line of JSON on standard output. The bus is that of the environment; --system takes the system bus.
"""
import json
import sys

from gi.repository import Gio, GLib

NAME, PATH, INTERFACE = "org.example.dbustest", "/org/example/dbustest", "org.example.dbustest.Module"
PATIENCE = 5  # seconds


def report(event, **details):
    print(json.dumps({"event": event, **details}), flush=True)


def wait_for(condition):
    """Runs the main loop until the condition holds."""
    deadline = GLib.get_monotonic_time() + PATIENCE * 1_000_000
    ticking = GLib.timeout_add(100, lambda: GLib.SOURCE_CONTINUE)  # so that iteration() returns to look at the clock
    while not condition():
        if GLib.get_monotonic_time() > deadline:
            raise TimeoutError("nothing came")
        GLib.MainContext.default().iteration(True)
    GLib.source_remove(ticking)


bus_type = Gio.BusType.SYSTEM if "--system" in sys.argv else Gio.BusType.SESSION
proxy = Gio.DBusProxy.new_for_bus_sync(bus_type, Gio.DBusProxyFlags.NONE, None, NAME, PATH, INTERFACE, None)
seen = []


def on_signal(_proxy, _sender, member, parameters):
    report("signal", member=member, vms=parameters.unpack()[0])
    seen.append("signal")


def on_change(_proxy, changes, invalidated):
    report("changed", changes=changes.unpack(), invalidated=invalidated)
    seen.append("changed")


proxy.connect("g-signal", on_signal)
proxy.connect("g-properties-changed", on_change)


def call(kind, devices):
    arguments = GLib.Variant("(sa{sas})", (kind, devices))
    return proxy.call_sync("TestMethod", arguments, Gio.DBusCallFlags.NONE, PATIENCE * 1000, None).unpack()[0]


def get():
    arguments = GLib.Variant("(ss)", (INTERFACE, "TestProperty"))
    reply = proxy.call_sync("org.freedesktop.DBus.Properties.Get", arguments, Gio.DBusCallFlags.NONE, -1, None)
    return reply.unpack()[0]


report("owner", unique_name=proxy.get_name_owner())
report("cached", value=proxy.get_cached_property("TestProperty").unpack())
report("result", value=call("kvm", {"usb": ["keyboard", "mouse"], "disk": ["sdb"]}))
wait_for(lambda: "signal" in seen)
report("result", value=call("hyperv", {}))

states = GLib.Variant("a{ss}", {"web": "stopped", "größe": "∞"})
arguments = GLib.Variant("(ssv)", (INTERFACE, "TestProperty", states))
proxy.call_sync("org.freedesktop.DBus.Properties.Set", arguments, Gio.DBusCallFlags.NONE, -1, None)
wait_for(lambda: "changed" in seen)
report("property", value=get())
report("cached", value=proxy.get_cached_property("TestProperty").unpack())

try:
    proxy.call_sync("NoSuchMethod", None, Gio.DBusCallFlags.NONE, -1, None)
except GLib.Error as error:
    report("error", name=Gio.DBusError.get_remote_error(error))
try:
    proxy.call_sync("TestMethod", GLib.Variant("(i)", (7,)), Gio.DBusCallFlags.NONE, -1, None)
except GLib.Error as error:
    report("error", name=Gio.DBusError.get_remote_error(error))
