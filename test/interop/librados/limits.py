"""How long names, how large values and objects may be, and what is said of those beyond."""

from api import reading as r, start, writing as w
from steps import step

io = start()
MB = 1 << 20

for length in (1, 255, 256, 1024, 2047, 2048, 2049, 4096):
    step("object name of %d" % length, [io.write_full(b"n" * length, b"x"), io.read(b"n" * length)])
step("object name of 2049, stat", io.stat(b"n" * 2049))
step("object name of 2049, remove", io.remove(b"n" * 2049))
step("no object name, write", io.write_full(b"", b"x"))
step("no object name, read", io.read(b""))
step("no object name, stat", io.stat(b""))
step("no object name, remove", io.remove(b""))
step("no object name, compound read", io.read_op(b"", r.stat()))
for name in (b".", b"..", b"a/b", b"\xff\xfe", b" ", b"a\nb", b"_", b"%", b"x_head", b"\x01"):
    step("object name " + repr(name), [io.write_full(name, b"x"), io.read(name), io.remove(name)])

for length in (1, 255, 256, 257, 2048):
    io.set_namespace(b"s" * length)
    step("namespace of %d" % length, [io.write_full(b"a", b"x"), io.read(b"a"), io.stat(b"a")])
io.set_namespace(b"")
for length in (1, 2047, 2048, 2049):
    io.set_locator(b"l" * length)
    step("locator of %d" % length, [io.write_full(b"a", b"x"), io.read(b"a")])
io.set_locator(None)

for length in (1, 100, 101, 255, 256, 1000):
    step("xattr name of %d" % length, [io.setxattr(b"x", b"n" * length, b"v"), io.getxattr(b"x", b"n" * length)])
step("xattr name of 101, remove", io.rmxattr(b"x", b"n" * 101))
step("xattr name of 101, compare", io.read_op(b"x", r.cmpxattr(b"n" * 101, 1, b"v")))
step("xattr name of 101 makes no object", [io.setxattr(b"x2", b"n" * 101, b"v"), io.stat(b"x2")])
for length in (4096, 65535, 65536, 65537, MB):
    step("xattr value of %d" % length, [io.setxattr(b"v", b"large", b"v" * length), io.getxattr(b"v", b"large", MB)])
step("xattrs of 640 KB", io.write_op(b"vs", *[w.setxattr(b"%d" % i, b"v" * 65536) for i in range(10)]))

for length in (1024, 65536, 2 * MB):
    step("omap key of %d" % length, [io.write_op(b"k", w.omap_set({b"k" * length: b"v"})), io.read_op(b"k", r.omap_vals_by_keys(b"k" * length))])
step("omap value of 8 MB", [io.write_op(b"ov", w.omap_set({b"k": b"v" * (8 * MB)})), io.read_op(b"ov", r.omap_vals_by_keys(b"k"))])

step("write at the largest size", io.write(b"large", b"x", 128 * MB - 1))
step("write at the largest size, stat", io.stat(b"large"))
step("write across the largest size", io.write(b"large", b"xy", 128 * MB - 1))
step("write at the end of the largest size", io.write(b"large", b"x", 128 * MB))
step("write behind the largest size", io.write(b"large", b"x", 128 * MB + 1))
step("write nothing at the largest size", io.write(b"large", b"", 128 * MB))
step("write nothing before the largest size", io.write(b"large", b"", 128 * MB - 1))
step("write at 4 GB", io.write(b"large", b"x", 1 << 32))
step("write at the largest offset", io.write(b"large", b"x", (1 << 64) - 1))
step("write at the largest signed offset", io.write(b"large", b"x", (1 << 63) - 1))
step("write too far makes no object", [io.write(b"far", b"x", 128 * MB), io.stat(b"far")])
step("append to the largest size", io.append(b"large", b"x"))
step("append nothing to the largest size", io.append(b"large", b""))
step("trunc to the largest size", [io.trunc(b"large", 128 * MB), io.stat(b"large")])
step("trunc to more than the largest size", [io.trunc(b"large", 128 * MB + 1), io.stat(b"large")])
step("trunc to the largest number", io.trunc(b"large", (1 << 64) - 1))
step("trunc of no object to too much", io.trunc(b"far", 128 * MB + 1))
step("zero up to the largest size", io.write_op(b"large", w.zero(0, 128 * MB)))
step("zero of more than the largest size", io.write_op(b"large", w.zero(0, 128 * MB + 1)))
step("zero at the largest size", io.write_op(b"large", w.zero(128 * MB, 1)))
step("zero of no object of too much", io.write_op(b"far", w.zero(0, 128 * MB + 1)))
step("writesame across the largest size", io.writesame(b"large", b"ab", 4, 128 * MB - 2))
step("writesame of more than the largest size", io.writesame(b"large", b"x" * MB, 256 * MB))
step("cmpext across the largest size", io.cmpext(b"large", b"\0\0\0\0", 128 * MB - 2))
step("read of more than the largest size", io.read_op(b"large", r.read(0, 1)))
step("write of 90 MB", [io.write(b"w", bytes(90 * MB)), io.stat(b"w")])
step("write of more than 90 MB", [io.write(b"w2", bytes(90 * MB + 1)), io.stat(b"w2")])
step("write_full of more than 90 MB", [io.write_full(b"w2", bytes(90 * MB + 1)), io.stat(b"w2")])
step("remove of large objects", [io.remove(b"w"), io.remove(b"large")])
