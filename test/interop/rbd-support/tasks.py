"""usage: tasks.py CONF. Tasks of the manager for images; each step is a line of JSON, without ids and times."""
import json
import re

import rados
import rbd

from task_client import CONF, MIB, admin, ask, make_pool, same, step, tasks, tell, wait_for, wait_until_done


def exists(io, name):
    return name in rbd.RBD().list(io)


def clone(io, name, size=4 * MIB, order=22, nspace=""):
    """A clone of an image with data."""
    io.set_namespace(nspace)
    parent = name + "-parent"
    rbd.RBD().create(io, parent, size, order)
    with rbd.Image(io, parent) as image:
        for offset in range(0, size, MIB):
            image.write(b"parent" * (MIB // 6), offset)
        image.create_snap("s")
        image.protect_snap("s")
    rbd.RBD().clone(io, parent, "s", io, name, order=order)


def has_parent(io, name):
    with rbd.Image(io, name, read_only=True) as image:
        try:
            image.parent_info()
            return True
        except rbd.ImageNotFound:
            return False


def refusals():
    step("task list")
    step("task list", task_id="x")
    step("task cancel", task_id="x")
    for spec in ["a/b", "a/b/c/d", "none", "vol/none", "vol/none@snap", "vol/ns/none", ""]:
        for action in ["flatten", "remove"]:
            step("task add " + action, image_spec=spec)
    step("task add flatten")
    for action in ["flatten", "remove"]:
        step("task add " + action, image_spec="vol/plain")
    step("task add flatten", image_spec="vol/plain-parent")
    step("task add remove", image_spec="vol/plain-parent")


def flatten(io):
    clone(io, "child")
    first = step("task add flatten", image_spec="vol/child")
    wait_until_done()
    tell("is a clone", has_parent(io, "child"))
    # Whoever asks again is told of the one that was done.
    again = step("task add flatten", image_spec="vol/child")
    tell("the same task", first == again)
    rbd.RBD().remove(io, "child")
    step("task add flatten", image_spec="vol/child")


def stored(io):
    """How the pool keeps it."""
    with rados.ReadOpCtx() as operation:
        values, _ = io.get_omap_vals(operation, "", "", 10)
        io.operate_read_op(operation, "rbd_task")
        tell("kept", [[key, same(value.decode())] for key, value in values])


def remove(io):
    rbd.RBD().create(io, "gone", 8 * MIB)
    step("task add remove", image_spec="vol/gone")
    wait_until_done()
    tell("is there", exists(io, "gone"))
    step("task add remove", image_spec="vol/gone")
    stored(io)


def trash(io):
    """By its id; what may not go yet is tried again."""
    step("task add trash remove", image_id_spec="vol/none")
    step("task add trash remove", image_id_spec="a/b/c/d")
    for name, delay in [["old", 0], ["young", 600]]:
        rbd.RBD().create(io, name, 8 * MIB)
        with rbd.Image(io, name) as image:
            image.write(b"x" * MIB, 0)
            image_id = image.id()
        rbd.RBD().trash_move(io, name, delay)
        code, output, _ = ask("task add trash remove", image_id_spec="vol/" + image_id)
        task = json.loads(output)
        tell("trash remove", [code, same(output).replace(image_id, "ID")])
        if delay == 0:
            wait_until_done()
        else:
            wait_for("retry", lambda: "retry_message" in tasks()[0])
            tell("reason", tasks()[0]["retry_message"])
            tell("cancel", ask("task cancel", task_id=task["id"]))
        tell("in the trash", [each["name"] for each in rbd.RBD().trash_list(io)])


def busy(io):
    """What cannot be done is tried again, until it is taken back."""
    rbd.RBD().create(io, "busy", 8 * MIB)
    with rbd.Image(io, "busy"):
        task = step("task add remove", image_spec="vol/busy")
        wait_for("retry", lambda: "retry_message" in tasks()[0])
        step("task list")
        code, output, _ = ask("task list", task_id=task)
        tell("one task", [code, same(output)])
        stored(io)
        tell("the same task", step("task add remove", image_spec="vol/busy") == task)
    tell("cancel", ask("task cancel", task_id=task))
    tell("tasks", tasks())
    stored(io)
    tell("is there", exists(io, "busy"))


def progress(io):
    """Taken back while it is being done."""
    clone(io, "large", 8 * MIB, order=12)
    task = step("task add flatten", image_spec="vol/large")
    wait_for("progress", lambda: tasks() and tasks()[0].get("progress", 0) > 0)
    shown = tasks()[0]
    tell("shown", [same(json.dumps(shown)), 0 < shown["progress"] < 1])
    tell("cancel", ask("task cancel", task_id=task))
    wait_until_done()
    tell("is a clone", has_parent(io, "large"))


def namespaces(io):
    rbd.RBD().namespace_create(io, "ns")
    clone(io, "inner", nspace="ns")
    step("task add flatten", image_spec="vol/ns/inner")
    wait_until_done()
    tell("is a clone", has_parent(io, "inner"))
    io.set_namespace("")


def rights(io):
    """Who may only in some pool sees nothing of others."""
    caps = ["mon", "profile rbd", "osd", "profile rbd", "mgr", "profile rbd pool=other"]
    command = {"prefix": "auth get-or-create", "entity": "client.some", "caps": caps}
    key = re.search(r"key = (\S+)", admin.mon_command(json.dumps(command), b"")[1].decode()).group(1)
    some = rados.Rados(rados_id="some", conffile=CONF, conf={"key": key})
    some.connect()
    make_pool("other").close()
    with rbd.Image(io, "busy"):
        task = step("task add remove", image_spec="vol/busy")
        step("task add remove", some, image_spec="vol/busy")
        step("task list", some)
        tell("one of another pool", same(str(ask("task list", some, task_id=task))).replace(task, "TASK"))
        tell("cancel one of another pool", ask("task cancel", some, task_id=task)[0])
        step("task add flatten", some, image_spec="other/none")
        tell("cancel", ask("task cancel", task_id=task))
    some.shutdown()


def main():
    io = make_pool("vol")
    clone(io, "plain-child")
    rbd.RBD().create(io, "plain", MIB)
    refusals()
    flatten(io)
    remove(io)
    trash(io)
    busy(io)
    progress(io)
    namespaces(io)
    rights(io)
    admin.delete_pool("vol")


main()
