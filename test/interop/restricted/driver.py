"""What clients with limited capabilities may do, through librados: one JSON object a line of what each operation came to.

Arguments: the ceph.conf, and a pool for which the application rbd is enabled with group=a. Reads a JSON array of {"caps"} from
standard input, capabilities as `auth get-or-create` takes them. Results are 0 or an errno.
"""

import json
import sys

import rados

CONF, POOL = sys.argv[1:3]
ENTITY = "client.restricted"


def outcome(work):
    try:
        result = work()
        return -result[0] if isinstance(result, tuple) else 0
    except rados.OSError as error:
        return abs(error.errno or 0) or type(error).__name__


def command(cluster, **words):
    return cluster.mon_command(json.dumps(words), b"")


def as_restricted(admin, caps):
    command(admin, prefix="auth rm", entity=ENTITY)
    code, _, status = command(admin, prefix="auth get-or-create", entity=ENTITY, caps=caps)
    assert code == 0, status
    _, key, _ = command(admin, prefix="auth get-key", entity=ENTITY)
    client = rados.Rados(conffile=CONF, name=ENTITY, conf={"key": key.decode()})
    client.connect(timeout=20)
    return client


def operations(client):
    def commands():
        yield "status", lambda: command(client, prefix="status")
        yield "osd unset", lambda: command(client, prefix="osd unset", key="noscrub")
        yield "auth ls", lambda: command(client, prefix="auth ls")
        yield "pg stat", lambda: client.mgr_command(json.dumps({"prefix": "pg stat"}), b"")
        yield "tell osd", lambda: client.osd_command(0, json.dumps({"prefix": "version"}), b"")

    yield from commands()
    if POOL not in client.list_pools():
        return
    for namespace in ("", "mine"):
        io = client.open_ioctx(POOL)
        io.set_namespace(namespace)
        for name in ("own", "other"):
            where = " %s/%s" % (namespace, name)
            yield "write" + where, lambda: io.write_full(name, b"data")
            yield "read" + where, lambda: io.read(name)
            yield "set xattr" + where, lambda: io.set_xattr(name, "x", b"y")
            yield "call reader" + where, lambda: io.execute(name, "hello", "say_hello", b"")
            yield "call writer" + where, lambda: io.execute(name, "hello", "record_hello", b"")
            yield "remove" + where, lambda: io.remove_object(name)
        yield "list " + namespace, lambda: [each.key for each in io.list_objects()] and None


def main():
    admin = rados.Rados(conffile=CONF)
    admin.connect(timeout=20)
    for step in json.load(sys.stdin):
        client = as_restricted(admin, step["caps"])
        print(json.dumps({name: outcome(work) for name, work in operations(client)}), flush=True)
        client.shutdown()
    command(admin, prefix="auth rm", entity=ENTITY)
    admin.shutdown()


main()
