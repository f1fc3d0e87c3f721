"""The classes `log`, `timeindex` and `user`."""

import re

from api import start, reading as r, writing as w
from encoding import i32, listed, string, time, u32, u64, u8, v1, versioned
from steps import step

io = start()


def anonymous(value):
    """Without the PG's version in the keys of a log, which is another in every run."""
    if isinstance(value, (list, tuple)):
        return type(value)(anonymous(each) for each in value)
    if isinstance(value, dict):
        return {anonymous(key): anonymous(each) for key, each in value.items()}
    if not isinstance(value, bytes):
        return value
    return re.sub(rb"([\x00-\xff]{3}\x00)?(1_\d{10}\.\d+_)\d+(\.\d+)", rb"\2N\3", value)


def shown(name, prefix=b""):
    return anonymous(io.read_op(name, r.omap_vals(most=100, prefix=prefix)))


def keys(name):
    return anonymous(io.read_op(name, r.omap_keys(most=100)))


def count(name):
    return len(io.read_op(name, r.omap_keys(most=10000))[1][1])


def header(name):
    result = io.exec(name, b"log", b"info", v1())
    return anonymous(result)


def entry(sec, nsec=0, section=b"s", name=b"n", data=b"d", identity=b""):
    return versioned(2, 1, string(section), string(name), time(sec, nsec), string(data), string(identity))


def add(name, *entries, monotonic=1):
    return io.exec(name, b"log", b"add", versioned(2, 1, listed(entries), u8(monotonic)))


def listing(name, begin=time(0), end=time(0), marker=b"", most=0):
    return anonymous(io.exec(name, b"log", b"list", v1(begin, string(marker), end, i32(most)), 1 << 20))


def trim(name, begin=time(0), end=time(0), first=b"", last=b""):
    return io.exec(name, b"log", b"trim", versioned(2, 1, begin, end, string(first), string(last)))


step("log of no object", [listing(b"none"), header(b"none"), trim(b"none", end=time(9))])
step("add", add(b"l", entry(100, 5000), entry(200, 999999999, b"section", b"name", b"data")))
step("add, stored", shown(b"l"))
step("add, header", header(b"l"))
step("add, earlier", [add(b"l", entry(50)), keys(b"l"), header(b"l")])
step("add, earlier, not monotonic", [add(b"l", entry(60), monotonic=0), keys(b"l"), header(b"l")])
step("add, with a name", [add(b"l", entry(70, 0, identity=b"zz")), keys(b"l"), header(b"l")])
step("add, in the old way", [io.exec(b"l3", b"log", b"add", v1(listed([v1(string(b"s"), string(b"n"), time(5), string(b"d"))]))), shown(b"l3")])
step("add nothing", [add(b"l4"), keys(b"l4"), header(b"l4"), io.stat(b"l4")])
step("add, two at one time", [add(b"l5", entry(1), entry(1)), keys(b"l5")])
step("add, too many nanoseconds", [add(b"l6", entry(1, 4000000000)), keys(b"l6"), header(b"l6")])
step("add in one with others", [io.write_op(b"l7", w.append(b"x"), w.exec(b"log", b"add", versioned(2, 1, listed([entry(1)]), u8(1))), w.exec(b"log", b"add", versioned(2, 1, listed([entry(2)]), u8(1)))), keys(b"l7")])
step("add, the latest time there is", [add(b"l8", entry(4294967295, 999999999)), keys(b"l8")])
add(b"m", *[entry(i, 0, b"s%d" % i) for i in range(1, 11)])
step("list", listing(b"m"))
step("list, three", listing(b"m", most=3))
step("list, negative", listing(b"m", most=-1))
step("list, from a time", listing(b"m", time(8)))
step("list, between times", listing(b"m", time(3), time(5)))
step("list, until a time", listing(b"m", time(0), time(5)))
step("list, an end before the beginning", listing(b"m", time(5), time(3)))
step("list, between times, few", listing(b"m", time(3), time(5), most=2))
step("list, all that there are", listing(b"m", most=10))
step("list, behind a marker", listing(b"m", marker=b"1_0000000008.000000_\xff"))
step("list, behind a marker that is no key", [listing(b"m", marker=b"0"), listing(b"m", marker=b"2")])
step("list with what does not decode", [io.write_op(b"m", w.omap_set({b"1_0000000005.500000_x": b"rubbish"})), listing(b"m", time(5), time(7))])
step("list with other keys", [io.write_op(b"m", w.omap_set({b"0_before": b"", b"2_behind": b""})), listing(b"m", time(9))])
add(b"big", *[entry(1, i * 1000, b"", b"", b"") for i in range(1100)])
step("list of many", len(listing(b"big")))
step("trim of nothing", trim(b"m", time(100), time(200)))
step("trim", [trim(b"m", time(2), time(4)), keys(b"m")])
step("trim, again", trim(b"m", time(2), time(4)))
step("trim to a marker", [trim(b"m", time(0), time(0), b"", b"1_0000000005.500000_x"), keys(b"m")])
step("trim to a prefix", [trim(b"m", time(0), time(0), b"", b"1_0000000006"), keys(b"m")])
step("trim from a marker", [trim(b"m", time(0), time(8), b"1_0000000006"), keys(b"m")])
step("trim from a marker that is a key", [trim(b"m", time(0), time(0), b"0_before", b"3"), keys(b"m")])
step("trim of many", [count(b"big"), trim(b"big", time(0), time(5)), count(b"big"), trim(b"big", time(0), time(5)), count(b"big")])
step("trim in the old way", [add(b"l9", entry(5)), io.exec(b"l9", b"log", b"trim", v1(time(0), time(10))), keys(b"l9")])
step("nothing to decode, log", [io.exec(b"l", b"log", method, data) for method in (b"add", b"list", b"trim", b"info") for data in (b"", b"\1\1\xff\0\0\0", v1())])
step("a header that does not decode", [io.write_op(b"l10", w.exec(b"user", b"nope", b"")), add(b"l10", entry(1))])
step("log has no other method", io.exec(b"l", b"log", b"nope", b""))


