"""Watch, notify and what comes of them: acknowledgements, timeouts, watchers that leave and objects that go."""

import ctypes
import sys
import threading
import time
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p

import cxx
from api import C, IoCtx, Cluster, bytes_at, must, start, writing as w
from steps import step

ON_NOTIFY = ctypes.CFUNCTYPE(None, c_void_p, c_uint64, c_uint64, c_uint64, c_void_p, c_size_t)
ON_ERROR = ctypes.CFUNCTYPE(None, c_void_p, c_uint64, c_int)
ON_LEGACY = ctypes.CFUNCTYPE(None, ctypes.c_uint8, c_uint64, c_void_p)
NOTIFY_TIMED_OUT = "timed out"

for name, arguments in {
    "watch": [c_void_p, c_char_p, c_uint64, POINTER(c_uint64), ON_LEGACY, c_void_p],
    "watch3": [c_void_p, c_char_p, POINTER(c_uint64), ON_NOTIFY, ON_ERROR, c_uint32, c_void_p],
    "aio_watch2": [c_void_p, c_char_p, c_void_p, POINTER(c_uint64), ON_NOTIFY, ON_ERROR, c_uint32, c_void_p],
    "unwatch": [c_void_p, c_char_p, c_uint64],
    "unwatch2": [c_void_p, c_uint64],
    "aio_unwatch": [c_void_p, c_uint64, c_void_p],
    "watch_check": [c_void_p, c_uint64],
    "watch_flush": [c_void_p],
    "aio_watch_flush": [c_void_p, c_void_p],
    "notify": [c_void_p, c_char_p, c_uint64, c_char_p, c_int],
    "notify2": [c_void_p, c_char_p, c_char_p, c_int, c_uint64, POINTER(c_void_p), POINTER(c_size_t)],
    "aio_notify": [c_void_p, c_char_p, c_void_p, c_char_p, c_int, c_uint64, POINTER(c_void_p), POINTER(c_size_t)],
    "notify_ack": [c_void_p, c_char_p, c_uint64, c_uint64, c_char_p, c_int],
    "decode_notify_response": [c_void_p, c_size_t] + [POINTER(c_void_p), POINTER(c_size_t)] * 2,
}.items():
    getattr(C, "rados_" + name).argtypes = arguments
    getattr(C, "rados_" + name).restype = c_int
C.rados_free_notify_response.argtypes = [c_void_p, c_size_t, c_void_p]
C.rados_free_notify_response.restype = None
C.rados_get_instance_id.argtypes = [c_void_p]
C.rados_get_instance_id.restype = c_uint64


class Ack(ctypes.Structure):
    _fields_ = [("notifier", c_uint64), ("cookie", c_uint64), ("payload", c_void_p), ("length", c_uint64)]


class Timeout(ctypes.Structure):
    _fields_ = [("notifier", c_uint64), ("cookie", c_uint64)]


class Watch:
    """One watch and what it was told. `reply` is what it answers; None: nothing."""

    def __init__(self, ioctx, oid, reply=b"", timeout=0, asynchronous=False):
        self.ioctx, self.oid, self.reply = ioctx, oid, reply
        self.seen, self.errors = [], []
        self.last_id = 0
        self._callbacks = (ON_NOTIFY(self._on_notify), ON_ERROR(self._on_error))
        self.cookie = c_uint64()
        if asynchronous:
            begin = lambda io, name, completion: C.rados_aio_watch2(
                io, name, completion, byref(self.cookie), *self._callbacks, timeout, None
            )
            self.result = ioctx.aio(begin, oid)
        else:
            self.result = C.rados_watch3(ioctx.io, oid, byref(self.cookie), *self._callbacks, timeout, None)

    def _on_notify(self, _, notify_id, handle, notifier, data, length):
        self.last_id = notify_id
        self.seen.append((bytes_at(c_void_p(data), c_size_t(length)), handle == self.cookie.value))
        if self.reply is not None:
            self.acknowledge(notify_id)

    def _on_error(self, _, cookie, error):
        self.errors.append(error)

    def acknowledge(self, notify_id):
        reply = self.reply or b""
        return C.rados_notify_ack(self.ioctx.io, self.oid, notify_id, self.cookie, reply, len(reply))

    def check(self):
        age = C.rados_watch_check(self.ioctx.io, self.cookie)
        return age if age < 0 else "alive"

    def remove(self):
        return C.rados_unwatch2(self.ioctx.io, self.cookie)

    def remove_later(self):
        return self.ioctx.aio(lambda io, _, completion: C.rados_aio_unwatch(io, self.cookie, completion), self.oid)

    def error_within(self, seconds):
        deadline = time.time() + seconds
        while not self.errors and time.time() < deadline:
            time.sleep(0.05)
        return list(self.errors)


