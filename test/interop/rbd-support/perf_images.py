"""usage: perf_images.py CONF. What the manager counts of requests on images, image by image; each step is a line of JSON."""
import json
import time

import rados
import rbd

from task_client import MIB, admin, ask, make_pool, tell

PERIOD_SECONDS = 2


def set_period():
    command = {"prefix": "config set", "who": "global", "name": "mgr_stats_period", "value": str(PERIOD_SECONDS)}
    admin.mon_command(json.dumps(command), b"")


def step(what, **arguments):
    code, output, status = ask("perf image " + what, **arguments)
    report = json.loads(output) if code == 0 else {}
    report.pop("timestamp", None)
    tell([what, arguments], [code, report, status])


def counted(**arguments):
    """Of each image; latencies, which are never the same, as whether there are any."""
    found = json.loads(ask("perf image counters", **arguments)[1])
    named = {}
    for entry in found["counters"]:
        [(name, values)] = entry.items()
        index, image = name.split("/")
        named["%s/%s" % (found["pool_descriptors"][index], image)] = values[:4] + [value > 0 for value in values[4:]]
    return dict(sorted(named.items()))


def settled(**arguments):
    """Once no more comes."""
    before, quiet = None, 0
    while quiet < 5:
        time.sleep(PERIOD_SECONDS / 2)
        now = counted(**arguments)
        quiet = quiet + 1 if now and now == before else 0
        before = now
    return before


def operate(io, oid, *steps):
    with rados.WriteOpCtx() as operation:
        for each in steps:
            each(operation)
        io.operate_write_op(operation, oid)


def look(io, oid, *steps):
    with rados.ReadOpCtx() as operation:
        # What they give is filled in by the operation.
        found = [each(operation) for each in steps]
        io.operate_read_op(operation, oid)
    return found


def refused(work):
    try:
        work()
    except rados.Error:
        pass


def snapshot(io, oid):
    io.write(oid, b"x" * 10, 0)
    snap = io.create_self_managed_snap()
    io.set_self_managed_snap_write([snap])
    io.write(oid, b"x" * 10, 0)
    io.set_self_managed_snap_write([])


# Each is done to the object of an image of its own, which has 10000 bytes, an xattr and an entry of omap before.
REQUESTS = {
    "write": lambda io, oid: io.write(oid, b"x" * 100, 5000),
    "write-twice": lambda io, oid: [io.write(oid, b"x" * 4096, 0), io.write(oid, b"x" * 1000, 0)],
    "write-beyond": lambda io, oid: io.write(oid, b"x" * 100, 20000),
    "write-full": lambda io, oid: io.write_full(oid, b"x" * 3000),
    "write-same": lambda io, oid: io.writesame(oid, b"x" * 512, 8192, 0),
    "append": lambda io, oid: io.append(oid, b"x" * 700),
    # The binding takes the length first.
    "zero": lambda io, oid: operate(io, oid, lambda op: op.zero(3000, 100)),
    "zero-end": lambda io, oid: operate(io, oid, lambda op: op.zero(9000, 2000)),
    "zero-beyond": lambda io, oid: operate(io, oid, lambda op: op.zero(3000, 20000)),
    "truncate": lambda io, oid: io.trunc(oid, 1234),
    "truncate-up": lambda io, oid: io.trunc(oid, 12345),
    "remove": lambda io, oid: io.remove_object(oid),
    "remove-none": lambda io, oid: refused(lambda: io.remove_object(oid + "-none")),
    "set-xattr": lambda io, oid: io.set_xattr(oid, "b", b"v" * 50),
    "rm-xattr": lambda io, oid: io.rm_xattr(oid, "a"),
    "omap-set": lambda io, oid: operate(io, oid, lambda op: io.set_omap(op, ("l",), (b"v" * 60,))),
    "omap-clear": lambda io, oid: operate(io, oid, lambda op: io.clear_omap(op)),
    "two-writes": lambda io, oid: operate(
        io, oid, lambda op: op.write(b"x" * 10, 0), lambda op: op.write(b"x" * 20, 100)
    ),
    "create": lambda io, oid: operate(io, oid, lambda op: op.new(rados.LIBRADOS_CREATE_IDEMPOTENT)),
    "write-none": lambda io, oid: refused(
        lambda: operate(io, oid, lambda op: op.new(rados.LIBRADOS_CREATE_EXCLUSIVE), lambda op: op.write(b"x" * 10, 0))
    ),
    "lock": lambda io, oid: io.lock_exclusive(oid, "l", "cookie"),
    "snapshot": snapshot,
    "read": lambda io, oid: io.read(oid, 300, 1000),
    "read-part": lambda io, oid: io.read(oid, 20000, 5000),
    "read-end": lambda io, oid: io.read(oid, 100, 20000),
    "read-none": lambda io, oid: refused(lambda: io.read(oid + "-none", 100)),
    "stat": lambda io, oid: io.stat(oid),
    "get-xattr": lambda io, oid: io.get_xattr(oid, "a"),
    "get-xattrs": lambda io, oid: list(io.get_xattrs(oid)),
    "omap-get": lambda io, oid: look(io, oid, lambda op: io.get_omap_vals(op, "", "", 10)),
}


def object_of(io, name):
    """One beyond those that librbd writes."""
    with rbd.Image(io, name, read_only=True) as image:
        return image.block_name_prefix() + ".00000000000000ff"


def refusals():
    for what in ["stats", "counters"]:
        for spec in ["none", "none/ns", "a/b/c", "/", "requests/"]:
            step(what, pool_spec=spec)
        step(what, pool_spec="elsewhere", sort_by="bogus")


def elsewhere(io):
    """An image in a namespace, one whose data are in another pool, and objects of none."""
    far = make_pool("far")
    rbd.RBD().namespace_create(io, "ns")
    inner = admin.open_ioctx("requests")
    inner.set_namespace("ns")
    rbd.RBD().create(inner, "inner", MIB)
    rbd.RBD().create(io, "split", MIB, data_pool="far")
    return [
        (inner, object_of(inner, "inner")),
        (far, object_of(io, "split")),
        (io, "rbd_data.0123456789ab.0000000000000000"),
        (io, "rbd_header.0123456789ab"),
    ]


def main():
    set_period()
    io = make_pool("requests")
    make_pool("elsewhere")
    refusals()
    for name in REQUESTS:
        rbd.RBD().create(io, name, MIB)
    oids = {name: object_of(io, name) for name in REQUESTS}
    for oid in oids.values():
        operate(io, oid, lambda op: op.write_full(b"o" * 10000), lambda op: op.set_xattr("a", b"v" * 40),
                lambda op: io.set_omap(op, ("k",), (b"v" * 30,)))
    others = elsewhere(io)
    scopes = ["requests", "requests/ns", "requests/none", "far", ""]
    for spec in scopes:
        step("counters", pool_spec=spec)
    # Of all pools nothing is known before they are asked for again.
    step("counters")
    time.sleep(3 * PERIOD_SECONDS)
    for name, request in REQUESTS.items():
        request(io, oids[name])
    for place, oid in others:
        place.write(oid, b"x" * 200)
    for name, values in settled(pool_spec="requests").items():
        tell(name, values)
    for spec in scopes[1:]:
        tell(spec, counted(pool_spec=spec))
    step("stats", pool_spec="requests")


main()
