"""The class `lock`, through the functions of librados and by its methods."""

import time as clock

from api import Cluster, RETURNVEC, C, start, reading as r, writing as w
from encoding import entity, i32, string, time, u8, v1
from steps import step
import sys


def number_of(context):
    return C.rados_get_instance_id(context.cluster.handle)


# Lockers are listed by their clients' numbers, which several monitors give out in no order of time.
io, other = sorted((start(), Cluster(sys.argv[1]).ioctx(sys.argv[2])), key=number_of)
me, her = [b"client.%d" % number_of(each) for each in (io, other)]
NONE, EXCLUSIVE, SHARED, EPHEMERAL = range(4)
MAY_RENEW, MUST_RENEW = 1, 2


def names(value):
    """Without what is another in every run: who the clients are, their addresses and times."""
    if isinstance(value, (list, tuple)):
        return type(value)(names(each) for each in value)
    if isinstance(value, bytes):
        if value in (me, her):
            return "me" if value == me else "her"
        if value.startswith(b"127.0.0.1:0/") or value.startswith(b"v1:127.0.0.1:0/"):
            return value[: value.index(b"/")]
    return value


def lock(name, kind, cookie=b"", tag=b"", description=b"", duration=time(0), flags=0):
    return v1(string(name), u8(kind), string(cookie), string(tag), string(description), duration, u8(flags))


def held(name, kind, cookie=b"", tag=b"", new=None):
    return v1(string(name), u8(kind), string(cookie), string(tag), b"" if new is None else string(new))


def lockers(name, of=b"l"):
    return names(io.list_lockers(name, of))


def shape(value):
    """An encoded lock, numbers of clients and nonces of addresses left out."""
    if not isinstance(value, bytes):
        return value
    for context in (io, other):
        value = value.replace(entity(8, number_of(context)), entity(8, 1 if context is io else 2))
    parts = value.split(b"\x01\x01\x01\x1c\x00\x00\x00\x01\x00\x00\x00")
    return (b"\x01\x01\x01\x1c\x00\x00\x00\x01\x00\x00\x00" + b"NONC").join([parts[0]] + [part[4:] for part in parts[1:]])


step("exclusive, of no object", io.lock_exclusive(b"x", b"l", b"c", b"words"))
step("exclusive makes the object", io.stat(b"x"))
step("exclusive, lockers", lockers(b"x"))
step("exclusive, the xattr", shape(io.getxattr(b"x", b"lock.l")))
step("exclusive, again", io.lock_exclusive(b"x", b"l", b"c"))
step("exclusive, other cookie", io.lock_exclusive(b"x", b"l", b"d"))
step("exclusive, other client", other.lock_exclusive(b"x", b"l", b"c"))
step("shared, while exclusive", io.lock_shared(b"x", b"l", b"d", b""))
step("shared, while exclusive, tag", io.lock_shared(b"x", b"l", b"d", b"tag"))
step("renewed", io.lock_exclusive(b"x", b"l", b"c", b"other words", None, MAY_RENEW))
step("renewed, must", io.lock_exclusive(b"x", b"l", b"c", b"third words", 1000, MUST_RENEW))
step("renewed, lockers", lockers(b"x"))
step("renewed by another", other.lock_exclusive(b"x", b"l", b"c", b"", None, MAY_RENEW))
step("renewed by another, must", other.lock_exclusive(b"x", b"l", b"c", b"", None, MUST_RENEW))
step("may and must", io.lock_exclusive(b"x", b"l", b"c", b"", None, MAY_RENEW | MUST_RENEW))
step("must renew of no lock", io.lock_exclusive(b"x", b"none", b"c", b"", None, MUST_RENEW))
step("must renew of no object", io.lock_exclusive(b"none", b"l", b"c", b"", None, MUST_RENEW))
step("must renew makes none", io.stat(b"none"))
step("unlock, wrong cookie", io.unlock(b"x", b"l", b"d"))
step("unlock by another", other.unlock(b"x", b"l", b"c"))
step("unlock, wrong lock", io.unlock(b"x", b"m", b"c"))
step("unlock of no object", io.unlock(b"none", b"l", b"c"))
step("unlock", io.unlock(b"x", b"l", b"c"))
step("unlocked, lockers", lockers(b"x"))
step("unlocked, the xattr", shape(io.getxattr(b"x", b"lock.l")))
step("unlock twice", io.unlock(b"x", b"l", b"c"))
step("lockers of no object", lockers(b"none"))
step("lockers of no lock", lockers(b"x", b"none"))

