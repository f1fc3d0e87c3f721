"""The classes `hello`, `numops`, `version` and `refcount`."""

from api import FAILOK, RETURNVEC, C, flagged, start, reading as r, writing as w
from encoding import listed, string, u32, u64, u8, v1, versioned
from steps import step

io = start()


def hello(name, method, data=b""):
    return io.exec(name, b"hello", method, data)


def by_whom(value):
    """`client.4161 127.0.0.1:0/1234`, without the numbers."""
    if not isinstance(value, bytes):
        return value
    name, address = value.split(b" ")
    return name.split(b".")[0] + b" " + address.split(b"/")[0]


io.write_full(b"a", b"data")
step("say", hello(b"a", b"say_hello"))
step("say to somebody", hello(b"a", b"say_hello", b"you"))
step("say to too many", hello(b"a", b"say_hello", b"y" * 101))
step("say on no object", hello(b"none", b"say_hello"))
step("say into little room", io.exec(b"a", b"hello", b"say_hello", b"", 5))
step("record", hello(b"h", b"record_hello", b"you"))
step("record, read", io.read(b"h"))
step("record, by whom", by_whom(io.getxattr(b"h", b"said_by")))
step("record twice", hello(b"h", b"record_hello"))
step("record of too much", hello(b"new", b"record_hello", b"y" * 101))
step("replay", hello(b"h", b"replay"))
step("replay of no object", hello(b"none", b"replay"))
step("turn", [hello(b"h", b"turn_it_to_11"), hello(b"h", b"replay"), by_whom(io.getxattr(b"h", b"amplified_by"))])
step("turn with input", hello(b"h", b"turn_it_to_11", b"x"))
step("turn of no object", hello(b"none", b"turn_it_to_11"))
step("turn of no object makes none", io.stat(b"none"))
step("a reader that is marked a writer", hello(b"h", b"bad_reader"))
step("a writer that is marked a reader", hello(b"h", b"bad_writer", b"x"))
step("a writer that is marked a reader, read", io.read(b"h"))
step("a write that returns", hello(b"w", b"write_return_data"))
step("a write that returns, xattr", io.getxattr(b"w", b"foo"))
step("a write that returns nothing", hello(b"w", b"writes_dont_return_data"))
step("a write that returns too much", hello(b"w", b"write_too_much_return_data"))
step("a write that fails", hello(b"w2", b"write_return_data", b"x"))
step("a write that fails makes none", io.stat(b"w2"))
for method in (b"write_return_data", b"writes_dont_return_data", b"write_too_much_return_data"):
    for flags in (0, RETURNVEC):
        step("%s, flags %d" % (method.decode(), flags), io.write_op(b"w", w.exec(b"hello", method), flags=flags))
        step("%s, flags %d, input" % (method.decode(), flags), io.write_op(b"w", w.exec(b"hello", method, b"x"), flags=flags))
step("several", io.write_op(b"w", w.exec(b"hello", b"write_return_data"), w.append(b"x"), w.exec(b"hello", b"write_return_data"), flags=RETURNVEC))
step("several, the second fails", io.write_op(b"w", w.append(b"y"), w.exec(b"hello", b"write_return_data", b"x"), w.append(b"z"), flags=RETURNVEC))
step("several, the second may fail", io.write_op(b"w", w.append(b"y"), flagged(FAILOK, w.exec(b"hello", b"write_return_data", b"x")), w.append(b"z")))
step("several, read", io.read(b"w"))
step("a read in a write", io.write_op(b"w", w.exec(b"hello", b"say_hello"), w.append(b"!")))
step("a read in a write, returned", io.write_op(b"w", w.exec(b"hello", b"say_hello"), w.append(b"!"), flags=RETURNVEC))
step("reads", io.read_op(b"w", r.exec(b"hello", b"say_hello", b"one"), r.read(), r.exec(b"hello", b"say_hello", b"two")))
step("a read into little room", io.read_op(b"w", r.exec(b"hello", b"say_hello", b"one", room=3)))
step("reads, one fails", io.read_op(b"w", r.exec(b"hello", b"say_hello", b"y" * 101), r.read()))
step("reads, one may fail", io.read_op(b"w", flagged(FAILOK, r.exec(b"hello", b"say_hello", b"y" * 101)), r.read()))
buffer = b"\0" * 64
step("asynchronously", [io.aio(C.rados_aio_exec, b"a", b"hello", b"say_hello", b"", 0, buffer, 64), buffer.rstrip(b"\0")])
step("record in a write", [io.write_op(b"r", w.append(b"x"), w.exec(b"hello", b"record_hello")), io.stat(b"r")])
step("record, then more", [io.write_op(b"r2", w.exec(b"hello", b"record_hello"), w.append(b"x")), io.read(b"r2")])
step("remove, then record", [io.write_op(b"r2", w.remove(), w.exec(b"hello", b"record_hello", b"2")), io.read(b"r2")])
step("a missing method", hello(b"a", b"nope"))
step("a method in a longer name", hello(b"a", b"say_hello_"))
step("a class that is allowed and not there", io.exec(b"a", b"sdk", b"test_coverage_write", b""))

