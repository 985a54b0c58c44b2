"""GLib's object manager client on BlueZ, or on what has its name. It prints a line of JSON for each object, interface and
changed property. Each line of standard input is a call in JSON: a path, an interface, a method, and a text of its arguments."""

import json
import os
import sys

from gi.repository import Gio, GLib

connection = Gio.DBusConnection.new_for_address_sync(
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"],
    Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
    None,
    None,
)
client = Gio.DBusObjectManagerClient.new_sync(
    connection, Gio.DBusObjectManagerClientFlags.NONE, "org.bluez", "/", None, None, None
)


def tell(event, **values):
    print(json.dumps({"event": event, **values}, sort_keys=True), flush=True)


def values_of(proxy):
    return {name: proxy.get_cached_property(name).unpack() for name in proxy.get_cached_property_names() or []}


def interfaces_of(obj):
    return {proxy.get_interface_name(): values_of(proxy) for proxy in obj.get_interfaces()}


def objects():
    return {obj.get_object_path(): interfaces_of(obj) for obj in client.get_objects()}


def changed(_manager, obj, proxy, values, invalidated):
    where = {"path": obj.get_object_path(), "interface": proxy.get_interface_name()}
    tell("changed", **where, values=values.unpack(), invalidated=invalidated)


def read(channel, condition):
    line = channel.readline()
    if not line:
        loop.quit()
        return False
    call = json.loads(line)
    if call["method"] == "objects":
        tell("objects", objects=objects(), owner=client.get_name_owner() is not None)
        return True
    proxy = client.get_interface(call["path"], call["interface"])
    arguments = GLib.Variant.parse(None, call.get("arguments", "()"), None, None)
    try:
        tell("reply", values=proxy.call_sync(call["method"], arguments, Gio.DBusCallFlags.NONE, -1, None).unpack())
    except GLib.Error as error:
        tell("error", name=Gio.DBusError.get_remote_error(error))
    return True


client.connect("object-added", lambda _, obj: tell("added", path=obj.get_object_path(), interfaces=interfaces_of(obj)))
client.connect("object-removed", lambda _, obj: tell("removed", path=obj.get_object_path()))
client.connect("interface-proxy-properties-changed", changed)
client.connect("notify::name-owner", lambda *_: tell("owner", owner=client.get_name_owner() is not None))
loop = GLib.MainLoop()
GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, read)
tell("ready")
loop.run()
