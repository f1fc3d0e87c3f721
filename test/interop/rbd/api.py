"""Images as programs use them through librbd's Python binding."""

import os
import sys

import images
import rbd

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "librados"))
from steps import step  # noqa: E402

MIB = 1 << 20
io, api = images.connect(sys.argv[1])


def call(name, function, *arguments, **named):
    """A step: what a call comes to, but for what no two clusters have in common."""
    result = images.outcome(function, *arguments, **named)
    step(name, result if isinstance(result, (int, str, bytes, list, dict, tuple, type(None))) else str(result))


def listed(items, *keys):
    return [tuple(str(each[key]) for key in keys) for each in items]


call("create", api.create, io, "a", 8 * MIB, order=20)
call("create again", api.create, io, "a", 8 * MIB)
call("create of the old format", api.create, io, "old", MIB, old_format=True)
call("create with a bad order", api.create, io, "bad", MIB, order=60)
call("create with odd stripes", api.create, io, "bad", MIB, order=20, stripe_unit=3, stripe_count=2)
call("create with stripes", api.create, io, "striped", 4 * MIB, order=20, stripe_unit=65536, stripe_count=3)
call("list", api.list, io)
call("open a missing one", rbd.Image, io, "nosuch")

with rbd.Image(io, "a") as image:
    call("size", image.size)
    call("features", image.features)
    call("flags", image.flags)
    call("op features", image.op_features)
    call("stripe unit", image.stripe_unit)
    call("stripe count", image.stripe_count)
    call("old format", image.old_format)
    call("data pool is the image's", lambda: image.data_pool_id() == io.get_pool_id())
    call("name", image.get_name)
    call("id and prefix", lambda: image.block_name_prefix() == "rbd_data." + image.id())
    call("access and modify times", lambda: image.access_timestamp() >= image.create_timestamp())
    call("write", image.write, b"begin", 0)
    call("write across objects", image.write, b"x" * 3000, MIB - 1500)
    call("write at the end", image.write, b"end", 8 * MIB - 3)
    call("write beyond the end", image.write, b"end", 8 * MIB - 2)
    call("read", image.read, 0, 10)
    call("read across objects", image.read, MIB - 1500, 3000)
    call("read beyond the end", image.read, 8 * MIB - 3, 10)
    call("write zeroes", image.write_zeroes, MIB - 10, 20)
    call("read zeroes", image.read, MIB - 15, 30)
    call("write same", image.write, b"ab" * 4096, 2 * MIB)
    call("discard", image.discard, 2 * MIB, 4096)
    call("read of what was discarded", image.read, 2 * MIB - 4, 16)
    call("flush", image.flush)
    call("resize", image.resize, 12 * MIB)
    call("resize to less", image.resize, 10 * MIB)
    call("resize, not to shrink", image.resize, 6 * MIB, allow_shrink=False)
    call("stat", lambda: {key: value for key, value in sorted(image.stat().items()) if key != "block_name_prefix"})

    call("metadata set", image.metadata_set, "key", "value")
    call("metadata get", image.metadata_get, "key")
    call("metadata get a missing one", image.metadata_get, "nosuch")
    call("metadata list", lambda: list(image.metadata_list()))
    call("metadata remove", image.metadata_remove, "key")

    call("snapshot", image.create_snap, "one")
    call("snapshot again", image.create_snap, "one")
    call("write over it", image.write, b"later", 0)
    call("snapshot two", image.create_snap, "two")
    call("snapshots", lambda: listed(image.list_snaps(), "name", "size", "namespace"))
    call("snapshot id", lambda: image.snap_get_id("one") == [s["id"] for s in image.list_snaps()][0])
    call("snapshot name", lambda: image.snap_get_name(image.snap_get_id("two")))
    call("protect", image.protect_snap, "one")
    call("is protected", image.is_protected_snap, "one")
    call("set snapshot", image.set_snap, "one")
    call("read it", image.read, 0, 5)
    call("write to it", image.write, b"no", 0)
    call("set no snapshot", image.set_snap, None)
    call("snapshot limit", image.get_snap_limit)
    call("set snapshot limit", image.set_snap_limit, 2)
    call("snapshot beyond it", image.create_snap, "three")
    call("remove snapshot limit", image.remove_snap_limit)
    changed = []
    image.diff_iterate(0, image.size(), "one", lambda *extent: changed.append(extent))
    call("diff since one", lambda: changed)
    changed = []
    image.diff_iterate(0, image.size(), None, lambda *extent: changed.append(extent), whole_object=True)
    call("diff of all", lambda: changed)

call("clone", api.clone, io, "a", "one", io, "c", features=61)
call("clone of what is not protected", api.clone, io, "a", "two", io, "d")
with rbd.Image(io, "c") as image:
    call("parent", image.parent_info)
    call("overlap", image.overlap)
    call("read of the parent", image.read, 0, 5)
    call("write to a clone", image.write, b"clone", MIB)
    call("read of the clone", image.read, MIB - 2, 9)
    call("snapshot of a clone", image.create_snap, "s")
    call("flatten", image.flatten)
    call("parent after it", image.parent_info)
    call("remove the snapshot", image.remove_snap, "s")
