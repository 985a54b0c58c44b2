"""Readings of GDBus, GLib's own implementation: Gio.DBusMessage.new_from_blob, every value through
GVariant's accessors, and the same values once more as GDBus writes them.
"""
from gi.repository import Gio, GLib

from typed_text import basic, read_lines

CAPABILITIES = Gio.DBusCapabilityFlags.UNIX_FD_PASSING
GETTERS = {
    "b": "boolean", "y": "byte", "n": "int16", "q": "uint16", "i": "int32", "u": "uint32", "x": "int64", "t": "uint64",
    "h": "handle", "d": "double", "s": "string", "o": "object_path", "g": "signature",
}
TEXTS = "sog"


def typed(value):
    code = value.get_type_string()
    if code in GETTERS:
        return basic(code, value.get_string() if code in TEXTS else getattr(value, "get_" + GETTERS[code])())
    if code == "v":
        return ["v", typed(value.get_variant())]
    if code == "ay":
        return "ay " + value.get_data_as_bytes().get_data().hex()
    children = [typed(value.get_child_value(index)) for index in range(value.n_children())]
    if code.startswith("a{"):
        return [code] + [item for entry in children for item in entry[1:]]
    return [code] + children


def rebuilt(value):
    """A copy without any part of the original."""
    code = value.get_type_string()
    if code in GETTERS:
        getter = "get_string" if code in TEXTS else "get_" + GETTERS[code]
        return getattr(GLib.Variant, "new_" + GETTERS[code])(getattr(value, getter)())
    if code == "v":
        return GLib.Variant.new_variant(rebuilt(value.get_variant()))
    children = [rebuilt(value.get_child_value(index)) for index in range(value.n_children())]
    if code.startswith("a{") or code.startswith("a"):
        return GLib.Variant.new_array(GLib.VariantType.new(code[1:]), children)
    if code.startswith("{"):
        return GLib.Variant.new_dict_entry(*children)
    return GLib.Variant.new_tuple(*children)


def written(body):
    message = Gio.DBusMessage.new_signal("/written", "org.example.Written", "Again")
    message.set_serial(1)
    if body is not None:
        message.set_body(rebuilt(body))
    return bytes(message.to_blob(CAPABILITIES)).hex()


def read(data):
    message = Gio.DBusMessage.new_from_blob(data, CAPABILITIES)
    body = message.get_body()
    return {
        "outcome": "message",
        "type": int(message.get_message_type()),
        "serial": message.get_serial(),
        "replySerial": message.get_reply_serial() or None,
        "path": message.get_path(),
        "interface": message.get_interface(),
        "member": message.get_member(),
        "errorName": message.get_error_name(),
        "destination": message.get_destination(),
        "sender": message.get_sender(),
        "signature": message.get_signature() or "",
        "body": [] if body is None else typed(body)[1:],
        "written": written(body),
    }


read_lines(read)
