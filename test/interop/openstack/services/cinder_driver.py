"""
usage: cinder_driver.py CONF FOLDER

Debian's cinder.volume.drivers.rbd.RBDDriver and its backup driver, unmodified, without a service, a database or a queue: volumes and snapshots are
objects of this program. The cluster that CONF leads to is configured by `spirula openstack init`; needs python3-cinder.
"""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from types import SimpleNamespace
from unittest import mock

import eventlet

eventlet.monkey_patch()

from cinder import context, objects  # noqa: E402
from cinder.backup.drivers import ceph as ceph_backup  # noqa: E402
from cinder.common import config  # noqa: E402, F401
from cinder.volume import configuration  # noqa: E402
from cinder.volume import driver as base_driver  # noqa: E402
from cinder.volume.drivers import rbd as rbd_driver  # noqa: E402
from os_brick.initiator import linuxrbd  # noqa: E402
from oslo_config import cfg  # noqa: E402

SPIRULA = os.path.join(os.path.dirname(__file__), "../../../../packages/cli/bin/spirula.mjs")
CONF, FOLDER = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
IMAGE = "of-the-driver"
GIB = 1 << 30
MIB = 1 << 20
objects.register_all()


def make_driver(**settings):
    """As cinder-volume does, of the configuration that was printed."""
    told = subprocess.run(
        ["node", SPIRULA, "openstack", "init", "-c", CONF, "--json"], check=True, capture_output=True
    ).stdout
    path = os.path.join(FOLDER, "cinder.conf")
    with open(path, "w") as conf:
        conf.write(json.loads(told)["cinder.conf"])
        conf.write("rados_connection_interval = 1\nrados_connection_retries = 1\n")
        conf.writelines("%s = %s\n" % setting for setting in settings.items())
        conf.write("\n[DEFAULT]\nstate_path = %s\nimage_conversion_dir = %s\n" % (FOLDER, FOLDER))
    cfg.CONF(["--config-file", path], project="cinder")
    conf = configuration.Configuration(base_driver.volume_opts, config_group="ceph")
    driver = rbd_driver.RBDDriver(configuration=conf)
    driver.do_setup(context.get_admin_context())
    driver.check_for_setup_error()
    return driver


class Volume(SimpleNamespace):
    """Of what the driver asks of one."""

    def __init__(self, name, size, **rest):
        defaults = dict(
            id=name, name_id=name, use_quota=True, encryption_key_id=None, provider_location=None, replication_driver_data=None,
            volume_type=None, volume_type_id=None, host="host@ceph#ceph", status="available", admin_metadata={}, multiattach=False,
            replication_status=None,
        )  # fmt: skip
        super().__init__(name=name, size=size, **{**defaults, **rest})

    def __getitem__(self, name):
        return getattr(self, name)

    def get(self, name, default=None):
        return getattr(self, name, default)


class Snapshot(Volume):
    def __init__(self, name, volume, **rest):
        super().__init__(name, volume.size, volume=volume, volume_name=volume.name, volume_size=volume.size, **rest)


def step(name, action):
    try:
        told = {"step": name, "value": action()}
    except Exception as error:  # Whatever it is, both clusters are to come to it.
        told = {"step": name, "error": "%s: %s" % (type(error).__name__, error)}
    print(json.dumps(told, default=str), flush=True)
    return told.get("value")


def open_volume(driver, name, **rest):
    return rbd_driver.RBDVolumeProxy(driver, name, **rest)


def write(driver, volume, offset, data):
    with open_volume(driver, volume.name) as image:
        image.write(data, offset)


def digest(driver, volume):
    with open_volume(driver, volume.name, read_only=True) as image:
        whole = hashlib.sha256()
        for offset in range(0, image.size(), 32 * MIB):
            whole.update(image.read(offset, min(32 * MIB, image.size() - offset)))
        return [image.size(), whole.hexdigest()]