with rbd.Image(io, "a") as image:
    call("children", lambda: list(image.list_children()))
    # Made and removed here: nobody else learns of its id.
    call("descendants", lambda: [dict(each, id="") for each in image.list_descendants()])
    call("unprotect", image.unprotect_snap, "one")
    call("rollback", image.rollback_to_snap, "one")
    call("read after it", image.read, 0, 5)
    call("rename a snapshot", image.rename_snap, "two", "zwei")
    call("remove a snapshot", image.remove_snap, "one")
    call("remove it again", image.remove_snap, "one")

with rbd.Image(io, "a") as image, rbd.Image(io, "a") as other:
    call("lock", image.lock_exclusive, "mine")
    call("lock of another", other.lock_exclusive, "theirs")
    call("lockers", lambda: [len(image.list_lockers()["lockers"]), image.list_lockers()["exclusive"]])
    call("unlock", image.unlock, "mine")
    call("unlock again", image.unlock, "mine")
    call("shared lock", image.lock_shared, "mine", "tag")
    call("shared lock of another", other.lock_shared, "theirs", "tag")
    call("shared lock with another tag", other.lock_shared, "more", "other tag")
    call("lockers of it", lambda: sorted(each[1] for each in image.list_lockers()["lockers"]))
    call("unlock mine", image.unlock, "mine")
    call("unlock theirs", other.unlock, "theirs")

with rbd.Image(io, "a") as image, rbd.Image(io, "a") as other:
    call("exclusive lock", image.lock_acquire, rbd.RBD_LOCK_MODE_EXCLUSIVE)
    call("is its owner", image.is_exclusive_lock_owner)
    call("lock owners", lambda: len(list(image.lock_get_owners())))
    call("the other takes it", other.lock_acquire, rbd.RBD_LOCK_MODE_EXCLUSIVE)
    call("resize by who has no lock", image.resize, 11 * MIB)
    call("size at the other", other.size)
    call("snapshot by who has no lock", image.create_snap, "remote")
    call("snapshots at the other", lambda: listed(other.list_snaps(), "name"))
    call("watchers", lambda: len(list(image.watchers_list())))

with rbd.Image(io, "a") as image:
    call("disable features", image.update_features, rbd.RBD_FEATURE_FAST_DIFF | rbd.RBD_FEATURE_OBJECT_MAP, False)
    call("features left", image.features)
    call("enable them", image.update_features, rbd.RBD_FEATURE_FAST_DIFF | rbd.RBD_FEATURE_OBJECT_MAP, True)
    call("flags of it", image.flags)
    call("rebuild", image.rebuild_object_map)
    call("flags after it", image.flags)
    call("copy", image.copy, io, "copied")
    call("deep copy", image.deep_copy, io, "deep")
    call("sparsify", image.sparsify, 65536)
    completions = [image.aio_write(b"%d" % i * 100, i * 4096, lambda done: None) for i in range(20)]
    for completion in completions:
        completion.wait_for_complete_and_cb()
    call("asynchronous writes", lambda: [each.get_return_value() for each in completions])
    call("what they wrote", image.read, 0, 20 * 4096)

with rbd.Image(io, "deep") as image:
    call("snapshots of a deep copy", lambda: listed(image.list_snaps(), "name", "size"))

call("rename", api.rename, io, "copied", "renamed")
call("rename to one there is", api.rename, io, "renamed", "a")
call("trash", api.trash_move, io, "renamed", 0)
call("trash list", lambda: listed(api.trash_list(io), "name", "source"))
call("trash restore", lambda: api.trash_restore(io, list(api.trash_list(io))[0]["id"], "back"))
call("group", api.group_create, io, "g")
group = rbd.Group(io, "g")
call("group image", group.add_image, io, "a")
call("group images", lambda: listed(group.list_images(), "name", "state"))
call("group snapshot", group.create_snap, "gs")
call("group snapshots", lambda: listed(group.list_snaps(), "name", "state"))
call("group rollback", group.rollback_to_snap, "gs")
call("group snapshot away", group.remove_snap, "gs")
call("group image away", group.remove_image, io, "a")
call("group away", api.group_remove, io, "g")
call("namespace", api.namespace_create, io, "n")
call("namespaces", api.namespace_list, io)
call("namespace is there", api.namespace_exists, io, "n")
call("namespace away", api.namespace_remove, io, "n")
call("pool metadata", api.pool_metadata_set, io, "key", "value")
call("pool metadata list", lambda: list(api.pool_metadata_list(io)))
call("pool metadata away", api.pool_metadata_remove, io, "key")
call("pool stats", lambda: api.pool_stats_get(io))

for name in ("c", "d", "back", "striped", "old"):
    call("remove " + name, api.remove, io, name)
for name in ("a", "deep"):
    with rbd.Image(io, name) as image:
        for snap in list(image.list_snaps()):
            image.remove_snap(snap["name"])
    call("remove " + name, api.remove, io, name)
call("remove again", api.remove, io, "a")
call("list of none", api.list, io)
