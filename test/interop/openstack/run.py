"""usage: run.py CONF FOLDER. The services' work, from images to backups; each step is a line of JSON."""
import subprocess
import sys

import glance
from backup import Backup
from cinder import Cinder

MIB = 1 << 20
CONF, FOLDER = sys.argv[1:3]
cinder = Cinder(CONF, FOLDER)


def images():
    glance.add(CONF, "debian", 24 * MIB)
    glance.add_again(CONF, "debian")
    glance.add(CONF, "unsized", 20 * MIB, is_size_known=False)
    for name in ["debian", "unsized", "none"]:
        glance.get(CONF, name)
    glance.add_too_much(CONF, "overlong")
    glance.delete(CONF, "unsized")
    glance.delete(CONF, "unsized")
    glance.other_pools(CONF)


def volumes():
    cinder.create("empty", 16 * MIB)
    cinder.create("empty", 16 * MIB)
    cinder.write("empty", 5 * MIB, b"volume" * 1000)
    cinder.clone_snapshot("debian", "snap", "boot", 32 * MIB, source_pool="images")
    cinder.digest("boot")
    cinder.images_are_read_only("debian")
    # Glance cannot have it back while there is a clone.
    glance.delete(CONF, "debian")
    cinder.write("boot", 3 * MIB, b"changed" * 1000)
    cinder.create_snapshot("boot", "monday")
    cinder.write("boot", 10 * MIB, b"later" * 1000)
    cinder.digest("boot")
    cinder.revert("boot", "monday")
    cinder.digest("boot")
    cinder.retype_multiattach("empty")
    cinder.retype_replicated("empty")
    cinder.copy("boot", "copied")
    cinder.digest("copied")
    cinder.migrate("copied", "vms")
    cinder.digest("copied", "vms")
    cinder.export("boot", "%s/exported" % FOLDER)
    with open("%s/image" % FOLDER, "wb") as image:
        image.write(glance.content(10 * MIB) + b"rest")
    cinder.import_image("%s/image" % FOLDER, "imported")
    cinder.extend("imported", 12 * MIB)
    cinder.digest("imported")
    cinder.manage("imported", "managed")
    cinder.manage_snapshot("boot", "monday", "managed-monday")
    cinder.names()


def clones():
    """Of snapshots and of volumes; what they depend on stays, under another name, until they go."""
    cinder.clone_snapshot("boot", "managed-monday", "of-monday")
    cinder.delete_snapshot("boot", "managed-monday")
    cinder.unmanage_snapshot("boot", "managed-monday")
    cinder.clone_volume("boot", "second")
    cinder.clone_volume("second", "third")
    cinder.clone_volume("third", "flat", flatten=True)
    cinder.digest("third")
    cinder.delete("boot")
    cinder.delete("second")
    cinder.names()
    cinder.delete("flat")
    cinder.delete("third")
    cinder.names()
    cinder.delete("of-monday")
    for name in ["boot", "boot.deleted"]:
        cinder.delete(name)
    cinder.delete("none")
    cinder.purge()
    cinder.names()


def deferred():
    cinder.create("later", 8 * MIB)
    cinder.write("later", 0, b"x" * MIB)
    cinder.delete_later("later", 600)
    cinder.create("now", 8 * MIB)
    cinder.delete_later("now", 0)
    cinder.delete_later("now", 0)
    cinder.purge()


def backups():
    backup = Backup(CONF)
    first, second = "backup.1.snap.100.00", "backup.2.snap.200.00"
    backup.create_base("volume-1.backup.base", 16 * MIB)
    backup.backup("empty", "volume-1.backup.base", first)
    backup.note("1", {"version": 2})
    cinder.write("empty", 9 * MIB, b"more" * 1000)
    backup.backup("empty", "volume-1.backup.base", second, since=first)
    backup.snapshots("volume-1.backup.base")
    cinder.digest("empty")
    cinder.create("restored", 16 * MIB)
    backup.restore("volume-1.backup.base", second, "restored")
    cinder.digest("restored")
    cinder.write("restored", 0, b"other" * 1000)
    backup.restore_in_full("volume-1.backup.base", first, "restored")
    cinder.snapshots("empty")
    # What is left of the backups goes with the volume.
    cinder.delete_snapshot("empty", second)
    cinder.delete("empty")
    for snapshot in [second, first]:
        backup.delete("volume-1.backup.base", snapshot)
    backup.forget_note("1")


def newer_clones():
    """Nothing is protected any more, and what has clones goes into the trash."""
    glance.add(CONF, "fedora", 8 * MIB)
    cinder.clone_snapshot("fedora", "snap", "newer", source_pool="images")
    cinder.create_snapshot("newer", "tuesday")
    cinder.clone_snapshot("newer", "tuesday", "newest", 16 * MIB)
    cinder.delete_snapshot("newer", "tuesday")
    cinder.delete("newer")
    cinder.names()
    glance.delete(CONF, "fedora")
    glance.delete_into_trash(CONF, "fedora")
    cinder.purge()
    cinder.digest("newest")
    cinder.clone_volume("newest", "flat", flatten=True)
    cinder.digest("flat")
    cinder.delete("newest")
    cinder.delete("flat")
    cinder.purge()
    cinder.names()


images()
volumes()
clones()
deferred()
backups()
cinder.capacity()
cinder.monitors()
subprocess.run(
    ["ceph", "-c", CONF, "osd", "set-require-min-compat-client", "mimic"], check=True, capture_output=True
)
newer_clones()
