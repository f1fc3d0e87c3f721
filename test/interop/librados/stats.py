"""What the cluster counts of a pool and of itself."""

import json
import time

import api
from api import C, start, writing as w
from steps import step

io = start()
WAIT_SECONDS = 60


def when(holds):
    """The counts once they are as expected: they reach the managers some seconds after the writes."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        result, stat = io.pool_stat()
        if result < 0 or holds(stat) or time.monotonic() > deadline:
            return result, stat
        time.sleep(0.5)


def counts(stat, *names):
    return {name: getattr(stat, name) for name in names}


NAMES = ("num_objects", "num_bytes", "num_object_clones", "num_object_copies", "num_user_bytes")
FAULTS = ("num_objects_missing_on_primary", "num_objects_unfound", "num_objects_degraded")
COMPRESSED = ("compressed_bytes_orig", "compressed_bytes", "compressed_bytes_alloc")

result, stat = io.pool_stat()
step("an empty pool", [result, counts(stat, *NAMES, *FAULTS, *COMPRESSED)])
for index in range(10):
    io.write_full(b"object-%d" % index, b"x" * 1000)
io.write_op(b"omap", w.omap_set({b"key": b"value"}))
result, stat = when(lambda stat: stat.num_objects == 11 and stat.num_wr >= 11)
step("eleven objects", [result, counts(stat, *NAMES, *FAULTS, *COMPRESSED)])
step("eleven objects, writes", counts(stat, "num_wr", "num_wr_kb", "num_rd", "num_rd_kb"))
for index in range(10):
    io.read(b"object-%d" % index, 1000)
result, stat = when(lambda stat: stat.num_rd >= 10)
step("ten reads", counts(stat, "num_rd", "num_rd_kb"))
before = stat.num_wr
io.write_op(b"object-0", w.append(b"y" * 100), w.setxattr(b"x", b"1"), w.truncate(1050))
result, stat = when(lambda stat: stat.num_wr > before)
step("a compound write", counts(stat, "num_objects", "num_bytes"))
for index in range(10):
    io.remove(b"object-%d" % index)
result, stat = when(lambda stat: stat.num_objects == 1)
step("ten removed", [result, counts(stat, *NAMES, *FAULTS)])

result, stat = io.cluster.stat()
step("cluster", [result, stat.kb > 0, stat.kb_avail > 0, stat.kb_avail <= stat.kb, stat.kb_used <= stat.kb])
name = api.ctypes.create_string_buffer(64)
step("pool name into too little room", C.rados_ioctx_get_pool_name(io.io, name, 2))
step("pool of no such name", io.cluster.ioctx("nope"))
step("lookup of no such name", C.rados_pool_lookup(io.cluster.handle, b"nope"))
required, alignment = api.c_int(9), api.c_uint64(9)
step("requires alignment", [C.rados_ioctx_pool_requires_alignment2(io.io, api.byref(required)), required.value])
step("required alignment", [C.rados_ioctx_pool_required_alignment2(io.io, api.byref(alignment)), alignment.value])
step("latest osdmap", C.rados_wait_for_latest_osdmap(io.cluster.handle))


def ask(text):
    """What a manager says to a command that a monitor was sent: the code, and the keys of what it prints."""
    result, out = io.cluster.command(text)
    return result, sorted(json.loads(out)) if result == 0 else out


step("a manager's command, sent to a monitor", ask('{"prefix": "osd df", "format": "json"}'))
step("the services, asked of a monitor", ask('{"prefix": "service dump"}'))
step("refused by the manager", ask('{"prefix": "pg ls-by-pool", "poolstr": "nosuch"}'))
