"""Several ops in one read: each has its data and return value, and a failure ends the request."""

import cxx
from api import BALANCE_READS, FAILOK, IGNORE_CACHE, IGNORE_OVERLAY, LOCALIZE_READS, ORDER_READS_WRITES
from api import RETURNVEC, SKIP_RW_LOCKS, flagged, reading as r, start, writing as w
from steps import step

io = start()
io.write_op(b"a", w.write(b"hello world"), w.setxattr(b"x", b"1"), w.setxattr(b"y", b""), w.omap_set({b"k": b"v"}))
version = io.last_version()

step("no op at all", io.read_op(b"a"))
step("no op at all of no object", io.read_op(b"none"))
step("read", io.read_op(b"a", r.read()))
step("read, stat, xattrs, omap", io.read_op(b"a", r.read(6, 5), r.stat(), r.getxattrs(), r.omap_vals()))
step("read twice", io.read_op(b"a", r.read(0, 2), r.read(9, 100)))
step("read behind the end", io.read_op(b"a", r.read(100, 10)))
step("read of no length", io.read_op(b"a", r.read(2, 0)))
step("read at the largest offset", io.read_op(b"a", r.read((1 << 64) - 1, 10)))
step("of no object", io.read_op(b"none", r.read(), r.stat(), r.getxattrs()))
step("stat", io.read_op(b"a", r.stat()))
step("stat of no object", io.read_op(b"none", r.stat()))
step("assert_exists", io.read_op(b"a", r.assert_exists()))
step("assert_exists of no object", io.read_op(b"none", r.assert_exists()))
step("assert_exists then read", io.read_op(b"a", r.assert_exists(), r.read()))
step("assert_version", io.read_op(b"a", r.assert_version(version), r.read()))
step("assert_version older", io.read_op(b"a", r.assert_version(version - 1), r.read()))
step("assert_version newer", io.read_op(b"a", r.assert_version(version + 1), r.read()))
step("assert_version 0", io.read_op(b"a", r.assert_version(0), r.read()))
step("assert_version of no object", io.read_op(b"none", r.assert_version(1)))
step("assert_version last", io.read_op(b"a", r.read(), r.assert_version(version - 1)))
step("version of a read", [io.read(b"a"), io.last_version() == version])

step("a failure in front", io.read_op(b"a", r.cmpxattr(b"x", 1, b"2"), r.read(), r.stat()))
step("a failure in the middle", io.read_op(b"a", r.read(), r.cmpxattr(b"x", 1, b"2"), r.stat()))
step("a failure at the end", io.read_op(b"a", r.read(), r.stat(), r.cmpxattr(b"x", 1, b"2")))
step("cmpxattr then read", io.read_op(b"a", r.cmpxattr(b"x", 1, b"1"), r.read()))
step("cmpxattr alone", io.read_op(b"a", r.cmpxattr(b"x", 1, b"1")))
step("cmpxattr last", io.read_op(b"a", r.read(), r.cmpxattr(b"x", 1, b"1")))
step("cmpext then read", io.read_op(b"a", r.cmpext(b"hello"), r.read()))
step("cmpext differs, then read", io.read_op(b"a", r.cmpext(b"hellO"), r.read()))
step("read, then cmpext differs", io.read_op(b"a", r.read(), r.cmpext(b"hellO"), r.stat()))
step("omap_cmp then read", io.read_op(b"a", r.omap_cmp(b"k", 1, b"v"), r.read()))
step("omap_cmp differs, then read", io.read_op(b"a", r.omap_cmp(b"k", 1, b"w"), r.read()))
step("omap_cmp of no object", io.read_op(b"none", r.omap_cmp(b"k", 1, b"w")))
step("a missing class, then read", io.read_op(b"a", r.exec(b"nope", b"m"), r.read()))
step("read, then a missing class", io.read_op(b"a", r.read(), r.exec(b"nope", b"m")))

