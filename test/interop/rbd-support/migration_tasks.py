"""usage: migration_tasks.py CONF. Tasks of the manager for images that migrate; each step is a line of JSON, without ids and times."""
import json
import re

import rados
import rbd

from task_client import CONF, MIB, admin, make_pool, step, tell, wait_until_done

STEPS = ["execute", "commit", "abort"]


def add(verb, spec, cluster=admin):
    return step("task add migration " + verb, cluster, image_spec=spec)


def refusals(io):
    step("task add migration execute")
    for spec in ["a/b", "a/b/c/d", "none", "vol/none", "vol/plain", "vol/plain@snap", "vol/ns/none", ""]:
        for verb in STEPS:
            add(verb, spec)


def disk(io, name):
    """An image with data, some of which only a snapshot has."""
    rbd.RBD().create(io, name, 8 * MIB)
    with rbd.Image(io, name) as image:
        image.write(b"before" * 10000, 0)
        image.create_snap("s")
        image.write(b"after" * 10000, MIB)


def shown(step_name, io, name):
    with rbd.Image(io, name, read_only=True) as image:
        snapshots = [each["name"] for each in image.list_snaps()]
        tell(step_name, [image.read(0, 9).decode(), image.read(MIB, 9).decode(), snapshots])


def state(io, name):
    try:
        found = rbd.RBD().migration_status(io, name)
        tell("state", [found["state"], found["source_image_name"], found["dest_image_name"]])
    except (rbd.ImageNotFound, rbd.InvalidArgument) as error:
        tell("state", type(error).__name__)


def here(*places):
    named = [sorted(rbd.RBD().list(io)) for io in places]
    tell("images", [named, [[each["name"] for each in rbd.RBD().trash_list(io)] for io in places]])


def committed(io, far):
    disk(io, "disk")
    rbd.RBD().migration_prepare(io, "disk", far, "moved")
    add("commit", "far/moved")
    first = add("execute", "far/moved")
    wait_until_done()
    state(far, "moved")
    # Whoever asks again is told of the one that was done.
    tell("the same task", first == add("execute", "far/moved"))
    first = add("commit", "far/moved")
    wait_until_done()
    tell("the same task", first == add("commit", "far/moved"))
    add("execute", "far/moved")
    add("abort", "far/moved")
    state(far, "moved")
    shown("committed", far, "moved")
    here(io, far)


def by_its_old_name(io, far):
    """Into a namespace, asked for by the name that it had."""
    rbd.RBD().namespace_create(far, "ns")
    far.set_namespace("ns")
    disk(io, "old")
    rbd.RBD().migration_prepare(io, "old", far, "new")
    state(io, "old")
    add("execute", "vol/old")
    wait_until_done()
    state(io, "old")
    add("execute", "far/ns/new")
    add("commit", "vol/old")
    wait_until_done()
    shown("committed", far, "new")
    here(io, far)
    far.set_namespace("")


def aborted(io, far):
    disk(io, "third")
    for _ in range(2):
        rbd.RBD().migration_prepare(io, "third", far, "third")
        with rbd.Image(far, "third") as image:
            image.read(0, 1)
        first = add("abort", "far/third")
        wait_until_done()
        tell("the same task", first == add("abort", "far/third"))
        state(io, "third")
        shown("aborted", io, "third")
        here(io, far)


def executed_by_others(io, far):
    disk(io, "fourth")
    rbd.RBD().migration_prepare(io, "fourth", io, "fourth")
    rbd.RBD().migration_execute(io, "fourth")
    add("execute", "vol/fourth")
    add("abort", "vol/fourth")
    wait_until_done()
    shown("aborted", io, "fourth")
    here(io, far)


def rights():
    """Who may only in some pool is refused in others."""
    caps = ["mon", "profile rbd", "osd", "profile rbd", "mgr", "profile rbd pool=far"]
    command = {"prefix": "auth get-or-create", "entity": "client.mover", "caps": caps}
    key = re.search(r"key = (\S+)", admin.mon_command(json.dumps(command), b"")[1].decode()).group(1)
    some = rados.Rados(rados_id="mover", conffile=CONF, conf={"key": key})
    some.connect()
    for verb in STEPS:
        add(verb, "vol/fourth", some)
        add(verb, "far/moved", some)
    some.shutdown()


def main():
    io, far = make_pool("vol"), make_pool("far")
    rbd.RBD().create(io, "plain", MIB)
    refusals(io)
    committed(io, far)
    by_its_old_name(io, far)
    aborted(io, far)
    executed_by_others(io, far)
    rights()
    admin.delete_pool("vol")
    admin.delete_pool("far")


main()
