"""What every program here prints: one line a step, `name: result`, equal on every cluster that behaves the same."""

import errno
import zlib

LONGEST_SHOWN = 64

_names = set()


def step(name, result):
    if name in _names:
        raise SystemExit("two steps have the name " + name)
    _names.add(name)
    print("%s: %s" % (name, canonical(result)), flush=True)


def canonical(result):
    if isinstance(result, bool) or result is None:
        return str(result)
    if isinstance(result, int):
        return number(result)
    if isinstance(result, (bytes, bytearray)):
        return data(bytes(result))
    if isinstance(result, str):
        return result
    if isinstance(result, dict):
        return "{" + ", ".join(canonical(key) + "=" + canonical(value) for key, value in result.items()) + "}"
    if isinstance(result, list):
        return "[" + ", ".join(canonical(each) for each in result) + "]"
    if isinstance(result, tuple):
        return "(" + ", ".join(canonical(each) for each in result) + ")"
    raise TypeError("no canonical form for " + repr(result))


def number(result):
    """Small negative numbers are errnos; the others, such as the offset of a cmpext mismatch, stay numbers."""
    if result == -errno.ETIMEDOUT:
        raise SystemExit("a request was not answered")
    return "-" + errno.errorcode[-result] if -result in errno.errorcode else str(result)


def data(result):
    """Text as it is, other bytes in hex; long ones, or zeros, by length and checksum."""
    if len(result) > LONGEST_SHOWN:
        return "%d bytes, crc32 %08x" % (len(result), zlib.crc32(result))
    if all(0x20 <= byte < 0x7F and byte not in b"'\\" for byte in result):
        return "'" + result.decode("ascii") + "'"
    return "0x" + result.hex()