step("shared", io.lock_shared(b"s", b"l", b"c1", b"tag", b"one"))
step("shared, second", io.lock_shared(b"s", b"l", b"c0", b"tag", b"two", 1000))
step("shared, other client", other.lock_shared(b"s", b"l", b"c1", b"tag"))
step("shared, other tag", other.lock_shared(b"s", b"l", b"c2", b"gat"))
step("shared, lockers", lockers(b"s"))
step("shared, again", io.lock_shared(b"s", b"l", b"c1", b"tag"))
step("shared, renewed", io.lock_shared(b"s", b"l", b"c1", b"tag", b"", None, MAY_RENEW))
step("exclusive, while shared", io.lock_exclusive(b"s", b"l", b"c9"))
step("exclusive, while shared, tag", io.exec(b"s", b"lock", b"lock", lock(b"l", EXCLUSIVE, b"c9", b"tag")))
step("break, wrong cookie", io.break_lock(b"s", b"l", her, b"c9"))
step("break", io.break_lock(b"s", b"l", her, b"c1"))
step("break, no client", io.break_lock(b"s", b"l", b"client.1", b"c1"))
step("break, not a client", io.break_lock(b"s", b"l", b"nobody", b"c1"))
step("break, another's name", io.break_lock(b"s", b"l", b"osd.1", b"c1"))
step("break of no object", io.break_lock(b"none", b"l", me, b"c1"))
step("unlock both", [io.unlock(b"s", b"l", b"c1"), io.unlock(b"s", b"l", b"c0"), lockers(b"s")])
step("exclusive after shared", [io.lock_exclusive(b"s", b"l", b"c"), lockers(b"s")])

step("expiry", io.lock_exclusive(b"e", b"l", b"c", b"", 1))
step("expiry, held", other.lock_exclusive(b"e", b"l", b"c"))
step("ephemeral with expiry", io.exec(b"f", b"lock", b"lock", lock(b"l", EPHEMERAL, b"c", b"", b"", time(1))))
step("ephemeral with expiry, second", io.exec(b"g", b"lock", b"lock", lock(b"l", EPHEMERAL, b"c", b"", b"", time(1))))
step("ephemeral with expiry, third", io.exec(b"h", b"lock", b"lock", lock(b"l", EPHEMERAL, b"c", b"", b"", time(1))))
io.setxattr(b"h", b"kept", b"no")
clock.sleep(1.2)
step("expired, lockers", lockers(b"e"))
step("expired, unlock", io.unlock(b"e", b"l", b"c"))
step("expired, renewed, must", io.lock_exclusive(b"e", b"l", b"c", b"", None, MUST_RENEW))
step("expired, locked by another", [other.lock_exclusive(b"e", b"l", b"c"), lockers(b"e")])
step("expired ephemeral, info", io.exec(b"f", b"lock", b"get_info", v1(string(b"l"))))
step("expired ephemeral, stat", io.stat(b"f"))
step("expired ephemeral, unlock", io.unlock(b"g", b"l", b"c"))
step("expired ephemeral, unlocked, stat", io.stat(b"g"))
step("expired ephemeral, locked anew", other.exec(b"h", b"lock", b"lock", lock(b"l", EXCLUSIVE, b"c")))
step("expired ephemeral, what is kept", [io.getxattr(b"h", b"kept"), lockers(b"h")])

step("ephemeral", [io.exec(b"p", b"lock", b"lock", lock(b"l", EPHEMERAL, b"c")), lockers(b"p"), io.stat(b"p")])
step("ephemeral, unlocked", [io.unlock(b"p", b"l", b"c"), io.stat(b"p")])
step("ephemeral of an object", [io.write_full(b"p", b"data"), io.exec(b"p", b"lock", b"lock", lock(b"l", EPHEMERAL, b"c"))])
step("ephemeral, broken", [other.break_lock(b"p", b"l", me, b"c"), io.stat(b"p")])

step("no kind", io.exec(b"x", b"lock", b"lock", lock(b"l", NONE)))
step("unknown kind", io.exec(b"x", b"lock", b"lock", lock(b"l", 4)))
step("without a name", io.exec(b"x", b"lock", b"lock", lock(b"", EXCLUSIVE)))
step("a long name", io.exec(b"x", b"lock", b"lock", lock(b"n" * 100, EXCLUSIVE)))
step("unknown flags", [io.exec(b"x", b"lock", b"lock", lock(b"l", EXCLUSIVE, flags=0xFC)), io.unlock(b"x", b"l", b"")])
step("nothing to decode", [io.exec(b"x", b"lock", method, b"") for method in (b"lock", b"unlock", b"break_lock", b"get_info", b"assert_locked", b"set_cookie")])
whole = lock(b"l", EXCLUSIVE)
step("cut short", [io.exec(b"x", b"lock", b"lock", whole[:length]) for length in range(len(whole))])
step("a newer encoding", [io.exec(b"n", b"lock", b"lock", b"\x07\x01" + whole[2:-1] + b"\0"), lockers(b"n")])
step("a much newer encoding", io.exec(b"n", b"lock", b"lock", b"\x07\x07" + whole[2:]))
step("bytes behind", [io.exec(b"m", b"lock", b"lock", whole + b"rest"), lockers(b"m")])
step("a missing method", io.exec(b"x", b"lock", b"nope", b""))
step("a stored lock that does not decode", [io.setxattr(b"bad", b"lock.l", b"rubbish"), io.lock_exclusive(b"bad", b"l", b"c"), io.unlock(b"bad", b"l", b"c"), lockers(b"bad")])
step("a stored lock that is empty", [io.setxattr(b"bad", b"lock.l", b""), io.lock_exclusive(b"bad", b"l", b"c")])

