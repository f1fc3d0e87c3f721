"""Snapshots that clients number themselves: what is kept, what is read at one, rollback, and who may mix them."""

import sys

import rados

from steps import step

cluster = rados.Rados(conffile=sys.argv[1])
cluster.connect()
io = cluster.open_ioctx(sys.argv[2])


def attempt(work, *args):
    try:
        return work(*args)
    except rados.Error as error:
        return -abs(error.errno)


def read(name):
    return attempt(io.read, name)


def at(snap, name):
    io.set_read(snap)
    result = read(name)
    io.set_read(rados.LIBRADOS_SNAP_HEAD)
    return result


def listed():
    return sorted(each.key for each in io.list_objects())


one = io.create_self_managed_snap()
step("a pool's first is 2", one)
io.set_self_managed_snap_write([])
io.write_full("a", b"before")
io.set_xattr("a", "x", b"1")
io.write_full("gone", b"to be removed")
io.set_self_managed_snap_write([one])
io.write("a", b"XY", 2)
io.set_xattr("a", "x", b"2")
io.remove_object("gone")
io.write_full("late", b"made later")

step("head", read("a"))
step("at the snapshot", at(one, "a"))
step("removed since", read("gone"))
step("removed since, at the snapshot", at(one, "gone"))
step("made since", read("late"))
step("made since, at the snapshot", at(one, "late"))
step("at one that never was", at(99, "a"))
step("what is removed and kept is listed", listed())
step("stat of what is removed", attempt(io.stat, "gone"))
step("removed twice", attempt(io.remove_object, "gone"))
io.set_read(one)
step("a write at a snapshot", attempt(io.write_full, "a", b"no"))
step("an xattr at the snapshot", attempt(io.get_xattr, "a", "x"))
io.set_read(rados.LIBRADOS_SNAP_HEAD)

two = io.create_self_managed_snap()
step("the next", two)
io.set_self_managed_snap_write([two, one])
io.append("a", b"+end")
io.write_full("gone", b"again")
step("after a second, head", read("a"))
step("after a second, at it", at(two, "a"))
step("after a second, at the first", at(one, "a"))
step("between removal and a new one", at(two, "gone"))
step("made anew", read("gone"))

step("roll back", attempt(io.rollback_self_managed_snap, "a", one))
step("rolled back", read("a"))
step("rolled back, xattr", attempt(io.get_xattr, "a", "x"))
step("rolled back, at the second", at(two, "a"))
step("roll back what was not there", attempt(io.rollback_self_managed_snap, "late", one))
step("and it is gone", read("late"))
step("roll back to what was removed", attempt(io.rollback_self_managed_snap, "gone", two))
step("and it is gone again", read("gone"))
step("roll back no object", attempt(io.rollback_self_managed_snap, "none", one))
step("roll back to none", attempt(io.rollback_self_managed_snap, "a", 99))

io.write_full("a", b"anew")
io.set_self_managed_snap_write([one])
io.write_full("a", b"by one who knows less")
step("an older view makes no clone", at(two, "a"))
step("contexts out of order", attempt(lambda: io.set_self_managed_snap_write([one, two]) or io.write_full("a", b"!")))
io.set_self_managed_snap_write([two, one])

step("a pool snapshot beside", attempt(io.create_snap, "named"))
step("no named ones", [snap.name for snap in io.list_snaps()])
step("look up a name", attempt(lambda: io.lookup_snap("named").snap_id))
step("remove one that is not", attempt(io.remove_self_managed_snap, 99))
step("remove", attempt(io.remove_self_managed_snap, one))
step("remove twice", attempt(io.remove_self_managed_snap, one))
step("the numbers go on", io.create_self_managed_snap())
step("at the removed", at(one, "a"))
step("at the other", at(two, "a"))
step("head at the end", read("a"))

io.close()
cluster.shutdown()
