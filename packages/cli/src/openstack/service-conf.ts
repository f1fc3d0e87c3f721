/** What the configuration files of OpenStack's services say of the cluster. */

export interface ServiceConf {
  /** Such as `cinder.conf`. */
  readonly file: string;
  readonly text: string;
}

/**
 * @param conf where ceph.conf is
 * @param secretUuid under which libvirt is given Cinder's key
 */
export function serviceConfs(conf: string, secretUuid: string): readonly ServiceConf[] {
  return [
    { file: 'glance-api.conf', text: glance(conf) },
    { file: 'cinder.conf', text: cinder(conf, secretUuid) },
    { file: 'nova.conf', text: nova(conf, secretUuid) },
  ];
}

function glance(conf: string): string {
  return `[DEFAULT]
enabled_backends = ceph:rbd
# Cinder and Nova clone what they are told the place of.
show_image_direct_url = true

[glance_store]
default_backend = ceph

[ceph]
rbd_store_pool = images
rbd_store_user = glance
rbd_store_ceph_conf = ${conf}
rbd_store_chunk_size = 8
`;
}

function cinder(conf: string, secretUuid: string): string {
  return `[DEFAULT]
enabled_backends = ceph
backup_driver = cinder.backup.drivers.ceph.CephBackupDriver
backup_ceph_conf = ${conf}
backup_ceph_user = cinder-backup
backup_ceph_pool = backups
restore_discard_excess_bytes = true

[ceph]
volume_driver = cinder.volume.drivers.rbd.RBDDriver
volume_backend_name = ceph
rbd_pool = volumes
rbd_user = cinder
rbd_ceph_conf = ${conf}
rbd_secret_uuid = ${secretUuid}
rbd_exclusive_cinder_pool = true
`;
}

function nova(conf: string, secretUuid: string): string {
  return `[libvirt]
images_type = rbd
images_rbd_pool = vms
images_rbd_ceph_conf = ${conf}
rbd_user = cinder
rbd_secret_uuid = ${secretUuid}
disk_cachemodes = network=writeback
`;
}

/** How a host's libvirt is given Cinder's key. */
export function libvirtSecret(conf: string, secretUuid: string): string {
  return `cat >secret.xml <<END
<secret ephemeral='no' private='no'>
  <uuid>${secretUuid}</uuid>
  <usage type='ceph'><name>client.cinder secret</name></usage>
</secret>
END
virsh secret-define --file secret.xml
virsh secret-set-value --secret ${secretUuid} --base64 "$(ceph -c ${conf} auth get-key client.cinder)"
`;
}