VALUE = b"v"


def change(name, method, by, key=VALUE):
    return io.exec(name, b"numops", method, string(key) + string(by))


def value(name, key=VALUE):
    result = io.read_op(name, r.omap_vals_by_keys(key))
    return result[1][1].get(key) if isinstance(result, tuple) and result[1][1] is not None else result


step("add to nothing", [change(b"n", b"add", b"3"), value(b"n")])
step("multiply nothing", [change(b"n", b"mul", b"3", b"w"), value(b"n", b"w")])
for number in (b"4", b"-10", b"0.5", b"1e10", b"-1e10", b".1", b"+7", b" 8", b"\t\n9", b"0x10", b"0x.8p1", b"1e300", b"-1e300", b"12345678901", b"0.00001", b"1.", b"-0"):
    step("add " + repr(number), [change(b"n", b"add", number), value(b"n")])
step("set anew", [io.write_op(b"n", w.omap_set({VALUE: b"2"})), change(b"n", b"mul", b"1.5"), value(b"n")])
for i, number in enumerate((b"-3", b"1e-9", b"1e9", b"1e200", b"1e-300", b"1e-300", b"1e200", b"1e200", b"1e200", b"0")):
    step("multiply, %d, by %r" % (i, number), [change(b"n", b"mul", number), value(b"n")])
for number in (b"", b"abc", b"1x", b"1 ", b"1e", b"0x", b"--1", b"1,5", b"\xff", b"1\0x", b"e5", b".", b"+", b"0xg"):
    step("add, not a number " + repr(number), [change(b"n2", b"add", number), value(b"n2")])
for number in (b"inf", b"-inf", b"INFINITY", b"nan", b"-nan", b"nan(12)", b"1e999", b"-1e999", b"1e-999", b"infinit"):
    step("add to 1, " + repr(number), [io.write_op(b"n3", w.omap_set({VALUE: b"1"})), change(b"n3", b"add", number), value(b"n3")])
for number in (b"1234567890.5", b"12345678905", b"12345678915", b"99999999995", b"99999999999", b"0.0001", b"0.00001234567", b"123456789012345678", b"0.1", b"1e-5", b"1e15", b"1e100", b"5e-324", b"1.7976931348623157e308"):
    step("shown " + repr(number), [change(b"n4", b"add", number, number), value(b"n4", number)])
for stored in (b"abc", b"5x", b"5 ", b" 5", b"", b"0x10", b"nan", b"5\0x"):
    step("stored " + repr(stored), [io.write_op(b"n5", w.omap_set({VALUE: stored})), change(b"n5", b"add", b"1"), value(b"n5")])
step("nothing to decode", [io.exec(b"n", b"numops", method, data) for method in (b"add", b"mul") for data in (b"", b"\1\0\0\0", string(b"k"), string(b"k") + b"\xff\xff\xff\xff")])
step("bytes behind", [io.exec(b"n6", b"numops", b"add", string(b"k") + string(b"1") + b"rest"), value(b"n6", b"k")])
step("an empty key", [change(b"n6", b"add", b"1", b""), value(b"n6", b"")])
step("twice in one, of no object", [io.write_op(b"n7", *[w.exec(b"numops", b"add", string(VALUE) + string(b"2"))] * 2), value(b"n7")])
step("twice in one", [io.write_op(b"n7", *[w.exec(b"numops", b"add", string(VALUE) + string(b"2"))] * 2), value(b"n7")])
step("set and add in one", [io.write_op(b"n7", w.omap_set({VALUE: b"100"}), w.exec(b"numops", b"add", string(VALUE) + string(b"2"))), value(b"n7")])
step("numops has no sub", change(b"n", b"sub", b"1"))


def version(ver, tag):
    return v1(u64(ver), string(tag))


def conditions(*conds):
    return v1(version(0, b""), listed([v1(version(ver, tag), u32(cond)) for cond, ver, tag in conds]))


def read_version(name):
    """The number, and how long the tag is where it was drawn."""
    result = io.exec(name, b"version", b"read", b"")
    if not isinstance(result, bytes):
        return result
    tag = result[24:]
    return (result[:20].hex(), tag if len(tag) < 24 else len(tag))


