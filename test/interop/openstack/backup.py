"""What Cinder's backup driver asks of a cluster, in its order (cinder/backup/drivers/ceph.py)."""
import hashlib
import json
import re
import subprocess

import rados
import rbd

from steps import attempt, image, pool

FEATURES = rbd.RBD_FEATURE_LAYERING | rbd.RBD_FEATURE_STRIPINGV2


class Backup:
    def __init__(self, conf):
        self.conf = conf

    def arguments(self, user):
        return ["--id", user, "--conf", self.conf]

    def create_base(self, base, size):
        with pool(self.conf, "cinder-backup", "backups") as (_, io):
            make = lambda: rbd.RBD().create(
                ioctx=io, name=base, size=size, old_format=False, features=FEATURES, stripe_unit=0, stripe_count=0
            )
            attempt("base %s" % base, make)

    def transfer(self, step, source, destination):
        """One client says what changed, the other writes it: two programs and a pipe."""

        def run():
            giving = subprocess.Popen(source, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            taking = subprocess.Popen(destination, stdin=giving.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            giving.stdout.close()
            _, told = taking.communicate()
            _, complaints = giving.communicate()
            return [giving.returncode, taking.returncode, *map(without_progress, (complaints, told))]

        attempt(step, run)

    def backup(self, volume, base, snapshot, since=None):
        with pool(self.conf, "cinder", "volumes") as (_, io), image(io, volume) as source:
            attempt("snapshot %s@%s" % (volume, snapshot), lambda: source.create_snap(snapshot))
        of = ["--from-snap", since] if since else []
        self.transfer(
            "backup %s@%s since %s" % (volume, snapshot, since),
            ["rbd", "export-diff", *self.arguments("cinder"), "--pool", "volumes", *of]
            + ["volumes/%s@%s" % (volume, snapshot), "-"],
            ["rbd", "import-diff", *self.arguments("cinder-backup"), "--pool", "backups", "-", "backups/%s" % base],
        )
        if since:
            with pool(self.conf, "cinder", "volumes") as (_, io), image(io, volume) as source:
                attempt("remove %s@%s" % (volume, since), lambda: source.remove_snap(since))

    def note(self, backup, text):
        with pool(self.conf, "cinder-backup", "backups") as (_, io):
            name = "backup.%s.meta" % backup
            attempt("note %s" % backup, lambda: rados.Object(io, name).write(json.dumps(text).encode()))
            attempt("noted %s" % backup, lambda: json.loads(rados.Object(io, name).read().decode()))

    def forget_note(self, backup):
        with pool(self.conf, "cinder-backup", "backups") as (_, io):
            attempt("forget %s" % backup, lambda: rados.Object(io, "backup.%s.meta" % backup).remove())

    def snapshots(self, base):
        with pool(self.conf, "cinder-backup", "backups") as (_, io), image(io, base, read_only=True) as opened:
            attempt("backups in %s" % base, lambda: sorted(each["name"] for each in opened.list_snaps()))

    def restore(self, base, snapshot, volume):
        with pool(self.conf, "cinder-backup", "backups") as (_, io), image(io, base, read_only=True) as opened:
            size = attempt("size of %s" % base, opened.size)
        self.transfer(
            "restore %s@%s" % (base, snapshot),
            ["rbd", "export-diff", *self.arguments("cinder-backup"), "--pool", "backups"]
            + ["backups/%s@%s" % (base, snapshot), "-"],
            ["rbd", "import-diff", *self.arguments("cinder"), "--pool", "volumes", "-", "volumes/%s" % volume],
        )
        with pool(self.conf, "cinder", "volumes") as (_, io), image(io, volume) as opened:
            attempt("resize %s" % volume, lambda: opened.resize(size))

    def restore_in_full(self, base, snapshot, volume):
        """Byte by byte, where the volume is not empty; what is zero is discarded."""
        with pool(self.conf, "cinder-backup", "backups") as (_, backups), pool(self.conf, "cinder", "volumes") as (_, io):
            with image(backups, base, snapshot, read_only=True) as source, image(io, volume) as target:
                extents = []
                source.diff_iterate(0, source.size(), None, lambda *extent: extents.append(extent))
                attempt("extents of %s@%s" % (base, snapshot), lambda: extents)
                for offset in range(0, source.size(), 1 << 22):
                    data = source.read(offset, min(1 << 22, source.size() - offset))
                    if any(data):
                        target.write(data, offset)
                    else:
                        target.discard(offset, len(data))
                attempt("restored", lambda: hashlib.sha256(target.read(0, source.size())).hexdigest())

    def delete(self, base, snapshot):
        """The base goes with the last of its backups."""
        with pool(self.conf, "cinder-backup", "backups") as (_, io):
            with image(io, base) as opened:
                attempt("remove %s@%s" % (base, snapshot), lambda: opened.remove_snap(snapshot))
                left = len(list(opened.list_snaps()))
            if left == 0:
                attempt("remove %s" % base, lambda: rbd.RBD().remove(io, base))


def without_progress(told):
    """Percentages come as fast as they do."""
    return [line for line in re.split(r"[\r\n]", told.decode()) if line and not re.search(r"\d% complete", line)]
