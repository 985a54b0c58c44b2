"""Objects of GLib's object manager server: their interfaces are those of UDisks, whose library has them for other programs.
Each line of standard input is a list of steps in JSON. They are done one after the other, then all signals are sent, and a
line is printed."""

import json
import sys

import gi

gi.require_version("UDisks", "2.0")
from gi.repository import Gio, GLib, UDisks

address, name, root = sys.argv[1:4]

connection = Gio.DBusConnection.new_for_address_sync(
    address,
    Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
    None,
    None,
)
manager = Gio.DBusObjectManagerServer.new(root)
manager.set_connection(connection)
loop = GLib.MainLoop()
kinds = {"Block": UDisks.BlockSkeleton, "Drive": UDisks.DriveSkeleton, "Partition": UDisks.PartitionSkeleton}
objects = {}
owned = []


def interface(kind, values):
    made = kinds[kind]()
    for key, value in values.items():
        made.set_property(key, value)
    return made


def step(what, path=None, kind=None, values=None):
    if what == "own":
        owned.append(Gio.bus_own_name_on_connection(connection, name, Gio.BusNameOwnerFlags.NONE, None, None))
    elif what == "disown":
        Gio.bus_unown_name(owned.pop())
    elif what == "add":
        objects[path] = (Gio.DBusObjectSkeleton.new(path), {})
        for each in kind:
            objects[path][1][each] = interface(each, values[each])
            objects[path][0].add_interface(objects[path][1][each])
        # An object that is at the path is replaced.
        manager.export(objects[path][0])
    elif what == "remove":
        manager.unexport(path)
        del objects[path]
    elif what == "addInterface":
        objects[path][1][kind] = interface(kind, values)
        objects[path][0].add_interface(objects[path][1][kind])
    elif what == "removeInterface":
        objects[path][0].remove_interface(objects[path][1].pop(kind))
    elif what == "change":
        for key, value in values.items():
            objects[path][1][kind].set_property(key, value)
    elif what == "invalidate":
        # A property that the object does not have, as BlueZ reports one that it has no more.
        objects[path][0].flush()
        gone = GLib.Variant("(sa{sv}as)", (f"org.freedesktop.UDisks2.{kind}", {}, ["Gone"]))
        connection.emit_signal(None, path, "org.freedesktop.DBus.Properties", "PropertiesChanged", gone)


def on_line(source, _condition):
    line = source.readline()
    if line == "":
        loop.quit()
        return False
    for each in json.loads(line):
        step(**each)
    for skeleton, _interfaces in objects.values():
        skeleton.flush()
    connection.flush_sync(None)
    print(json.dumps({"event": "done"}), flush=True)
    return True


GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, on_line)
print(json.dumps({"event": "ready"}), flush=True)
loop.run()