def volumes(driver):
    admin = context.get_admin_context()
    first = Volume("volume-1", 1)
    step("create", lambda: driver.create_volume(first))
    step("features", lambda: open_volume(driver, first.name).features())
    write(driver, first, 5 * MIB, b"first" * 1000)
    monday = Snapshot("snapshot-1", first)
    step("snapshot", lambda: driver.create_snapshot(monday))
    write(driver, first, 9 * MIB, b"later" * 1000)
    step("revert", lambda: driver.revert_to_snapshot(admin, first, monday))
    step("reverted", lambda: digest(driver, first))
    of_snapshot = Volume("volume-2", 2)
    step("volume of a snapshot", lambda: driver.create_volume_from_snapshot(of_snapshot, monday))
    step("and its bytes", lambda: digest(driver, of_snapshot))
    step("snapshot is busy", lambda: driver.delete_snapshot(monday))
    clone = Volume("volume-3", 1)
    step("clone", lambda: driver.create_cloned_volume(clone, first))
    second = Volume("volume-4", 2)
    step("clone of a clone", lambda: driver.create_cloned_volume(second, clone))
    step("extend", lambda: driver.extend_volume(clone, 3))
    step("connection", lambda: sorted(driver.initialize_connection(clone, {"host": "h"})["data"]))
    step("delete what has clones", lambda: driver.delete_volume(clone))
    step("names", lambda: names(driver))
    step("delete the last clone", lambda: driver.delete_volume(second))
    step("names without clones", lambda: names(driver))
    step("delete a volume with a snapshot", lambda: driver.delete_volume(Volume("volume-2", 2)))
    step("delete the snapshot", lambda: driver.delete_snapshot(monday))
    step("delete it", lambda: driver.delete_volume(first))
    step("delete it again", lambda: driver.delete_volume(first))
    step("names at the end", lambda: names(driver))


def names(driver):
    with rbd_driver.RADOSClient(driver) as client:
        return sorted(name for name in driver.RBDProxy().list(client.ioctx) if name.startswith(("volume-", "adopted")))


def images(driver):
    """Of Glance's: cloned, and copied where it cannot be."""
    with rbd_driver.RADOSClient(driver) as client:
        fsid = client.cluster.get_fsid()
    glance("create", IMAGE, "--size", "24M")
    glance("bench", IMAGE, "--io-type", "write", "--io-size", "1M", "--io-total", "8M")
    glance("snap", "create", "--no-progress", "%s@snap" % IMAGE)
    glance("snap", "protect", "%s@snap" % IMAGE)
    location = ("rbd://%s/images/%s/snap" % (fsid, IMAGE), None)
    meta = {"id": IMAGE, "disk_format": "raw"}
    boot = Volume("volume-5", 1)
    step("cloneable", lambda: driver._is_cloneable(location[0], meta))
    step("clone an image", lambda: driver.clone_image(None, boot, location, meta, None)[1])
    step("cloned", lambda: digest(driver, boot)[0])
    step("another cluster's", lambda: driver._is_cloneable(location[0].replace(fsid, str(uuid.UUID(int=0))), meta))
    path = os.path.join(FOLDER, "image.raw")
    with open(path, "wb") as image:
        image.write(b"copied" * 100_000)
    copied = Volume("volume-6", 1)
    service = mock.Mock()
    fetch = lambda _context, _service, _image, target, *_rest, **_more: shutil.copyfile(path, target) and None
    with mock.patch("cinder.image.image_utils.fetch_to_raw", fetch):
        step("create for a copy", lambda: driver.create_volume(copied))
        step("copy an image", lambda: driver.copy_image_to_volume(None, copied, service, "image"))
    step("copied", lambda: digest(driver, copied))

    def upload(_context, _service, _meta, exported, _volume, **_rest):
        with open(exported, "rb") as file:
            uploaded.append(hashlib.sha256(file.read()).hexdigest())

    uploaded = []
    with mock.patch("cinder.volume.volume_utils.upload_volume", upload):
        step("copy to an image", lambda: driver.copy_volume_to_image(None, copied, service, {"id": "x"}))
    step("uploaded", lambda: uploaded)
    for volume in [boot, copied]:
        step("delete %s" % volume.name, lambda: driver.delete_volume(volume))
    glance("snap", "unprotect", "%s@snap" % IMAGE)
    glance("snap", "rm", "--no-progress", "%s@snap" % IMAGE)
    glance("rm", "--no-progress", IMAGE)


def glance(*words):
    line = ["rbd", "-c", CONF, "--id", "glance", "--pool", "images", *words]
    subprocess.run(line, check=True, capture_output=True)