def code(result):
    return NOTIFY_TIMED_OUT if result == -110 else result


def notify(ioctx, oid, data, timeout_ms=5000, asynchronous=False):
    """Result, what each watcher answered, and how many did not."""
    reply, length = c_void_p(), c_size_t()
    if asynchronous:
        begin = lambda io, name, completion: C.rados_aio_notify(
            io, name, completion, data, len(data), timeout_ms, byref(reply), byref(length)
        )
        result = ioctx.aio(begin, oid)
    else:
        result = C.rados_notify2(ioctx.io, oid, data, len(data), timeout_ms, byref(reply), byref(length))
    return (code(result), *decode(reply, length))


def decode(reply, length):
    if not length.value:
        return ("no response",)
    acks, count, timeouts, missed = c_void_p(), c_size_t(), c_void_p(), c_size_t()
    result = C.rados_decode_notify_response(reply, length, byref(acks), byref(count), byref(timeouts), byref(missed))
    if result < 0:
        return (result,)
    entries = ctypes.cast(acks, POINTER(Ack))
    answers = sorted(bytes_at(c_void_p(each.payload), c_size_t(each.length)) for each in entries[: count.value])
    C.rados_free_notify_response(acks, count, timeouts)
    return (answers, missed.value)


def watchers(ioctx, oid):
    return cxx.read(ioctx, oid, cxx.op_list_watchers())


def later(work):
    box = []
    thread = threading.Thread(target=lambda: box.append(work()))
    thread.start()
    return lambda: (thread.join(), box[0])[1]


io = start()
other = Cluster(sys.argv[1]).ioctx(sys.argv[2])
io.write_op(b"a", w.write(b"data"), mtime=1_000_000_000)
version = (io.read(b"a"), io.last_version())[1]

step("watch of no object", Watch(io, b"none").result)
step("watch of no object makes none", io.stat(b"none"))
step("notify of no object", notify(io, b"none", b"x"))
step("notify with nobody there", notify(io, b"a", b"x"))
step("list_watchers with nobody there", watchers(io, b"a"))

first = Watch(io, b"a", b"from first")
step("watch", first.result)
step("watch leaves data and version", [io.read(b"a"), io.last_version() - version, io.stat(b"a")])
step("watch sets the time", io.mtime(b"a") > 1_000_000_000)
step("watch_check", first.check())
step("list_watchers", watchers(io, b"a"))
step("notify", notify(io, b"a", b"hello"))
step("notify, seen", first.seen)
second = Watch(other, b"a", b"from second")
step("list_watchers of two", watchers(other, b"a"))
step("notify of two", notify(other, b"a", b"both"))
third = Watch(io, b"a", b"again first")
step("two watches of one client", notify(io, b"a", b"three"))
step("two watches of one client, seen", [each.seen[-1] for each in (first, second, third)])
step("notify of nothing", notify(io, b"a", b""))
step("notify of much", notify(io, b"a", b"x" * 100_000))
step("notify of much, seen", first.seen[-1])
step("notify, asynchronously", notify(io, b"a", b"aio", asynchronous=True))
step("legacy notify", C.rados_notify(io.io, b"a", 0, b"old", 3))
step("legacy notify, seen", second.seen[-1])
step("notify in another namespace", (lambda at: (at.set_namespace(b"ns"), notify(at, b"a", b"x"))[1])(other.cluster.ioctx(sys.argv[2])))

