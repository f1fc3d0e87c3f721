"""What the manager's tasks for images are asked by, and told as: a line of JSON a step, without ids and times."""
import json
import re
import sys
import time

import rados
import rbd

CONF = sys.argv[1]
MIB = 1 << 20
TIMEOUT_SECONDS = 40


admin = rados.Rados(rados_id="admin", conffile=CONF)
admin.connect()


def same(text):
    """Without what differs from run to run."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", "TASK", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?", "TIME", text)
    text = re.sub(r'"image_id": "[0-9a-f]+"', '"image_id": "ID"', text)
    # Where to: 16.2 names the pool that the image comes from.
    text = re.sub(r"(Migrating image \S+ to) \w+/", r"\1 POOL/", text)
    return re.sub(r'"progress": (0\.\d+|1\.0|0\.0)', '"progress": SHARE', text)


# Of a manager that has just become the active one.
STARTING = ["is not ready, try again", "is not enabled/loaded", "due to ceph-mgr restart"]


def ask(prefix, cluster=admin, **arguments):
    while True:
        code, output, status = cluster.mgr_command(json.dumps({"prefix": "rbd " + prefix, **arguments}), b"")
        if not any(reason in status for reason in STARTING):
            return code, output.decode(), status
        time.sleep(0.2)


def tell(step, value):
    print(json.dumps({"step": step, "value": value}), flush=True)


def step(prefix, cluster=admin, **arguments):
    code, output, status = ask(prefix, cluster, **arguments)
    tell([prefix, arguments], [code, same(output), same(status)])
    return json.loads(output)["id"] if prefix.startswith("task add") and code == 0 else None


def tasks():
    return json.loads(ask("task list")[1])


def wait_for(step_name, condition):
    for _ in range(TIMEOUT_SECONDS * 20):
        if condition():
            return
        time.sleep(0.05)
    tell(step_name, "it does not happen: %s" % same(json.dumps(tasks())))
    sys.exit(0)


def wait_until_done():
    wait_for("wait", lambda: tasks() == [])


def make_pool(name):
    admin.create_pool(name)
    io = admin.open_ioctx(name)
    rbd.RBD().pool_init(io, True)
    return io