def management(driver):
    with rbd_driver.RADOSClient(driver) as client:
        driver.RBDProxy().create(client.ioctx, "foreign", GIB, 22, old_format=False)
    step("size to manage", lambda: driver.manage_existing_get_size(Volume("adopted", 1), {"source-name": "foreign"}))
    step("manage", lambda: driver.manage_existing(Volume("adopted", 1), {"source-name": "foreign"}))
    step("manageable", lambda: is_manageable(driver, "adopted"))
    step("unmanage", lambda: driver.unmanage(Volume("adopted", 1)))
    multiattach = Volume("adopted", 1)
    update = step("for many", lambda: driver._enable_multiattach(multiattach))
    multiattach.provider_location = update["provider_location"]
    step("features for many", lambda: open_volume(driver, "adopted").features())
    step("for one", lambda: driver._disable_multiattach(multiattach))
    step("features for one", lambda: open_volume(driver, "adopted").features())
    step("delete managed", lambda: driver.delete_volume(Volume("adopted", 1)))


def is_manageable(driver, name):
    found = driver.get_manageable_volumes([], None, 100, 0, ["size"], ["asc"])
    return [[each["size"], each["safe_to_manage"]] for each in found if each["reference"] == {"source-name": name}]


def capacity(driver):
    driver._update_volume_stats()
    stats = driver._stats
    step("capacity", lambda: [stats["backend_state"], stats["total_capacity_gb"] > 0, stats["free_capacity_gb"] > 0, stats["qos_support"]])
    step("monitors", lambda: [len(each) for each in driver._get_mon_addrs()])


def deferred():
    driver = make_driver(enable_deferred_deletion=True, deferred_deletion_delay=0)
    volume = Volume("volume-7", 1)
    step("create, to be deleted later", lambda: driver.create_volume(volume))
    step("delete later", lambda: driver.delete_volume(volume))
    with rbd_driver.RADOSClient(driver) as client:
        step("in the trash", lambda: [each["name"] for each in driver.RBDProxy().trash_list(client.ioctx) if each["name"] == "volume-7"])
        step("purge", lambda: driver._trash_purge())
        step("in the trash afterwards", lambda: [each["name"] for each in driver.RBDProxy().trash_list(client.ioctx) if each["name"] == "volume-7"])


def backups(driver):
    volume = Volume("volume-8", 1)
    driver.create_volume(volume)
    write(driver, volume, 3 * MIB, b"saved" * 1000)
    backend = ceph_backup.CephBackupDriver(context.get_admin_context())
    parent = Backup("backup-1", volume, None)
    restored = Volume("volume-9", 1)
    with mock.patch.object(backend, "db", Database({each.id: each for each in [volume, restored]})):
        with mock.patch("cinder.objects.Volume.get_by_id", lambda _context, _id: volume):
            with mock.patch.object(ceph_backup.CephBackupDriver, "_backup_metadata", lambda self, backup: None):
                save = lambda backup: backend.backup(backup, volume_file(driver, volume))
                parent.service_metadata = step_service(step("back up", lambda: save(parent)))
                write(driver, volume, 7 * MIB, b"more" * 1000)
                child = Backup("backup-2", volume, parent.id)
                child.parent = parent
                child.service_metadata = step_service(step("back up what has changed", lambda: save(child)))
            driver.create_volume(restored)
            with mock.patch.object(ceph_backup.CephBackupDriver, "_restore_metadata", lambda self, *_: None):
                step("restore", lambda: backend.restore(child, restored.id, volume_file(driver, restored)))
            step("what was saved", lambda: digest(driver, volume))
            step("what was restored", lambda: digest(driver, restored))
            for backup in [child, parent]:
                step("delete %s" % backup.id, lambda: backend.delete_backup(backup))
    for each in [volume, restored]:
        step("delete %s" % each.name, lambda: driver.delete_volume(each))


def step_service(update):
    return (update or {}).get("service_metadata")


class Database:
    def __init__(self, by_id):
        self.by_id = by_id

    def volume_get(self, _context, volume_id):
        return self.by_id[volume_id]


class Backup(Volume):
    def __init__(self, name, volume, parent_id):
        super().__init__(
            name, volume.size, volume_id=volume.id, container="backups", parent_id=parent_id, parent=None, snapshot_id=None,
            service_metadata=None, is_incremental=parent_id is not None, snapshot=None,
        )  # fmt: skip

    def save(self):
        pass


def volume_file(driver, volume):
    image = open_volume(driver, volume.name)
    meta = linuxrbd.RBDImageMetadata(image, "volumes", "cinder", CONF)
    return linuxrbd.RBDVolumeIOWrapper(meta)


def main():
    tempfile.tempdir = FOLDER
    driver = make_driver()
    volumes(driver)
    images(driver)
    management(driver)
    capacity(driver)
    backups(driver)
    deferred()


main()
