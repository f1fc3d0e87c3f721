"""usage: perf_load.py CONF. Two images of which 4096 bytes are written and 1024 read again and again, until standard input ends."""
import random
import select
import sys
import time

import rados
import rbd

from task_client import CONF, MIB, make_pool

# Each operation is a request.
cluster = rados.Rados(rados_id="admin", conffile=CONF, conf={"rbd_cache": "false"})
cluster.connect()


def main():
    io = make_pool("load")
    rbd.RBD().namespace_create(io, "ns")
    inner = cluster.open_ioctx("load")
    inner.set_namespace("ns")
    images = []
    for place, name in [(cluster.open_ioctx("load"), "disk"), (inner, "inner")]:
        rbd.RBD().create(place, name, 16 * MIB)
        images.append(rbd.Image(place, name))
        images[-1].write(b"x" * 16 * MIB, 0)
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        for image in images:
            offset = 4096 * random.randrange(4096)
            image.write(b"y" * 4096, offset)
            image.read(offset, 1024)
    for image in images:
        image.close()


main()
