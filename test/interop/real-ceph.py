"""What the monitors of a new cluster are told, in place of as many runs of `ceph`.

real-ceph.py CONF prepare WEIGHT UUID...: no pool of the managers' own is made; OSDs of these UUIDs may boot.
real-ceph.py CONF wait COUNT: until so many OSDs are up, and a manager answers.
"""

import json
import sys
import time

import rados

CONNECT_SECONDS = 60
UP_SECONDS = 120


def tell(cluster, **command):
    code, output, status = cluster.mon_command(json.dumps(command), b"")
    if code:
        raise SystemExit("%s: %d %s" % (command, code, status))
    return output


def prepare(cluster, weight, uuids):
    # The pool of this module would appear at some time or other.
    name = "mgr/devicehealth/enable_monitoring"
    tell(cluster, prefix="config set", who="mgr", name=name, value="false", force=True)
    for number, uuid in enumerate(uuids):
        tell(cluster, prefix="osd new", uuid=uuid, id=number)
        # As the OSD tells it when it boots, whichever boots first: buckets have their ids by the order.
        tell(cluster, prefix="osd crush set-device-class", ids=[str(number)], **{"class": "ssd"})
        place = ["root=default", "host=host%d" % number]
        tell(cluster, prefix="osd crush create-or-move", id=number, weight=weight, args=place)


def wait(cluster, count):
    deadline = time.monotonic() + UP_SECONDS
    while True:
        up = json.loads(tell(cluster, prefix="osd stat", format="json"))["num_up_osds"]
        available = json.loads(tell(cluster, prefix="mgr dump", format="json"))["available"]
        if up == count and available:
            return
        if time.monotonic() > deadline:
            raise SystemExit("%d of %d real OSDs came up; manager: %s" % (up, count, available))
        time.sleep(0.05)


def main(conf, verb, *words):
    cluster = rados.Rados(conffile=conf)
    cluster.connect(timeout=CONNECT_SECONDS)
    if verb == "prepare":
        prepare(cluster, float(words[0]), words[1:])
    else:
        wait(cluster, int(words[0]))
    cluster.shutdown()


main(*sys.argv[1:])
