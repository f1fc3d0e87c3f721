"""Changes an image by librbd.

change.py CONF IMAGE CHANGES

CHANGES is JSON: [offset, length, byte], or [offset, length, null], which is zero from then on.
"""

import json
import sys

import rados
import rbd


def main(conf, name, changes):
    with (
        rados.Rados(conffile=conf) as cluster,
        cluster.open_ioctx("images") as io,
        rbd.Image(io, name) as image,
    ):
        for offset, length, byte in json.loads(changes):
            if byte is None:
                image.discard(offset, length)
            else:
                image.write(bytes([byte]) * length, offset)


if __name__ == "__main__":
    main(*sys.argv[1:])
