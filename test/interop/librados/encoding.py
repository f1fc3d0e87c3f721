"""Ceph's encodings, by hand: what the methods of object classes take and give."""

import struct


def u8(value):
    return struct.pack("<B", value)


def u32(value):
    return struct.pack("<I", value)


def i32(value):
    return struct.pack("<i", value)


def u64(value):
    return struct.pack("<Q", value)


def string(value):
    return u32(len(value)) + value


def time(sec, nsec=0):
    return u32(sec) + u32(nsec)


def versioned(version, compat, *parts):
    body = b"".join(parts)
    return u8(version) + u8(compat) + string(body)


def v1(*parts):
    return versioned(1, 1, *parts)


def listed(items):
    return u32(len(items)) + b"".join(items)


def entity(kind, number):
    return u8(kind) + struct.pack("<q", number)
