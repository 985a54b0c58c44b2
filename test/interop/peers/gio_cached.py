"""GLib's cached proxies and its object manager client, on a service of busbar: after each reply and in each signal, their
state is compared with that of the service by then. Prints how often it was outdated."""

import json
import sys

from gi.repository import Gio, GLib

address, name, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
LAMP = "org.example.Lamp"

connection = Gio.DBusConnection.new_for_address_sync(
    address,
    Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
    None,
    None,
)


def proxy(path):
    return Gio.DBusProxy.new_sync(connection, Gio.DBusProxyFlags.NONE, None, name, path, LAMP, None)


lamp = proxy("/org/example/lamp")
other = proxy("/org/example/other")
manager = Gio.DBusObjectManagerClient.new_sync(
    connection, Gio.DBusObjectManagerClientFlags.NONE, name, "/org/example", None, None, None
)
loop = GLib.MainLoop()
stale = []
counts = {"replies": 0, "signals": 0}


def level(of):
    value = of.get_cached_property("Level")
    return None if value is None else value.unpack()


def check(when, number):
    child = manager.get_object(f"/org/example/child{number}")
    interface = None if child is None else child.get_interface(LAMP)
    believed = {
        "lamp": level(lamp),
        "other": level(other),
        "child": None if interface is None else level(interface),
        "gone": manager.get_object(f"/org/example/child{number - 1}") is None,
    }
    if believed != {"lamp": number, "other": number, "child": number, "gone": True}:
        stale.append({"when": when, "number": number, "believed": believed})


def on_signal(_proxy, _sender, member, parameters):
    if member == "Switched":
        counts["signals"] += 1
        check("signal", parameters.unpack()[0])


def call(number):
    member = "RunLater" if number % 3 == 0 else "Run"
    parameters = GLib.Variant("(s)", (str(number),))
    lamp.call(member, parameters, Gio.DBusCallFlags.NONE, 60_000, None, on_reply, number)


def on_reply(source, result, number):
    source.call_finish(result)
    counts["replies"] += 1
    check("reply", number)
    if number < rounds:
        call(number + 1)
    else:
        loop.quit()


lamp.connect("g-signal", on_signal)
call(1)
loop.run()
print(json.dumps({"event": "done", **counts, "stale": len(stale), "first": stale[:3]}), flush=True)
