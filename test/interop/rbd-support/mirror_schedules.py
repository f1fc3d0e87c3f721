"""usage: mirror_schedules.py CONF. When the manager is to take snapshots of mirrored images; each step is a line of JSON."""
import json
import re
import sys
import time

import rados
import rbd

admin = rados.Rados(conffile=sys.argv[1])
admin.connect()
# Of a manager that has just become the active one.
STARTING = ["is not ready, try again", "is not enabled/loaded", "due to ceph-mgr restart"]
OID = "rbd_mirror_snapshot_schedule"


def make_pool(name):
    admin.create_pool(name)
    io = admin.open_ioctx(name)
    rbd.RBD().pool_init(io, True)
    return io


io = make_pool("mirrored")
image_ids = {}


def tell(step, value):
    text = json.dumps({"step": step, "value": value})
    for name, image_id in image_ids.items():
        text = text.replace(image_id, "ID-OF-" + name)
    print(re.sub(r'(\\?")%d(\\?"|/)' % io.get_pool_id(), r"\1POOL\2", text), flush=True)


def make(name):
    """Schedules come in the order of ids, which are drawn: that of the names is wanted."""
    while True:
        rbd.RBD().create(io, name, 1 << 20)
        with rbd.Image(io, name) as image:
            image_id = image.id()
        if image_id > max(image_ids.values(), default=""):
            image_ids[name] = image_id
            return
        rbd.RBD().remove(io, name)


def step(verb, **arguments):
    line = json.dumps({"prefix": "rbd mirror snapshot schedule " + verb, **arguments})
    while True:
        code, output, status = admin.mgr_command(line, b"")
        if not any(reason in status for reason in STARTING):
            break
        time.sleep(0.2)
    tell([verb, arguments], [code, output.decode(), status])


def stored():
    with rados.ReadOpCtx() as operation:
        values, _ = io.get_omap_vals(operation, "", "", 10)
        io.operate_read_op(operation, OID)
        tell("kept", [[key, value.decode()] for key, value in values])


def main():
    rbd.RBD().mirror_mode_set(io, rbd.RBD_MIRROR_MODE_IMAGE)
    rbd.RBD().mirror_peer_add(io, "far", "client.far")
    rbd.RBD().namespace_create(io, "ns")
    for name in ["first", "second", "plain"]:
        make(name)
        if name != "plain":
            with rbd.Image(io, name) as image:
                image.mirror_image_enable(rbd.RBD_MIRROR_IMAGE_MODE_SNAPSHOT)
    step("list")
    step("status")
    for level in ["mirrored/plain", "mirrored/none", "mirrored/ns/", "mirrored/ns/none", "none/", "first"]:
        step("add", level_spec=level, interval="1h")
    step("add", level_spec="mirrored/first", interval="2h")
    step("add", level_spec="mirrored//second", interval="15m", start_time="01:00")
    step("add", level_spec="mirrored/", interval="1d")
    stored()
    for level in ["", "mirrored/", "mirrored/first", "mirrored//first", "mirrored/second"]:
        step("list", level_spec=level)
    step("remove", level_spec="mirrored/first", interval="2h")
    step("list", level_spec="mirrored/first")
    step("remove", level_spec="mirrored/second")
    stored()
    step("remove", level_spec="mirrored/")
    step("list")


main()