def hint(sec, nsec, ext, value):
    return v1(time(sec, nsec), string(ext), string(value))


def index(*entries):
    return io.exec(b"t", b"timeindex", b"add", v1(listed(entries)))


def indexed(begin=time(0), end=time(0), marker=b"", most=1000, name=b"t"):
    return io.exec(name, b"timeindex", b"list", v1(begin, string(marker), end, i32(most)), 1 << 20)


def unindex(begin=time(0), end=time(0), first=b"", last=b""):
    return io.exec(b"t", b"timeindex", b"trim", v1(begin, end, string(first), string(last)))


step("index of no object", [indexed(), unindex(end=time(5))])
step("index", [index(hint(5, 123456789, b"ext", b"value"), hint(3, 0, b"other", b"")), shown(b"t")])
step("index, the same again", [index(hint(5, 123456000, b"ext", b"new")), shown(b"t")])
step("index of nothing", index())
step("indexed", indexed(end=time(100)))
step("indexed, without an end", indexed())
step("indexed, an end before the beginning", indexed(time(5), time(1)))
step("indexed, one", indexed(end=time(100), most=1))
step("indexed, none", indexed(end=time(100), most=0))
step("indexed, negative", indexed(end=time(100), most=-1))
step("indexed, behind a marker", indexed(end=time(100), marker=b"1_0000000003.000000_other"))
step("indexed, until the later", indexed(end=time(5)))
step("indexed, until just behind the later", indexed(end=time(5, 123457000)))
step("index with spaces", [index(hint(6, 0, b"a b", b""), hint(7, 0, b"x" * 300, b"")), len(indexed(time(6), time(100)))])
step("index with spaces, listed", indexed(time(6), time(7)))
step("index, odd times", [index(hint(4294967295, 4294967295, b"late", b"")), indexed(time(8), time(4294967295, 4294967295))])
step("index trimmed", [unindex(time(0), time(3)), keys(b"t")])
step("index trimmed, until before the later", [unindex(time(0), time(5)), keys(b"t")])
step("index trimmed, with the later", [unindex(time(0), time(5, 123456000)), keys(b"t")])
step("index trimmed, by markers", [unindex(first=b"1_0000000005", last=b"1_0000000007"), keys(b"t")])
step("index trimmed, all", [unindex(end=time(4294967295, 4294967295)), keys(b"t")])
step("index trimmed, more", unindex(end=time(4294967295)))
step("index of many", index(*[hint(1, 0, b"%05d" % i, b"") for i in range(1100)]))
step("index of many, listed", len(indexed(end=time(5), most=5000)))
step("index of many, trimmed", [unindex(end=time(5)), count(b"t"), unindex(end=time(5)), count(b"t")])
step("nothing to decode, timeindex", [io.exec(b"t", b"timeindex", method, data) for method in (b"add", b"list", b"trim") for data in (b"", b"\1\1\xff\0\0\0", v1())])


def bucket(name, placement=b""):
    if placement:
        return versioned(9, 8, string(name), string(b"marker"), string(b"id"), string(placement))
    return versioned(7, 3, string(name), string(b"pool"), string(b"marker"), string(b"id"), string(b"index"), string(b"extra"))