step("an ack of an unknown notify", C.rados_notify_ack(io.io, b"a", 12345, first.cookie, b"", 0))
step("an ack with an unknown cookie", C.rados_notify_ack(io.io, b"a", first.last_id, 999, b"", 0))
step("an ack of no object", C.rados_notify_ack(io.io, b"none", 1, 1, b"", 0))
step("ack twice", [first.acknowledge(first.last_id), first.acknowledge(first.last_id)])
step("a reply with zeros", (setattr(third, "reply", b"\0\1\0"), notify(io, b"a", b"zeros"))[1])
step("a large reply", (setattr(third, "reply", b"r" * 50_000), notify(io, b"a", b"large"))[1])

second.reply = None
began = time.time()
step("one does not answer", notify(io, b"a", b"late", 1500))
step("one does not answer, waited", 1 <= time.time() - began < 5)
step("ack after the timeout", second.acknowledge(second.last_id))
third.reply = None
step("two do not answer", notify(io, b"a", b"late", 1000))
pending = later(lambda: notify(io, b"a", b"leaving", 20_000))
while second.seen[-1][0] != b"leaving" or third.seen[-1][0] != b"leaving":
    time.sleep(0.02)
step("unwatch of one that is asked", second.remove())
step("unwatch of the other", third.remove())
step("notify whose watchers left", pending())
step("list_watchers of those who stayed", watchers(io, b"a"))
step("unwatch", first.remove())
step("list_watchers after all left", watchers(io, b"a"))
step("errors", [first.errors, second.errors, third.errors])
step("notify after all left", notify(io, b"a", b"alone"))

late = Watch(io, b"a", b"late", asynchronous=True)
step("watch, asynchronously", [late.result, late.check()])
step("watch, asynchronously, seen", [notify(other, b"a", b"aio"), late.seen])
step("watch_flush", C.rados_watch_flush(io.cluster.handle))
step("watch_flush, asynchronously", io.aio(lambda _, name, completion: C.rados_aio_watch_flush(io.cluster.handle, completion), b""))
step("unwatch, asynchronously", late.remove_later())
missing = Watch(io, b"none", asynchronous=True)
step("watch of no object, asynchronously", missing.result)

legacy_seen = []
on_legacy = ON_LEGACY(lambda opcode, ver, _: legacy_seen.append(opcode))
handle = c_uint64()
step("legacy watch", C.rados_watch(io.io, b"a", 0, byref(handle), on_legacy, None))
step("legacy watch, listed", watchers(io, b"a"))
step("legacy watch, notified", [notify(other, b"a", b"x"), legacy_seen])
step("legacy unwatch", [C.rados_unwatch(io.io, b"a", handle), watchers(io, b"a")])

short = Watch(io, b"a", timeout=7)
step("watch with a timeout, listed", watchers(io, b"a"))
for change, how in {
    "written": lambda: io.write(b"a", b"new"),
    "written whole": lambda: io.write_full(b"a", b"new"),
    "truncated": lambda: io.trunc(b"a", 0),
}.items():
    step("watched and " + change, [how(), watchers(io, b"a"), notify(other, b"a", b"still")])
step("watched and removed", io.remove(b"a"))
step("watched and removed, error", short.error_within(10))
step("watched and removed, check", short.check())
step("watched and removed, unwatch", short.remove())
step("watched and removed, notify", notify(other, b"a", b"gone"))
io.write_full(b"a", b"new")
step("made again, listed", watchers(io, b"a"))

both = Watch(other, b"a")
step("removed and made again in one", [io.write_op(b"a", w.remove(), w.create()), both.error_within(10), watchers(io, b"a")])
both.remove()
gone = Cluster(sys.argv[1])
Watch(gone.ioctx(sys.argv[2]), b"a", timeout=3)
step("a client is there", watchers(io, b"a"))
gone.shutdown()
step("a client has gone", watchers(io, b"a"))
