/** What OpenStack needs of a cluster: Ceph's own advice (docs.ceph.com, rbd/rbd-openstack, 16.2). */

/** One for each service that stores images. */
export const OPENSTACK_POOLS = ['volumes', 'images', 'vms', 'backups'] as const;

export interface OpenstackUser {
  /** Without `client.` */
  readonly id: string;
  readonly caps: readonly (readonly [service: 'mon' | 'osd' | 'mgr', caps: string])[];
}

/** Whom the services' daemons are to the cluster. Nova's are Cinder's user. */
export const OPENSTACK_USERS: readonly OpenstackUser[] = [
  {
    id: 'cinder',
    caps: [
      ['mon', 'profile rbd'],
      ['osd', 'profile rbd pool=volumes, profile rbd pool=vms, profile rbd-read-only pool=images'],
      ['mgr', 'profile rbd pool=volumes, profile rbd pool=vms'],
    ],
  },
  {
    id: 'glance',
    caps: [
      ['mon', 'profile rbd'],
      ['osd', 'profile rbd pool=images'],
      ['mgr', 'profile rbd pool=images'],
    ],
  },
  {
    id: 'cinder-backup',
    caps: [
      ['mon', 'profile rbd'],
      ['osd', 'profile rbd pool=backups'],
      ['mgr', 'profile rbd pool=backups'],
    ],
  },
];