io.write_full(b"v", b"")
step("version of none", read_version(b"v"))
step("version of no object", read_version(b"none"))
step("version set", [io.exec(b"v", b"version", b"set", v1(version(5, b"tag"))), read_version(b"v"), io.getxattr(b"v", b"ceph.objclass.version")])
step("version set on no object", [io.exec(b"v2", b"version", b"set", v1(version(2**64 - 1, b""))), read_version(b"v2")])
step("version incremented", [io.exec(b"v", b"version", b"inc", conditions()), read_version(b"v")])
step("version incremented beyond all", [io.exec(b"v2", b"version", b"inc", conditions()), read_version(b"v2")])
step("version begun", [io.exec(b"v3", b"version", b"inc", conditions()), read_version(b"v3")])
step("version begun with a condition", [io.exec(b"v4", b"version", b"inc_conds", conditions((1, 1, b""))), io.stat(b"v4")])
step("version begun with a condition that holds", [io.exec(b"v4", b"version", b"inc_conds", conditions((2, 0, b""))), read_version(b"v4")])
for cond in range(10):
    for ver, tag in ((6, b"tag"), (6, b"gat"), (5, b"tag"), (7, b"tag")):
        step("condition %d %d %s" % (cond, ver, tag.decode()), io.exec(b"v", b"version", b"check_conds", conditions((cond, ver, tag))))
step("several conditions", [io.exec(b"v", b"version", b"check_conds", conditions((1, 6, b"tag"), (cond, 6, b""))) for cond in (2, 3)])
step("conditions on none", [io.write_full(b"v5", b""), *[io.exec(b"v5", b"version", b"check_conds", conditions((cond, 0, b""))) for cond in range(8)]])
step("conditions on no object", io.exec(b"none", b"version", b"check_conds", conditions((1, 0, b""))))
step("a failed condition increments nothing", [io.exec(b"v", b"version", b"inc_conds", conditions((2, 6, b""))), read_version(b"v")])
step("nothing to decode, version", [io.exec(b"v", b"version", method, data) for method in (b"set", b"inc", b"inc_conds", b"check_conds") for data in (b"", b"\1\1\xff\0\0\0", v1())])
step("a stored version that does not decode", [io.setxattr(b"v6", b"ceph.objclass.version", b"x"), read_version(b"v6"), io.exec(b"v6", b"version", b"inc", conditions())])
step("a write under a condition", [io.write_op(b"v", w.exec(b"version", b"check_conds", conditions((1, 6, b"tag"))), w.exec(b"version", b"inc", conditions()), w.append(b"x")), read_version(b"v"), io.read(b"v")])


def taken(method, tag, implicit=0):
    return io.exec(b"ref", b"refcount", method, v1(string(tag), u8(implicit)))


def references(name=b"ref", implicit=0):
    return io.exec(name, b"refcount", b"read", v1(u8(implicit)))


step("references of no object", [references(), taken(b"get", b"a"), taken(b"put", b"a")])
io.write_full(b"ref", b"")
step("references of none", [references(), references(implicit=1)])
step("put without any", [taken(b"put", b"a"), taken(b"put", b"", 0)])
step("taken", [taken(b"get", b"b"), taken(b"get", b"a"), taken(b"get", b"a"), references(), io.getxattr(b"ref", b"refcount")])
step("put", [taken(b"put", b"b"), references(), io.getxattr(b"ref", b"refcount")])
step("put of another", [taken(b"put", b"c"), references()])
step("put again", [taken(b"put", b"b"), references()])
step("taken again, and put", [taken(b"get", b"b"), taken(b"put", b"b"), references()])
step("references set", [io.exec(b"ref", b"refcount", b"set", v1(listed([string(b"y"), string(b"x"), string(b"y")]))), references()])
step("put all", [taken(b"put", b"x"), taken(b"put", b"y"), io.stat(b"ref")])
io.write_full(b"ref", b"")
step("implicit, taken", [taken(b"get", b"a", 1), references(), references(implicit=1)])
step("implicit, put", [taken(b"put", b"z", 1), references(), taken(b"put", b"q", 1), references()])
step("implicit, put all", [taken(b"put", b"a", 1), io.stat(b"ref")])
io.write_full(b"ref", b"")
step("implicit, put at once", [taken(b"put", b"a", 1), io.stat(b"ref")])
io.write_full(b"ref", b"")
step("set to none", [io.exec(b"ref", b"refcount", b"set", v1(listed([]))), io.stat(b"ref"), io.exec(b"ref", b"refcount", b"set", v1(listed([])))])
step("an older count", [io.setxattr(b"ref", b"refcount", versioned(1, 1, listed([string(b"o") + u8(1)]))), references(), taken(b"get", b"p"), io.getxattr(b"ref", b"refcount")])
step("a stored count that does not decode", [io.setxattr(b"ref", b"refcount", b"x"), references(), taken(b"get", b"p")])
step("nothing to decode, refcount", [io.exec(b"ref", b"refcount", method, data) for method in (b"get", b"put", b"set", b"read") for data in (b"", v1(), v1(b"\xff\xff\xff\xff"))])
step("refcount has no chunks", io.exec(b"ref", b"refcount", b"chunk_get", v1(string(b""))))
