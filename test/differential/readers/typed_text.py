"""The shared code of the readers in Python: messages in hexadecimal, one a line, and readings as JSON, one a line.

See reading.ts and typed-text.ts for their form.
"""
import json
import math
import struct
import sys


def basic(code, value):
    if code == "b":
        return "b true" if value else "b false"
    if code == "d":
        return "d nan" if math.isnan(value) else "d " + struct.pack(">d", value).hex()
    return f"{code} {value}"


def to_json(reading):
    """Lone surrogates cannot be printed; nothing that is valid has them."""
    return json.dumps(reading, ensure_ascii=True, separators=(",", ":"))


def read_lines(read):
    """Prints what read(bytes) returns for each line. An exception means that it is not a message, or an invalid one."""
    sys.setrecursionlimit(10_000)
    for line in sys.stdin:
        try:
            reading = read(bytes.fromhex(line))
        except Exception as error:
            reading = {"outcome": "nothing", "because": f"{type(error).__name__}: {error}"}
        print(to_json(reading), flush=True)
