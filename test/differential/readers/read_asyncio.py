"""Readings of dbus-next or dbus-fast: read_asyncio.py dbus_next|dbus_fast. Their unmarshallers, every value by the
signature that it has there, and the same values once more as their marshallers write them.
"""
import importlib
import io
import sys

from typed_text import basic, read_lines

library = importlib.import_module(sys.argv[1])
Unmarshaller = importlib.import_module(sys.argv[1] + "._private.unmarshaller").Unmarshaller
Variant = library.Variant


def typed(type_, value):
    code = type_.token
    if code == "v":
        return ["v", typed(value.type, value.value)]
    if code == "(":
        return [type_.signature] + [typed(*pair) for pair in zip(type_.children, value)]
    if code != "a":
        return basic(code, value)
    element = type_.children[0]
    if element.token == "y":
        return "ay " + bytes(value).hex()
    if element.token != "{":
        return [type_.signature] + [typed(element, item) for item in value]
    key_type, value_type = element.children
    items = [typed(*pair) for key, item in value.items() for pair in ((key_type, key), (value_type, item))]
    return [type_.signature] + items


def written(message):
    again = library.Message(
        message_type=library.MessageType.SIGNAL, path="/written", interface="org.example.Written", member="Again",
        signature=message.signature, body=message.body, serial=1,
    )
    try:
        return bytes(again._marshall(False)).hex()
    except TypeError:  # an older one has no parameter
        return bytes(again._marshall()).hex()


def read(data):
    message = Unmarshaller(io.BytesIO(data)).unmarshall()
    if message is None:
        return {"outcome": "waiting"}
    types = library.SignatureTree(message.signature).types if hasattr(library, "SignatureTree") else message.signature_tree.types
    return {
        "outcome": "message",
        "type": message.message_type.value,
        "serial": message.serial,
        "replySerial": message.reply_serial or None,
        "path": message.path,
        "interface": message.interface,
        "member": message.member,
        "errorName": message.error_name,
        "destination": message.destination,
        "sender": message.sender,
        "signature": message.signature,
        "body": [typed(*pair) for pair in zip(types, message.body)],
        "written": written(message),
    }


read_lines(read)