step("failok in front", io.read_op(b"a", flagged(FAILOK, r.cmpxattr(b"x", 1, b"2")), r.read()))
step("failok in the middle", io.read_op(b"a", r.stat(), flagged(FAILOK, r.cmpext(b"zzz")), r.read()))
step("failok at the end", io.read_op(b"a", r.read(), flagged(FAILOK, r.cmpext(b"zzz"))))
step("failok of a missing class", io.read_op(b"a", flagged(FAILOK, r.exec(b"nope", b"m")), r.read()))
step("failok of a read of no object", io.read_op(b"none", flagged(FAILOK, r.read()), r.stat()))
step("failok of an omap_cmp", io.read_op(b"a", flagged(FAILOK, r.omap_cmp(b"k", 1, b"w")), r.read()))
step("failok of assert_version", io.read_op(b"a", flagged(FAILOK, r.assert_version(version - 1)), r.read()))

for name, flags in {
    "balance_reads": BALANCE_READS,
    "localize_reads": LOCALIZE_READS,
    "both": BALANCE_READS | LOCALIZE_READS,
    "order_reads_writes": ORDER_READS_WRITES,
    "ignore_cache": IGNORE_CACHE,
    "ignore_overlay": IGNORE_OVERLAY,
    "skip_rw_locks": SKIP_RW_LOCKS,
    "returnvec": RETURNVEC,
}.items():
    step("with " + name, io.read_op(b"a", r.read(), r.stat(), flags=flags))
    step("with " + name + ", of no object", io.read_op(b"none", r.read(), flags=flags))

step("balanced reads, many", sum(io.read_op(b"a", r.read(), flags=BALANCE_READS)[0] for _ in range(20)))
step("balanced read after a write", [io.write_full(b"bal", b"new"), io.read_op(b"bal", r.read(), flags=BALANCE_READS)])
step("balanced read of omap", io.read_op(b"a", r.omap_vals(), flags=BALANCE_READS))
step("fadvise flags", io.read_op(b"a", flagged(0x04 | 0x20, r.read())))
step("asynchronously", io.read_op(b"a", r.read(), r.stat(), asynchronous=True))
step("asynchronously, of no object", io.read_op(b"none", r.read(), asynchronous=True))
step("asynchronously, failing", io.read_op(b"a", r.read(), r.cmpxattr(b"x", 1, b"2"), asynchronous=True))
step("a hundred reads", [each[1] for each in io.read_op(b"a", *[r.read(i % 11, 1) for i in range(100)])[1:]])

step("sparse read in a compound", cxx.read(io, b"a", cxx.op_sparse_read(0, 5), cxx.op_sparse_read(6, 100)))
step("sparse read of no object in a compound", cxx.read(io, b"none", cxx.op_sparse_read(0, 5)))
step("sparse read after a failure", cxx.read(io, b"a", r.cmpext(b"zz"), cxx.op_sparse_read(0, 5)))
step("stat2 with a time", [io.write_op(b"t", w.write(b"x"), mtime=1_234_567_890), cxx.read(io, b"t", cxx.op_stat2())])
step("stat2 of no object", cxx.read(io, b"none", cxx.op_stat2()))
step("list_watchers", cxx.read(io, b"a", cxx.op_list_watchers()))
step("list_watchers of no object", cxx.read(io, b"none", cxx.op_list_watchers()))
step("list_snaps", cxx.read(io, b"a", cxx.op_list_snaps()))
step("list_snaps of no object", cxx.read(io, b"none", cxx.op_list_snaps()))
step("is_dirty", cxx.read(io, b"a", cxx.op_is_dirty()))
step("is_dirty of no object", cxx.read(io, b"none", cxx.op_is_dirty()))
for name in ("cache_flush", "cache_try_flush", "cache_evict"):
    step(name, cxx.read(io, b"a", cxx.op_plain("ObjectReadOperation", name)))
