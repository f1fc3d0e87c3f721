"""Images of all kinds, written, discarded, resized and snapshotted by librbd at random; the same for the same seed.

busy.py CONF SEED
"""

import random
import sys

import rados
import rbd

MIB = 1 << 20
LAYERING, STRIPING, FAST = 1, 2, 4 | 8 | 16
DEEP = 32


def keep_busy(io, name, seed, steps):
    draw = random.Random(seed)
    with rbd.Image(io, name) as image:
        taken = 0
        for _ in range(steps):
            size = image.size()
            offset = draw.randrange(size)
            length = min(draw.randint(1, 200_000), size - offset)
            kind = draw.randrange(20)
            if kind < 9:
                image.write(bytes([draw.randrange(256)]) * length, offset)
            elif kind < 12:
                image.discard(offset, length)
            elif kind < 14:
                unit = 1 << image.stat()["order"]
                image.discard(offset - offset % unit, min(unit, size - (offset - offset % unit)))
            elif kind < 16 and taken < 6:
                image.create_snap(f"s{taken}")
                taken += 1
            elif kind < 17:
                image.resize(max(MIB, size + draw.randint(-2 * MIB, 2 * MIB)))
            elif kind < 18 and taken > 2 and draw.randrange(3) == 0:
                snapshots = [each["name"] for each in image.list_snaps()]
                image.remove_snap(draw.choice(snapshots))


def main(conf, seed):
    with rados.Rados(conffile=conf) as cluster, cluster.open_ioctx("images") as io:
        make = rbd.RBD()
        fast = LAYERING | FAST | DEEP

        def create(name, size, order, features=fast, **more):
            make.create(io, name, size, order=order, old_format=False, features=features, **more)

        create("whole", 9 * MIB + 12345, 20)
        create("plain", 6 * MIB, 20, LAYERING)
        create("striped", 7 * MIB, 20, fast | STRIPING, stripe_unit=65536, stripe_count=3)
        create("apart", 6 * MIB, 22, data_pool="far")
        create("base", 8 * MIB + 777, 20)
        create("empty", 5 * MIB, 22)
        for i, name in enumerate(["whole", "plain", "striped", "apart", "base"]):
            keep_busy(io, name, seed + i, 60)
        with rbd.Image(io, "base") as image:
            image.resize(8 * MIB + 777)
            image.write(b"x" * MIB, MIB)
            image.create_snap("p")
            image.protect_snap("p")
        make.clone(io, "base", "p", io, "child", features=fast, order=20)
        make.clone(io, "base", "p", io, "mixed", features=fast | STRIPING, order=19, stripe_unit=16384, stripe_count=2)
        make.clone(io, "base", "p", io, "bare", features=LAYERING, order=21)
        for i, name in enumerate(["child", "mixed", "bare"]):
            keep_busy(io, name, seed + 10 + i, 50)
        with rbd.Image(io, "child") as image:
            image.create_snap("g")
            image.protect_snap("g")
        make.clone(io, "child", "g", io, "grandchild", features=fast, order=20)
        keep_busy(io, "grandchild", seed + 20, 25)


main(sys.argv[1], int(sys.argv[2]))
