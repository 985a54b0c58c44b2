"""A notation of D-Bus values that two programs can compare as text: compact JSON in ASCII that distinguishes the types.

Integers, booleans, strings, arrays and structs are JSON's. {"double": bits in hexadecimal}, {"bytes": hexadecimal} and
{"entries": [[key, value], ...]} are what their names say, and a variant is {"variant": signature, "value": value}.
"""
import json
import struct


def to_text(plain):
    """The text of a value that consists of JSON's types only."""
    return json.dumps(plain, ensure_ascii=True, separators=(",", ":"))


def double(value):
    return {"double": struct.pack(">d", value).hex()}


def double_of(plain):
    return struct.unpack(">d", bytes.fromhex(plain["double"]))[0]


def to_plain(value, Variant):
    """JSON's types for a value as dbus-next and dbus-fast decode it; Variant is the library's class."""
    if isinstance(value, Variant):
        return {"variant": value.signature, "value": to_plain(value.value, Variant)}
    if isinstance(value, float):
        return double(value)
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": value.hex()}
    if isinstance(value, (list, tuple)):
        return [to_plain(element, Variant) for element in value]
    if isinstance(value, dict):
        return {"entries": [[to_plain(key, Variant), to_plain(content, Variant)] for key, content in value.items()]}
    if isinstance(value, (bool, int, str)):
        return value
    raise TypeError(f"no D-Bus value: {value!r}")


def from_plain(plain, Variant):
    """The inverse of to_plain."""
    if isinstance(plain, list):
        return [from_plain(element, Variant) for element in plain]
    if not isinstance(plain, dict):
        return plain
    if "double" in plain:
        return double_of(plain)
    if "bytes" in plain:
        return bytes.fromhex(plain["bytes"])
    if "entries" in plain:
        return {from_plain(key, Variant): from_plain(value, Variant) for key, value in plain["entries"]}
    return Variant(plain["variant"], from_plain(plain["value"], Variant))
