"""What Cinder's RBD driver asks of a cluster, in its order (cinder/volume/drivers/rbd.py)."""
import hashlib
import json
import math
import os
import subprocess

import rbd

from steps import attempt, default_features, image, pool

MIB = 1 << 20
ORDER = 22
MULTIATTACH_EXCLUSIONS = (
    rbd.RBD_FEATURE_JOURNALING
    | rbd.RBD_FEATURE_FAST_DIFF
    | rbd.RBD_FEATURE_OBJECT_MAP
    | rbd.RBD_FEATURE_EXCLUSIVE_LOCK
)


class Cinder:
    def __init__(self, conf, folder):
        self.conf = conf
        self.folder = folder

    def pool(self, name="volumes"):
        return pool(self.conf, "cinder", name)

    def create(self, name, size):
        with self.pool() as (cluster, io):
            make = lambda: rbd.RBD().create(
                io, name, size, ORDER, old_format=False, features=default_features(cluster)
            )
            attempt("create %s" % name, make)

    def write(self, name, offset, data):
        """By Nova's user, which is Cinder's."""
        with self.pool() as (_, io), image(io, name) as volume:
            attempt("write %s" % name, lambda: volume.write(data, offset))

    def digest(self, name, at="volumes"):
        def read():
            with self.pool(at) as (_, io), image(io, name, read_only=True) as volume:
                return [volume.size(), hashlib.sha256(volume.read(0, volume.size())).hexdigest()]

        attempt("read %s" % name, read)

    def create_snapshot(self, name, snapshot):
        with self.pool() as (_, io), image(io, name) as volume:
            attempt("snapshot %s@%s" % (name, snapshot), lambda: volume.create_snap(snapshot))
            attempt("protect %s@%s" % (name, snapshot), lambda: volume.protect_snap(snapshot))

    def delete_snapshot(self, name, snapshot):
        with self.pool() as (_, io), image(io, name) as volume:
            attempt("unprotect %s@%s" % (name, snapshot), lambda: volume.unprotect_snap(snapshot))
            volume.set_snap(snapshot)
            attempt("children of %s@%s" % (name, snapshot), lambda: sorted(volume.list_children()))
            volume.set_snap(None)
            attempt("remove %s@%s" % (name, snapshot), lambda: volume.remove_snap(snapshot))

    def clone_snapshot(self, source, snapshot, name, size=None, source_pool="volumes"):
        """A volume of a snapshot, or of an image of Glance's."""
        with self.pool(source_pool) as (cluster, parents), self.pool() as (_, io):
            with image(parents, source, snapshot, read_only=True) as parent:
                unit = attempt("stripes of %s" % source, parent.stripe_unit)
            order = int(math.log(max(unit, 1 << ORDER), 2))
            clone = lambda: rbd.RBD().clone(
                parents, source, snapshot, io, name, features=default_features(cluster), order=order
            )
            attempt("clone %s@%s as %s" % (source, snapshot, name), clone)
        if size is not None:
            self.extend(name, size)

    def clone_volume(self, source, name, flatten=False):
        snapshot = "%s.clone_snap" % name
        with self.pool() as (cluster, io):
            with image(io, source) as volume:
                attempt("clone %s: snapshot" % source, lambda: volume.create_snap(snapshot))
                attempt("clone %s: protect" % source, lambda: volume.protect_snap(snapshot))
                clone = lambda: rbd.RBD().clone(io, source, snapshot, io, name, features=default_features(cluster))
                attempt("clone %s as %s" % (source, name), clone)
                self.depth(io, source)
                if flatten:
                    with image(io, name) as made:
                        attempt("flatten %s" % name, made.flatten)
                    attempt("clone %s: unprotect" % source, lambda: volume.unprotect_snap(snapshot))
                    attempt("clone %s: remove snapshot" % source, lambda: volume.remove_snap(snapshot))

    def depth(self, io, name):
        def count():
            depth, at = 0, name
            while True:
                with image(io, at, read_only=True) as volume:
                    try:
                        _, parent, snapshot = volume.parent_info()
                    except rbd.ImageNotFound:
                        return depth
                    # Others are not of volumes.
                    if snapshot != "%s.clone_snap" % at:
                        return depth
                    depth, at = depth + 1, parent

        attempt("depth of %s" % name, count)

    def extend(self, name, size):
        with self.pool() as (_, io), image(io, name) as volume:
            attempt("extend %s to %d" % (name, size), lambda: volume.resize(size))

    def revert(self, name, snapshot):
        with self.pool() as (_, io), image(io, name) as volume:
            attempt("revert %s to %s" % (name, snapshot), lambda: volume.rollback_to_snap(snapshot))

    def retype_multiattach(self, name):
        with self.pool() as (_, io), image(io, name) as volume:
            before = attempt("features of %s" % name, volume.features)
            change = MULTIATTACH_EXCLUSIONS & before
            attempt("%s for many" % name, lambda: volume.update_features(change, False))
            attempt("features of %s for many" % name, volume.features)
            attempt("%s for one" % name, lambda: volume.update_features(change, True))
            attempt("features of %s for one" % name, volume.features)

    def retype_replicated(self, name):
        """Without mirroring in the pool it is refused, after the features were changed."""
        with self.pool() as (_, io), image(io, name) as volume:
            attempt("journal of %s" % name, lambda: volume.update_features(rbd.RBD_FEATURE_JOURNALING, True))
            attempt("mirror %s" % name, volume.mirror_image_enable)
            attempt("no journal of %s" % name, lambda: volume.update_features(rbd.RBD_FEATURE_JOURNALING, False))

    def copy(self, source, name):
        with self.pool() as (_, io), image(io, source, read_only=True) as volume:
            attempt("copy %s to %s" % (source, name), lambda: volume.copy(io, name))

    def migrate(self, name, to):
        """To another pool of the cluster (migrate_volume)."""
        with self.pool() as (_, io), self.pool(to) as (_, target):
            with image(io, name, read_only=True) as volume:
                attempt("migrate %s" % name, lambda: volume.copy(target, name))
        self.delete(name)

    def clone_snap_of(self, volume):
        return next((each["name"] for each in volume.list_snaps() if each["name"].endswith(".clone_snap")), None)

    def parent_of(self, volume, snapshot):
        volume.set_snap(snapshot)
        try:
            return volume.parent_info()
        except rbd.ImageNotFound:
            return None
        finally:
            volume.set_snap(None)

    def delete(self, name):
        with self.pool() as (_, io):
            try:
                with image(io, name) as volume:
                    snapshot = self.clone_snap_of(volume)
                    parent = self.parent_of(volume, snapshot)
            except rbd.ImageNotFound as error:
                attempt("delete %s" % name, lambda: str(error))
                return
            if snapshot is not None:
                attempt("rename %s" % name, lambda: rbd.RBD().rename(io, name, "%s.deleted" % name))
                return
            if attempt("remove %s" % name, lambda: rbd.RBD().remove(io, name) or "gone") is None:
                attempt("%s into the trash" % name, lambda: rbd.RBD().trash_move(io, name, 0))
                return
            is_clone = bool(parent) and parent[2] == "%s.clone_snap" % name
            attempt("is %s a clone" % name, lambda: is_clone and parent)
            if is_clone:
                self.delete_parent(io, parent[1], parent[2])

    def delete_parent(self, io, name, snapshot):
        """Volumes that were deleted while there were clones of them go with the last clone."""
        with image(io, name) as volume:
            parent = attempt("parent of %s" % name, lambda: self.parent_of(volume, snapshot))
            attempt("unprotect %s@%s" % (name, snapshot), lambda: volume.unprotect_snap(snapshot))
            attempt("remove %s@%s" % (name, snapshot), lambda: volume.remove_snap(snapshot))
            has_more = bool(list(volume.list_snaps()))
        if has_more or not name.endswith(".deleted"):
            return
        attempt("remove %s" % name, lambda: rbd.RBD().remove(io, name))
        if parent:
            self.delete_parent(io, parent[1], parent[2])

    def delete_later(self, name, delay):
        """With enable_deferred_deletion."""
        with self.pool() as (_, io):
            attempt("%s into the trash" % name, lambda: rbd.RBD().trash_move(io, name, delay))

    def purge(self):
        """What the driver does every so often with enable_deferred_deletion."""
        with self.pool() as (_, io):
            trash = sorted(rbd.RBD().trash_list(io), key=lambda each: each["name"])
            for each in trash:
                take = lambda: rbd.RBD().trash_remove(io, each["id"])
                attempt("purge %s (%s)" % (each["name"], each["source"]), take)

    def manage(self, existing, name):
        with self.pool() as (_, io):
            with image(io, existing, read_only=True) as volume:
                attempt("size of %s" % existing, volume.size)
            attempt("manage %s" % existing, lambda: rbd.RBD().rename(io, existing, name))
            attempt("manage %s again" % existing, lambda: rbd.RBD().rename(io, existing, name))

    def manage_snapshot(self, name, existing, snapshot):
        with self.pool() as (_, io):
            with image(io, name, existing, read_only=True) as then:
                attempt("size of %s@%s" % (name, existing), then.size)
            with image(io, name) as volume:
                attempt("manage %s@%s" % (name, existing), lambda: volume.rename_snap(existing, snapshot))
                attempt("is %s@%s protected" % (name, snapshot), lambda: volume.is_protected_snap(snapshot))

    def unmanage_snapshot(self, name, snapshot):
        with self.pool() as (_, io), image(io, name) as volume:
            volume.set_snap(snapshot)
            attempt("children of %s@%s" % (name, snapshot), lambda: sorted(volume.list_children()))
            volume.set_snap(None)
            attempt("unprotect %s@%s" % (name, snapshot), lambda: volume.unprotect_snap(snapshot))

    def names(self):
        with self.pool() as (_, io):
            attempt("volumes", lambda: sorted(rbd.RBD().list(io)))

    def snapshots(self, name):
        with self.pool() as (_, io), image(io, name) as volume:
            attempt("snapshots of %s" % name, lambda: [[each["name"], each["size"]] for each in volume.list_snaps()])

    def capacity(self):
        with self.pool() as (cluster, _):
            def of_pool():
                code, output, _ = cluster.mon_command('{"prefix":"df", "format":"json"}', b"")
                told = json.loads(output)
                stats = next(each["stats"] for each in told["pools"] if each["name"] == "volumes")
                return [code, sorted(told["stats"]), sorted(stats), stats["max_avail"] > 0, "stored" in stats]

            def quota():
                line = '{"prefix":"osd pool get-quota", "pool": "volumes", "format":"json"}'
                code, output, status = cluster.mon_command(line, b"")
                told = json.loads(output)
                return [code, list(told), told["quota_max_bytes"], told["quota_max_objects"], status]

            attempt("capacity", of_pool)
            attempt("quota", quota)
            attempt("fsid", lambda: len(cluster.get_fsid()))

    def run(self, *words):
        """A command line, as the driver runs it."""
        line = [*words, "--id", "cinder", "--cluster", "ceph", "--conf", self.conf]
        done = subprocess.run(line, capture_output=True, env={**os.environ, "CEPH_ARGS": ""}, check=False)
        return done

    def monitors(self):
        def ask():
            done = self.run("ceph", "mon", "dump", "--format=json")
            mons = json.loads(done.stdout)["mons"]
            return [done.returncode, [each["addr"].rindex(":") > 0 and each["addr"].endswith("/0") for each in mons]]

        attempt("monitors", ask)

    def import_image(self, path, name):
        """An image that cannot be cloned (copy_image_to_volume)."""
        line = ["rbd", "import", "--no-progress", "--pool", "volumes", "--order", str(ORDER), path, name, "--new-format"]
        attempt("import %s" % name, lambda: self.told(self.run(*line)))

    def export(self, name, path):
        """A volume becomes an image (copy_volume_to_image)."""
        line = ["rbd", "export", "--no-progress", "--pool", "volumes", name, path]
        attempt("export %s" % name, lambda: self.told(self.run(*line)))
        with open(path, "rb") as exported:
            data = exported.read()
        attempt("exported %s" % name, lambda: [len(data), hashlib.sha256(data).hexdigest()])
        os.remove(path)

    def told(self, done):
        return [done.returncode, done.stdout.decode(), done.stderr.decode().replace(self.folder, "FOLDER")]

    def images_are_read_only(self, name):
        with self.pool("images") as (_, io):
            with image(io, name, read_only=True) as opened:
                attempt("cinder reads an image", lambda: hashlib.sha256(opened.read(0, MIB)).hexdigest())
            attempt("cinder makes an image", lambda: rbd.RBD().create(io, "mine", MIB))
            attempt("cinder removes an image", lambda: rbd.RBD().remove(io, name))