step("locks", io.exec(b"x", b"lock", b"list_locks", b"").hex())
step("locks of none", [io.write_full(b"free", b""), io.exec(b"free", b"lock", b"list_locks", b"anything").hex()])
step("locks of no object", io.exec(b"none", b"lock", b"list_locks", b""))
step("some locks", [io.setxattr(b"some", name, b"x") for name in (b"lock.b", b"lock.a", b"lock", b"lock.", b"locker", b"a")])
step("some locks, listed", io.exec(b"some", b"lock", b"list_locks", b"").hex())

io.lock_exclusive(b"a", b"l", b"c")
for name, given in {
    "asserted": held(b"l", EXCLUSIVE, b"c"),
    "asserted, other cookie": held(b"l", EXCLUSIVE, b"d"),
    "asserted, other kind": held(b"l", SHARED, b"c"),
    "asserted, other tag": held(b"l", EXCLUSIVE, b"c", b"tag"),
    "asserted, other lock": held(b"m", EXCLUSIVE, b"c"),
    "asserted, no kind": held(b"l", NONE, b"c"),
    "asserted, no name": held(b"", EXCLUSIVE, b"c"),
}.items():
    step(name, [each.exec(b"a", b"lock", b"assert_locked", given) for each in (io, other)])
step("asserted, no object", io.exec(b"none", b"lock", b"assert_locked", held(b"l", EXCLUSIVE, b"c")))
step("a guard that holds", io.write_op(b"a", w.exec(b"lock", b"assert_locked", held(b"l", EXCLUSIVE, b"c")), w.write_full(b"guarded")))
step("a guard that does not", other.write_op(b"a", w.exec(b"lock", b"assert_locked", held(b"l", EXCLUSIVE, b"c")), w.write_full(b"not")))
step("guarded", io.read(b"a"))
step("a guard in a read", io.read_op(b"a", r.exec(b"lock", b"assert_locked", held(b"l", EXCLUSIVE, b"c")), r.read()))
step("a guard in a read, not held", other.read_op(b"a", r.exec(b"lock", b"assert_locked", held(b"l", EXCLUSIVE, b"c")), r.read()))
step("lock and write", other.write_op(b"a2", w.exec(b"lock", b"lock", lock(b"l", SHARED, b"c")), w.append(b"x")))
step("lock and write, again", other.write_op(b"a2", w.append(b"x"), w.exec(b"lock", b"lock", lock(b"l", SHARED, b"c"))))
step("lock and write, read", io.read(b"a2"))
step("lock with returned values", io.write_op(b"a3", w.exec(b"lock", b"lock", lock(b"l", SHARED, b"c")), flags=RETURNVEC))
step("lock twice in one", io.write_op(b"a4", w.exec(b"lock", b"lock", lock(b"l", SHARED, b"c")), w.exec(b"lock", b"lock", lock(b"l", SHARED, b"d"))))
step("lock twice in one, lockers", lockers(b"a4"))
step("lock and assert in one", io.write_op(b"a5", w.exec(b"lock", b"lock", lock(b"l", SHARED, b"c")), w.exec(b"lock", b"assert_locked", held(b"l", SHARED, b"c"))))
step("lock and assert in one, of an object", [io.write_full(b"a5", b"x"), io.write_op(b"a5", w.exec(b"lock", b"lock", lock(b"l", SHARED, b"c")), w.exec(b"lock", b"assert_locked", held(b"l", SHARED, b"c")))])
step("remove and lock in one", [io.write_op(b"a4", w.remove(), w.exec(b"lock", b"lock", lock(b"l", SHARED, b"e"))), lockers(b"a4")])

step("cookie set", io.exec(b"a", b"lock", b"set_cookie", held(b"l", EXCLUSIVE, b"c", b"", b"new")))
step("cookie set, lockers", lockers(b"a"))
step("cookie set, old one", io.exec(b"a", b"lock", b"set_cookie", held(b"l", EXCLUSIVE, b"c", b"", b"new")))
step("cookie set, in use", io.exec(b"a", b"lock", b"set_cookie", held(b"l", EXCLUSIVE, b"new", b"", b"new")))
step("cookie set by another", other.exec(b"a", b"lock", b"set_cookie", held(b"l", EXCLUSIVE, b"new", b"", b"c")))
step("cookie set, other kind", io.exec(b"a", b"lock", b"set_cookie", held(b"l", SHARED, b"new", b"", b"c")))
step("cookie set, unlocked", [io.unlock(b"a", b"l", b"new"), io.exec(b"a", b"lock", b"set_cookie", held(b"l", EXCLUSIVE, b"new", b"", b"c"))])
step("cookie set, no object", io.exec(b"none", b"lock", b"set_cookie", held(b"l", EXCLUSIVE, b"new", b"", b"c")))

info = io.exec(b"s", b"lock", b"get_info", v1(string(b"l")))
step("info", shape(info))
step("a lock in a read operation", io.read_op(b"none", r.exec(b"lock", b"lock", lock(b"l", SHARED, b"c"))))
step("a lock in a read operation, stat", io.stat(b"none"))
