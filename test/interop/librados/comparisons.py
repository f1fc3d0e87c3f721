"""cmpxattr, cmpext and omap_cmp, alone and before a write."""

from ctypes import c_ubyte, c_uint64

import cxx
from api import EQ, GT, GTE, LT, LTE, NE, reading as r, start, writing as w
from steps import step

io = start()
io.write_op(
    b"a",
    w.write_full(b"0123456789"),
    w.setxattr(b"text", b"mmm"),
    w.setxattr(b"empty", b""),
    w.setxattr(b"number", b"100"),
    w.setxattr(b"huge", b"18446744073709551615"),
    w.setxattr(b"beyond", b"18446744073709551616"),
    w.setxattr(b"negative", b"-5"),
    w.setxattr(b"spaced", b" 42"),
    w.setxattr(b"trailing", b"42x"),
    w.setxattr(b"zeros", b"007"),
    w.setxattr(b"hex", b"0x10"),
    w.omap_set({b"k": b"mmm", b"empty": b""}),
)
NAMES = {EQ: "eq", NE: "ne", GT: "gt", GTE: "gte", LT: "lt", LTE: "lte"}
UNKNOWN = {0: "0", 7: "7", 255: "255"}


def numbers(kind):
    """cmpxattr with a number, which only the C++ interface has; the value's type is in the mangled name."""
    add = cxx.method("ObjectOperation", "cmpxattr", "PKchm")
    return lambda name, comparison, value: cxx.CxxOp(lambda op: add(op, name, c_ubyte(comparison), c_uint64(value)))


for given in (b"lll", b"mmm", b"nnn", b"", b"mm", b"mmmm", b"\xff"):
    results = {NAMES[op]: io.read_op(b"a", r.cmpxattr(b"text", op, given)) for op in NAMES}
    step("cmpxattr text with " + repr(given), results)
step("cmpxattr with an unknown comparison", {UNKNOWN[op]: io.read_op(b"a", r.cmpxattr(b"text", op, b"mmm")) for op in UNKNOWN})
for name in (b"empty", b"none"):
    for given in (b"", b"x"):
        results = {NAMES[op]: io.read_op(b"a", r.cmpxattr(name, op, given)) for op in NAMES}
        step("cmpxattr of %s with %r" % (name.decode(), given), results)
step("cmpxattr without a name", io.read_op(b"a", r.cmpxattr(b"", EQ, b"")))
step("cmpxattr of no object", io.read_op(b"nope", r.cmpxattr(b"text", EQ, b"")))
step("cmpxattr before a write", [io.write_op(b"a", w.cmpxattr(b"text", EQ, b"mmm"), w.setxattr(b"seen", b"1")), io.getxattr(b"a", b"seen")])
step("cmpxattr before a write that fails", [io.write_op(b"a", w.cmpxattr(b"text", GT, b"mmm"), w.setxattr(b"seen", b"2")), io.getxattr(b"a", b"seen")])
step("cmpxattr before a write, of no object", io.write_op(b"nope", w.cmpxattr(b"text", EQ, b""), w.write(b"x")))
step("cmpxattr after create", io.write_op(b"fresh", w.create(), w.cmpxattr(b"text", EQ, b"")))
step("cmpxattr after create, stat", io.stat(b"fresh"))

number = numbers(8)
for name in (b"number", b"huge", b"beyond", b"negative", b"spaced", b"trailing", b"zeros", b"hex", b"text", b"empty", b"none"):
    for given in (0, 7, 42, 100, (1 << 64) - 1):
        results = {NAMES[op]: cxx.read(io, b"a", number(name, op, given)) for op in NAMES}
        step("cmpxattr of %s with %d" % (name.decode(), given), results)
step("cmpxattr of a number with an unknown comparison", {UNKNOWN[op]: cxx.read(io, b"a", number(b"number", op, 100)) for op in UNKNOWN})
step("cmpxattr of a number of no object", cxx.read(io, b"nope", number(b"number", EQ, 0)))

step("cmpext", io.cmpext(b"a", b"0123"))
step("cmpext at an offset", io.cmpext(b"a", b"456", 4))
step("cmpext of all", io.cmpext(b"a", b"0123456789"))
step("cmpext differs at once", io.cmpext(b"a", b"x123"))
step("cmpext differs at 3", io.cmpext(b"a", b"012x"))
step("cmpext differs at 2 of an offset", io.cmpext(b"a", b"45x7", 4))
step("cmpext across the end", io.cmpext(b"a", b"89x", 8))
step("cmpext across the end with zeros", io.cmpext(b"a", b"89\0\0", 8))
step("cmpext behind the end", io.cmpext(b"a", b"x", 100))
step("cmpext behind the end with zeros", io.cmpext(b"a", b"\0\0", 100))
step("cmpext of nothing", io.cmpext(b"a", b"", 0))
step("cmpext of no object", io.cmpext(b"nope", b"x"))
step("cmpext of no object with zeros", io.cmpext(b"nope", b"\0"))
step("cmpext of no object makes none", io.stat(b"nope"))
step("cmpext at the largest offset", io.cmpext(b"a", b"x", (1 << 64) - 1))
step("cmpext before a write", [io.write_op(b"a", w.cmpext(b"0"), w.write(b"A")), io.read(b"a")])
step("cmpext before a write that fails", [io.write_op(b"a", w.cmpext(b"A1x"), w.write(b"B")), io.read(b"a")])
step("cmpext before a write, of no object", [io.write_op(b"cn", w.cmpext(b"x"), w.write(b"B")), io.read(b"cn")])
step("cmpext before a write, of no object with zeros", [io.write_op(b"cz", w.cmpext(b"\0\0"), w.write(b"B")), io.read(b"cz")])
io.write_full(b"long", b"x" * 10_000)
step("cmpext differs far behind", io.cmpext(b"long", b"x" * 9_999 + b"y"))
step("cmpext of a hole", [io.write(b"gap", b"x", 100), io.cmpext(b"gap", b"\0" * 100 + b"x")])

for given in (b"lll", b"mmm", b"nnn", b"", b"mm", b"mmmm"):
    results = {NAMES[op]: io.read_op(b"a", r.omap_cmp(b"k", op, given)) for op in NAMES}
    step("omap_cmp with " + repr(given), results)
step("omap_cmp with an unknown comparison", {UNKNOWN[op]: io.read_op(b"a", r.omap_cmp(b"k", op, b"mmm")) for op in UNKNOWN})
for key in (b"empty", b"none"):
    for given in (b"", b"x"):
        results = {NAMES[op]: io.read_op(b"a", r.omap_cmp(key, op, given)) for op in NAMES}
        step("omap_cmp of %s with %r" % (key.decode(), given), results)
step("omap_cmp of no object", io.read_op(b"nope", r.omap_cmp(b"k", EQ, b"")))
step("omap_cmp of no object before a write", [io.write_op(b"on", w.omap_cmp(b"k", EQ, b""), w.write(b"x")), io.stat(b"on")])
step("omap_cmp twice", io.read_op(b"a", r.omap_cmp(b"k", EQ, b"mmm"), r.omap_cmp(b"empty", EQ, b"x")))
step("omap_cmp before a write", [io.write_op(b"a", w.omap_cmp(b"k", EQ, b"mmm"), w.omap_set({b"seen": b"1"})), io.read_op(b"a", r.omap_vals_by_keys(b"seen"))])
step("omap_cmp before a write that fails", [io.write_op(b"a", w.omap_cmp(b"k", LT, b"mmm"), w.omap_set({b"seen": b"2"})), io.read_op(b"a", r.omap_vals_by_keys(b"seen"))])
