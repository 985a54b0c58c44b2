"""The client of libdbusmenu, with which desktops show the menus of programs. It prints the menu as JSON whenever it has another
layout, and each changed property. Each line of standard input is the label of an entry, which is clicked."""

import json
import sys

import gi

gi.require_version("Dbusmenu", "0.4")
from gi.repository import Dbusmenu, GLib

client = Dbusmenu.Client.new(sys.argv[1], sys.argv[2])
loop = GLib.MainLoop()
followed = set()


def tell(event, **values):
    print(json.dumps({"event": event, **values}, sort_keys=True), flush=True)


def changed(item, name, value):
    tell("changed", label=item.property_get("label"), property=name, value=value.unpack())


def tree(item):
    if item.get_id() not in followed:
        followed.add(item.get_id())
        item.connect("property-changed", changed)
    label = item.property_get("label") or item.property_get("type")
    below = [tree(child) for child in item.get_children()]
    return {"label": label, "entries": below} if below else label


def find(item, label):
    if item.property_get("label") == label:
        return item
    return next((found for child in item.get_children() if (found := find(child, label))), None)


def read(channel, _condition):
    line = channel.readline().strip()
    if not line:
        loop.quit()
        return False
    find(client.get_root(), line).handle_event("clicked", GLib.Variant("i", 0), 0)
    return True


def layout(_client):
    root = client.get_root()
    if root is not None:
        tell("layout", menu=tree(root))


client.connect("layout-updated", layout)
GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, read)
loop.run()