def usage(name, size, number, synced=0, placement=b"", created=time(7, 8)):
    return versioned(9, 5, string(b""), u64(size), u32(7), u64(number), bucket(name, placement), u64(size + 4096), u8(synced), created)


def set_buckets(name, *entries, new=1, when=time(50)):
    return io.exec(name, b"user", b"set_buckets_info", v1(listed(entries), u8(new), when))


def buckets(name, marker=b"", end=b"", most=1000):
    return io.exec(name, b"user", b"list_buckets", versioned(2, 1, string(marker), i32(most), string(end)), 1 << 20)


def stats(name):
    return io.exec(name, b"user", b"get_header", v1()), io.read_op(name, r.omap_keys())


step("user of no object", [buckets(b"none"), io.exec(b"none", b"user", b"get_header", v1())])
step("buckets", [set_buckets(b"u", usage(b"b", 100, 2), usage(b"a", 10, 1, placement=b"place")), buckets(b"u"), stats(b"u")])
step("buckets, stored", io.read_op(b"u", r.omap_vals()))
step("buckets, added again", [set_buckets(b"u", usage(b"b", 500, 5, created=time(9))), buckets(b"u"), stats(b"u")])
step("buckets, updated", [set_buckets(b"u", usage(b"b", 700, 7), new=0, when=time(60)), buckets(b"u"), stats(b"u")])
step("buckets, updated, not there", [set_buckets(b"u", usage(b"c", 700, 7), new=0), buckets(b"u"), stats(b"u")])
step("buckets, without a name", [set_buckets(b"u", usage(b"", 1, 1)), set_buckets(b"u", usage(b"", 1, 1), new=0)])
step("buckets, twice in one", [set_buckets(b"u2", usage(b"b", 100, 2), usage(b"b", 300, 3)), buckets(b"u2"), stats(b"u2")])
step("buckets, none", [set_buckets(b"u3"), stats(b"u3")])
step("buckets, too many nanoseconds", [set_buckets(b"u4", usage(b"b", 1, 1, created=time(5, 4000000000)), when=time(1, 4000000000)), buckets(b"u4"), stats(b"u4")])
step("buckets, one", buckets(b"u", most=1))
step("buckets, zero", buckets(b"u", most=0))
step("buckets, negative", buckets(b"u", most=-5))
step("buckets, behind one", buckets(b"u", b"a"))
step("buckets, until one", [buckets(b"u", end=b"b"), buckets(b"u", end=b"a"), buckets(b"u", end=b"b", most=1)])
step("buckets, in the old way", io.exec(b"u", b"user", b"list_buckets", v1(string(b""), i32(10))))
step("stats synced", [io.exec(b"u", b"user", b"complete_stats_sync", v1(time(70, 5))), stats(b"u")])
step("stats synced, earlier", [io.exec(b"u", b"user", b"complete_stats_sync", v1(time(65))), stats(b"u")])
step("stats synced, new object", [io.exec(b"u5", b"user", b"complete_stats_sync", v1(time(65))), stats(b"u5")])
step("bucket removed", [io.exec(b"u", b"user", b"remove_bucket", v1(bucket(b"b"))), buckets(b"u"), stats(b"u")])
step("bucket removed twice", [io.exec(b"u", b"user", b"remove_bucket", v1(bucket(b"b"))), io.exec(b"u", b"user", b"remove_bucket", v1(bucket(b"")))])
step("bucket removed, no object", [io.exec(b"none", b"user", b"remove_bucket", v1(bucket(b"b"))), io.stat(b"none")])
step("stats reset", [io.exec(b"u", b"user", b"reset_user_stats", v1(time(80))), stats(b"u")])
step("stats reset in the new way", [io.exec(b"u", b"user", b"reset_user_stats2", v1(time(81), string(b""), v1(u64(0), u64(0), u64(0)))), stats(b"u")])
step("stats reset in the new way, with others", [io.exec(b"u", b"user", b"reset_user_stats2", v1(time(82), string(b""), v1(u64(5), u64(6), u64(7)))), stats(b"u")])
step("an entry that does not decode", [io.write_op(b"u6", w.omap_set({b"b": b"x"})), buckets(b"u6"), set_buckets(b"u6", usage(b"b", 1, 1)), io.exec(b"u6", b"user", b"remove_bucket", v1(bucket(b"b"))), io.exec(b"u6", b"user", b"reset_user_stats", v1(time(80)))])
step("nothing to decode, user", [io.exec(b"u", b"user", method, data) for method in (b"set_buckets_info", b"complete_stats_sync", b"remove_bucket", b"list_buckets", b"get_header", b"reset_user_stats", b"reset_user_stats2") for data in (b"", b"\1\1\xff\0\0\0", v1())])
