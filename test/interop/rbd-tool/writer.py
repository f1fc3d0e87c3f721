"""Keeps an image open by librbd, and does as it is told, a line at a time: `write OFFSET LENGTH BYTE`, `read OFFSET LENGTH`, `die`."""

import os
import sys

import rados
import rbd

conf, pool, name = sys.argv[1:]
cluster = rados.Rados(conffile=conf, conf={"rbd_cache": "false"})
cluster.connect()
image = rbd.Image(cluster.open_ioctx(pool), name)
print("open", flush=True)
for line in sys.stdin:
    verb, *words = line.split()
    if verb == "write":
        offset, length, byte = map(int, words)
        image.write(bytes([byte]) * length, offset)
        print("written", flush=True)
    elif verb == "read":
        offset, length = map(int, words)
        print(image.read(offset, length).hex(), flush=True)
    elif verb == "size":
        print(image.size(), flush=True)
    elif verb == "snap":
        image.create_snap(words[0])
        print("taken", flush=True)
    elif verb == "die":
        os._exit(1)
image.close()
cluster.shutdown()
