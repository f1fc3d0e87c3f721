"""Runs lines of `rbd`, `qemu-img`, `qemu-io`, `fio`, `ceph`, `rados` and of Python programs beside this file, one after another.

Arguments: the ceph.conf and a pool; when what it looks at began, in seconds since 1970, where that was before. Reads a JSON array of {"line", "input"} from standard input, prints a JSON object
{"code", "output", "status"} a line: the return code, standard output and standard error. In lines POOL stands for the pool.
Files that lines name are in a folder of their own. Two lines are its own: `state POOL[/NAMESPACE]` tells of every object there,
`digest FILE` of a file. `number-pools-from N` makes N the next
pool's number: images tell of pools by numbers.

What no two clusters have in common is replaced: ids of images, groups and their snapshots by their names, times, UUIDs,
addresses, clients.
"""

import ctypes
import json
import os
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import time
import zlib

import rados

STEP_SECONDS = 120
# Times that lines ask for lie within so many seconds from now on.
SPAN_SECONDS = 2 * 86400
MAX_OMAP_ENTRIES = 1024
HERE = os.path.dirname(os.path.abspath(__file__))
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
DATE = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}"
TEXT_PATTERNS = (
    (re.compile(DATE), "TIME"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?([+-]\d{4}|Z)?"), "TIME"),
    (UUID, "UUID"),
    (re.compile(r"\b(v[12]:)?127\.0\.0\.1:\d+/\d+"), "ADDR"),
    (re.compile(r"\bclient\.\d+"), "client.N"),
    (re.compile(r"\bauto \d+"), "auto N"),
    (re.compile(r"\b(cookie[=\": ]+)\d+"), r"\1N"),
    (re.compile(r"\b7[0-9a-f]{11} -1 "), "THREAD -1 "),
    (re.compile(r"\b0x[0-9a-f]{8,}"), "POINTER"),
    # A table is as wide as the addresses in it.
    (re.compile(r" +$", re.MULTILINE), ""),
    # A line of progress is written over the one before.
    (re.compile(r"[^\n]*\r"), ""),
)


class Omaps:
    """Reads omaps: keys may hold any bytes, which the Python binding does not take."""

    def __init__(self, conf):
        self.lib = ctypes.CDLL("librados.so.2")
        self.lib.rados_create_read_op.restype = ctypes.c_void_p
        self.cluster = ctypes.c_void_p()
        self.check(self.lib.rados_create(ctypes.byref(self.cluster), b"admin"))
        self.check(self.lib.rados_conf_read_file(self.cluster, conf.encode()))
        self.check(self.lib.rados_connect(self.cluster))

    def check(self, code):
        if code < 0:
            raise OSError(-code, os.strerror(-code))

    def read(self, pool, namespace, name):
        io = ctypes.c_void_p()
        self.check(self.lib.rados_ioctx_create(self.cluster, pool.encode(), ctypes.byref(io)))
        try:
            self.lib.rados_ioctx_set_namespace(io, namespace.encode())
            return self.entries(io, name)
        finally:
            self.lib.rados_ioctx_destroy(io)

    def entries(self, io, name):
        operation = ctypes.c_void_p(self.lib.rados_create_read_op())
        listed = ctypes.c_void_p()
        more, code = ctypes.c_ubyte(), ctypes.c_int()
        self.lib.rados_read_op_omap_get_vals2(
            operation,
            b"",
            b"",
            ctypes.c_uint64(MAX_OMAP_ENTRIES),
            ctypes.byref(listed),
            ctypes.byref(more),
            ctypes.byref(code),
        )
        result = self.lib.rados_read_op_operate(operation, io, name.encode(), 0)
        self.lib.rados_release_read_op(operation)
        self.check(result)
        if more.value:
            raise SystemExit("more omap entries than one answer holds in " + name)
        found = {}
        key, value = ctypes.c_void_p(), ctypes.c_void_p()
        key_size, value_size = ctypes.c_size_t(), ctypes.c_size_t()
        while True:
            self.lib.rados_omap_get_next2(
                listed, ctypes.byref(key), ctypes.byref(value), ctypes.byref(key_size), ctypes.byref(value_size)
            )
            if not key.value:
                break
            found[ctypes.string_at(key, key_size.value)] = ctypes.string_at(value, value_size.value)
        self.lib.rados_omap_get_end(listed)
        return found


def string_at(data, offset):
    """A string with its length before it, or nothing."""
    if offset + 4 > len(data):
        return None
    (size,) = struct.unpack_from("<I", data, offset)
    return data[offset + 4 : offset + 4 + size] if 0 < size <= len(data) - offset - 4 else None


def struct_at(data, offset):
    """The body of a versioned struct, or nothing."""
    if offset + 6 > len(data) or not 1 <= data[offset + 1] <= data[offset] <= 9:
        return None
    (size,) = struct.unpack_from("<I", data, offset + 2)
    return data[offset + 6 : offset + 6 + size] if 0 < size <= len(data) - offset - 6 else None


class Names:
    """What ids stand for, learnt from the objects that say so, and never forgotten: a line may tell of what it removed."""

    def __init__(self, omaps, began):
        self.omaps = omaps
        self.began = began
        self.names = {}

    def learn(self, pool, namespace):
        for directory, kind in (("rbd_directory", "image"), ("rbd_group_directory", "group")):
            for key, value in self.omap(pool, namespace, directory).items():
                if key.startswith(b"name_"):
                    self.add(string_at(value, 0), kind, key[5:])
        for key, value in self.omap(pool, namespace, "rbd_trash").items():
            self.add(key[3:], "image", string_at(value, 7) or b"")
        groups = [identifier for identifier, name in self.names.items() if name.startswith("<group ")]
        for group in groups:
            for key, value in self.omap(pool, namespace, "rbd_group_header." + group).items():
                if key.startswith(b"snapshot_"):
                    self.add(key[9:], "group snapshot", string_at(value, 10 + len(key[9:])) or b"")

    def omap(self, pool, namespace, name):
        try:
            return self.omaps.read(pool, namespace, name)
        except OSError:
            return {}

    def add(self, identifier, kind, name):
        if identifier:
            self.names.setdefault(identifier.decode("latin1"), "<%s %s>" % (kind, name.decode("latin1")))

    def in_text(self, text):
        for pattern, replacement in TEXT_PATTERNS:
            text = pattern.sub(replacement, text)
        return self.in_words(text)

    def in_words(self, text):
        for identifier in sorted(self.names, key=len, reverse=True):
            text = text.replace(identifier, self.names[identifier])
        return text

    def has(self, data):
        return any(identifier.encode("latin1") in data for identifier in self.names)

    def in_data(self, data):
        """Bytes as hex. Lengths that depend on those of ids are left out."""
        out, offset = "", 0
        while offset < len(data):
            body = struct_at(data, offset)
            text = string_at(data, offset)
            if body and self.has(body):
                out += " v%d.%d[%s]" % (data[offset], data[offset + 1], self.in_data(body))
                offset += 6 + len(body)
            elif text and self.has(text) and all(0x20 <= byte < 0x7F for byte in text):
                out += " '%s'" % self.in_words(text.decode("ascii"))
                offset += 4 + len(text)
            elif UUID.match(data[offset : offset + 36].decode("latin1")):
                out += " UUID "
                offset += 36
            elif self.is_time(data, offset):
                out += " TIME "
                offset += 8
            else:
                out += "%02x" % data[offset]
                offset += 1
        return out.strip()

    def is_time(self, data, offset):
        if offset + 8 > len(data):
            return False
        seconds, nanoseconds = struct.unpack_from("<II", data, offset)
        return self.began <= seconds < self.began + SPAN_SECONDS and nanoseconds < 10**9


LOGGED = re.compile(r"TIME THREAD -1 [^\n]*\n?")


def logged_last(status):
    """What librbd logs comes in between what `rbd` says, sooner or later."""
    return LOGGED.sub("", status) + "".join(sorted(LOGGED.findall(status)))


def unlogged(status):
    """Whether librbd logs to standard error of others is up to their ceph.conf."""
    return LOGGED.sub("", status).strip()


class Driver:
    def __init__(self, conf, pool, began):
        self.pool = pool
        self.cluster = rados.Rados(conffile=conf)
        self.cluster.connect(timeout=30)
        self.omaps = Omaps(conf)
        self.names = Names(self.omaps, began - 1)
        self.folder = tempfile.TemporaryDirectory()
        self.environment = dict(os.environ, CEPH_CONF=conf, CEPH_ARGS="", PYTHONDONTWRITEBYTECODE="1", TZ="UTC")

    def run(self, line, data):
        words = shlex.split(line.replace("POOL", self.pool))
        if words[0] == "state":
            return 0, self.state(*(words[1] + "/").split("/")[:2]), ""
        if words[0] == "digest":
            return 0, self.digest(words[1]), ""
        if words[0] == "number-pools-from":
            return self.number_pools_from(int(words[1]))
        if words[0] == "python":
            words[0:2] = [sys.executable, os.path.join(HERE, words[1])]
        try:
            done = subprocess.run(
                words,
                cwd=self.folder.name,
                env=self.environment,
                input=data,
                capture_output=True,
                timeout=STEP_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return None, "", "not done after %d s" % STEP_SECONDS
        return done.returncode, done.stdout.decode("latin1"), done.stderr.decode("latin1")

    def number_pools_from(self, number):
        name = self.pool + "-before"
        last = 0
        while last < number - 1:
            self.cluster.create_pool(name)
            last = self.cluster.pool_lookup(name)
            self.cluster.delete_pool(name)
        return (0, "", "") if last == number - 1 else (1, "", "there is a pool %d already" % last)

    def digest(self, name):
        with open(os.path.join(self.folder.name, name), "rb") as file:
            data = file.read()
        return "%d bytes, crc32 %08x" % (len(data), zlib.crc32(data))

    def state(self, pool, namespace):
        io = self.cluster.open_ioctx(pool)
        io.set_namespace(namespace)
        lines = []
        for name in sorted(each.key for each in io.list_objects()):
            shown = self.names.in_words(name)
            try:
                size, _ = io.stat(name)
            except rados.ObjectNotFound:
                # Deleted, but for clones that snapshots have or that are not trimmed yet.
                continue
            data = io.read(name, length=size) if size else b""
            lines.append("%s: %s" % (shown, self.of_data(name, data)))
            for key, value in io.get_xattrs(name):
                lines.append("%s xattr %s" % (shown, key))
            for key, value in self.omaps.read(pool, namespace, name).items():
                text = key.decode("latin1")
                text = text if text.isprintable() and text.isascii() else self.names.in_data(key)
                lines.append("%s %s = %s" % (shown, self.in_key(text), self.names.in_data(value)))
        return "\n".join(sorted(lines))

    def in_key(self, key):
        return UUID.sub("UUID", self.names.in_words(key))

    def of_data(self, name, data):
        if name.startswith("rbd_id."):
            return self.names.in_data(data)
        # What is journalled has times in it.
        if name.startswith("journal_data."):
            return "data"
        return "%d bytes, crc32 %08x" % (len(data), zlib.crc32(data))

    def step(self, line, data):
        code, output, status = self.run(line, data)
        self.learn()
        status = self.names.in_text(status)
        status = logged_last(status) if line.startswith("rbd ") else unlogged(status)
        return {"code": code, "output": self.names.in_text(output), "status": status}

    def learn(self):
        self.cluster.wait_for_latest_osdmap()
        for pool in self.cluster.list_pools():
            if pool.startswith(self.pool):
                namespaces = [key[5:].decode() for key in self.names.omap(pool, "", "rbd_namespace")]
                for namespace in ["", *namespaces]:
                    self.names.learn(pool, namespace)


def main():
    conf, pool, *began = sys.argv[1:]
    driver = Driver(conf, pool, int(began[0]) if began else int(time.time()))
    for step in json.load(sys.stdin):
        print(json.dumps(driver.step(step["line"], step.get("input", "").encode("latin1"))), flush=True)


main()
