"""Echoes on GLib's own D-Bus implementation: echo_gio.py service|client; echo_asyncio.py describes them.

Values are taken apart and put together through GVariant's accessors, so that each is seen with the type it has there.
"""
import json
import os
import sys

from echo_descriptors import Pipes, read_all
from echo_notation import double, double_of, to_text
from gi.repository import Gio, GLib

INTERFACE, PATH = "org.example.Echo", "/org/example/Echo"
BASIC = {
    "b": "boolean", "y": "byte", "n": "int16", "q": "uint16", "i": "int32", "u": "uint32", "x": "int64", "t": "uint64",
    "h": "handle",
}
TEXTS = {"s": "string", "o": "object_path", "g": "signature"}


def to_plain(value):
    code = value.get_type_string()
    if code in BASIC:
        return getattr(value, "get_" + BASIC[code])()
    if code in TEXTS:
        return value.get_string()
    if code == "d":
        return double(value.get_double())
    if code == "v":
        content = value.get_variant()
        return {"variant": content.get_type_string(), "value": to_plain(content)}
    if code == "ay":
        return {"bytes": value.get_data_as_bytes().get_data().hex()}
    children = [to_plain(value.get_child_value(index)) for index in range(value.n_children())]
    return {"entries": children} if code.startswith("a{") else children


def from_plain(code, plain):
    if code in BASIC:
        return getattr(GLib.Variant, "new_" + BASIC[code])(plain)
    if code in TEXTS:
        return getattr(GLib.Variant, "new_" + TEXTS[code])(plain)
    if code == "d":
        return GLib.Variant.new_double(double_of(plain))
    if code == "v":
        return GLib.Variant.new_variant(from_plain(plain["variant"], plain["value"]))
    type_ = GLib.VariantType.new(code)
    if code == "ay":
        return GLib.Variant.new_from_bytes(type_, GLib.Bytes.new(bytes.fromhex(plain["bytes"])), True)
    builder = GLib.VariantBuilder.new(type_)
    if code.startswith("a{"):
        key_code, value_code = code[2], code[3:-1]
        for key, value in plain["entries"]:
            builder.add_value(GLib.Variant.new_dict_entry(from_plain(key_code, key), from_plain(value_code, value)))
    elif code.startswith("a"):
        for element in plain:
            builder.add_value(from_plain(code[1:], element))
    else:
        for field_code, field in zip(GLib.Variant.split_signature(code), plain):
            builder.add_value(from_plain(field_code, field))
    return builder.end()


def body_of(signature, plain):
    return from_plain(f"({signature})", plain)


def answer(connection, call):
    reply = Gio.DBusMessage.new_method_reply(call)
    member, body, fds = call.get_member(), call.get_body(), call.get_unix_fd_list()
    if member == "Echo":
        if body is not None:
            reply.set_body(body)
        if fds is not None:
            reply.set_unix_fd_list(fds)
    elif member == "Report":
        reply.set_body(GLib.Variant("(s)", (to_text([] if body is None else to_plain(body)),)))
    else:
        reply.set_body(GLib.Variant("(as)", ([read_all(fd) for fd in fds.steal_fds()] if fds is not None else [],)))
    connection.send_message(reply, Gio.DBusSendMessageFlags.NONE)
    connection.flush_sync(None)
    if fds is not None:
        for fd in fds.steal_fds():
            os.close(fd)


def on_message(connection, message, incoming):
    """A filter, because it gets calls of any signature. It must not block, because it runs in the connection's thread."""
    if not incoming or message.get_message_type() != Gio.DBusMessageType.METHOD_CALL:
        return message
    if message.get_interface() != INTERFACE:
        return message
    GLib.idle_add(lambda: answer(connection, message))
    return None


def serve(connection):
    connection.add_filter(on_message)
    print(to_text({"event": "ready", "name": connection.get_unique_name()}), flush=True)
    GLib.MainLoop().run()


def run(connection, destination, order):
    body = body_of(order["signature"], order["values"])
    target = (destination, PATH, INTERFACE)
    if "pipes" not in order:
        reply = connection.call_sync(*target, "Echo", body, None, Gio.DBusCallFlags.NONE, -1, None)
        return "reply " + to_text(to_plain(reply))
    pipes = Pipes(order["pipes"])
    fds = Gio.UnixFDList.new()
    for fd in pipes.writing_ends:
        fds.append(fd)
    connection.call_with_unix_fd_list_sync(*target, "Fill", body, None, Gio.DBusCallFlags.NONE, -1, fds, None)
    for fd in fds.steal_fds():
        os.close(fd)
    pipes.close_writing_ends()
    return "filled " + to_text(pipes.read_all())


def be_client(connection, destination):
    for line in sys.stdin:
        try:
            outcome = run(connection, destination, json.loads(line))
        except Exception as error:
            outcome = "failed " + to_text(f"{type(error).__name__}: {error}")
        print(outcome, flush=True)


bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
if sys.argv[1] == "service":
    serve(bus)
else:
    be_client(bus, sys.argv[2])
