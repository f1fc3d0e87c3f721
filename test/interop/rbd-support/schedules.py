"""usage: schedules.py CONF. When the manager is to empty the trash; each step is a line of JSON."""
import json
import re
import sys
import time

import rados
import rbd

admin = rados.Rados(conffile=sys.argv[1])
admin.connect()
OID = "rbd_trash_purge_schedule"
OPTION = "mgr/rbd_support/trash_purge_schedule"


# Of a manager that has just become the active one.
STARTING = ["is not ready, try again", "is not enabled/loaded", "due to ceph-mgr restart"]


def ask(verb, **arguments):
    line = json.dumps({"prefix": "rbd trash purge schedule " + verb, **arguments})
    while True:
        code, output, status = admin.mgr_command(line, b"")
        if not any(reason in status for reason in STARTING):
            return code, output.decode(), status
        time.sleep(0.2)


def in_order(schedules):
    """Ceph keeps the times of one schedule in no order."""
    return sorted(schedules, key=lambda item: json.dumps(item, sort_keys=True))


def tell(step, value):
    # Levels are stored by the number of their pool.
    number = str(io.get_pool_id())
    print(re.sub(r'(\\?")%s(\\?"|/)' % number, r"\1POOL\2", json.dumps({"step": step, "value": value})), flush=True)


def step(verb, **arguments):
    code, output, status = ask(verb, **arguments)
    tell([verb, arguments], [code, output, status])


def listed(**arguments):
    code, output, status = ask("list", **arguments)
    levels = json.loads(output) if code == 0 else {}
    for level in levels.values():
        level["schedule"] = in_order(level["schedule"])
    tell(["list", arguments], [code, list(levels.items()), status])
    if code == 0 and all(len(level["schedule"]) < 2 for level in levels.values()):
        tell("as it is written", output)


def stored():
    with rados.ReadOpCtx() as operation:
        values, _ = io.get_omap_vals(operation, "", "", 10)
        try:
            io.operate_read_op(operation, OID)
            kept = [[key, in_order(json.loads(value)), value.decode().count("\n")] for key, value in values]
        except rados.ObjectNotFound:
            kept = "nothing"
    _, output, _ = admin.mon_command(json.dumps({"prefix": "config dump", "format": "json"}), b"")
    options = [each for each in json.loads(output) if each["name"] == OPTION]
    told = [[each["section"], in_order(json.loads(each["value"])), each["value"].count("\n")] for each in options]
    tell("kept", [kept, told])


def make_pool(name, is_for_images=True):
    admin.create_pool(name)
    io = admin.open_ioctx(name)
    if is_for_images:
        rbd.RBD().pool_init(io, True)
    return io


io = make_pool("trashy")


def main():
    make_pool("plain", is_for_images=False)
    rbd.RBD().namespace_create(io, "ns")
    rbd.RBD().create(io, "image", 1 << 20)
    listed()
    step("status")
    for level in ["trashy", "trashy/image", "trashy/ns/image", "none/", "plain/", "trashy/none/", "a/b/c/d", "trashy/@"]:
        step("add", level_spec=level, interval="1h")
        step("list", level_spec=level)
    for interval in ["", "x", "1w", "-1h", "1 h"]:
        step("add", level_spec="trashy/", interval=interval)
    for start in ["bogus", "25:00"]:
        ask_code = ask("add", level_spec="trashy/", interval="1h", start_time=start)
        tell(["start", start], [ask_code[0], ask_code[2].split(":")[0]])
    step("add", level_spec="trashy/")
    step("add", interval="1h")
    listed()

    step("add", level_spec="trashy/", interval="60m")
    step("add", level_spec="trashy/", interval="1h")
    stored()
    listed()
    step("add", level_spec="trashy/", interval="1d", start_time="12:30")
    step("add", level_spec="trashy/ns/", interval="90m", start_time="14:00-05:00")
    step("add", level_spec="", interval="2d", start_time="2020-01-01T04:05")
    step("add", level_spec="trashy//", interval="7m")
    stored()
    for level in ["", "trashy/", "trashy/ns/", "trashy//"]:
        listed(level_spec=level)

    step("remove", level_spec="trashy/", interval="99m")
    step("remove", level_spec="trashy/", interval="1h")
    step("remove", level_spec="trashy/", interval="24h")
    step("remove", level_spec="trashy/", interval="1x")
    listed()
    step("remove", level_spec="trashy/", interval="1d", start_time="12:30")
    step("remove", level_spec="trashy/")
    listed(level_spec="trashy/ns/")
    step("remove", level_spec="trashy/ns/")
    listed(level_spec="trashy/ns/")
    step("remove", level_spec="")
    step("remove", level_spec="trashy//")
    listed()
    stored()


main()
