"""What Glance's RBD store asks of a cluster, in its order (glance_store/_drivers/rbd.py)."""
import hashlib

import rbd

from steps import attempt, default_features, image, pool

MIB = 1 << 20
CHUNK = 8 * MIB
ORDER = 23


def content(size):
    return b"".join(hashlib.sha256(b"%d" % i).digest() * (MIB // 32) for i in range(size // MIB))


def add(conf, name, size, is_size_known=True):
    """Where the size is not known, the image grows as it is written, and is cut at the end."""
    with pool(conf, "glance", "images") as (cluster, io):
        attempt("fsid", lambda: len(cluster.get_fsid()))
        data = content(size)
        create = lambda: rbd.RBD().create(
            io, name, size if is_size_known else 0, ORDER, old_format=False, features=default_features(cluster)
        )
        attempt("add %s: create" % name, create)
        with image(io, name) as opened:
            room = size if is_size_known else 0
            for offset in range(0, size, CHUNK):
                chunk = data[offset : offset + CHUNK]
                while room < offset + len(chunk):
                    room += 2 * CHUNK
                    attempt("add %s: resize to %d" % (name, room), lambda: opened.resize(room))
                attempt("add %s: write %d" % (name, offset), lambda: opened.write(chunk, offset))
            if not is_size_known:
                attempt("add %s: cut" % name, lambda: opened.resize(size))
            attempt("add %s: snapshot" % name, lambda: opened.create_snap("snap"))
            attempt("add %s: protect" % name, lambda: opened.protect_snap("snap"))


def add_again(conf, name):
    with pool(conf, "glance", "images") as (cluster, io):
        create = lambda: rbd.RBD().create(io, name, MIB, ORDER, old_format=False, features=default_features(cluster))
        attempt("add %s again" % name, create)


def get(conf, name):
    def read():
        with pool(conf, "glance", "images") as (_, io), image(io, name, "snap", read_only=True) as opened:
            size = opened.stat()["size"]
            digest = hashlib.sha256()
            for offset in range(0, size, CHUNK):
                digest.update(opened.read(offset, min(CHUNK, size - offset)))
            return [size, digest.hexdigest()]

    attempt("get %s" % name, read)


def add_too_much(conf, name):
    """More than was said comes: it is written no further, and all goes."""
    with pool(conf, "glance", "images") as (cluster, io):
        attempt(
            "add too much: create",
            lambda: rbd.RBD().create(io, name, MIB, ORDER, old_format=False, features=default_features(cluster)),
        )
        with image(io, name) as opened:
            attempt("add too much: write", lambda: opened.write(b"x" * 2 * MIB, 0))
    delete(conf, name, snapshot=None)


def delete(conf, name, snapshot="snap"):
    with pool(conf, "glance", "images") as (_, io):
        if snapshot is not None:

            def unprotect():
                with image(io, name) as opened:
                    try:
                        opened.unprotect_snap(snapshot)
                    except rbd.InvalidArgument:
                        pass
                    opened.remove_snap(snapshot)
                    return "gone"

            if attempt("delete %s: its snapshot" % name, unprotect) is None:
                return
        attempt("delete %s" % name, lambda: rbd.RBD().remove(io, name))


def delete_into_trash(conf, name):
    """As the store does when an image has snapshots that are not its own."""
    with pool(conf, "glance", "images") as (_, io):
        attempt("remove %s" % name, lambda: rbd.RBD().remove(io, name))
        with image(io, name):
            attempt("%s into the trash, open" % name, lambda: rbd.RBD().trash_move(io, name))
        attempt("in the trash", lambda: [each["name"] for each in rbd.RBD().trash_list(io)])


def other_pools(conf):
    """Its user may not look at those of others."""
    with pool(conf, "glance", "volumes") as (_, io):
        attempt("glance lists volumes", lambda: rbd.RBD().list(io))
        attempt("glance makes a volume", lambda: rbd.RBD().create(io, "mine", MIB))
