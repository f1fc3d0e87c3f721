/** The map of file systems (mds/FSMap.h) of a cluster that never had one: it stays as it began. */

export const FS_MAP_EPOCH = 1;

/** What metadata servers must understand, by number (MDSMap::get_compat_set_default). */
const INCOMPAT: ReadonlyMap<number, string> = new Map([
  [1, 'base v0.20'],
  [2, 'client writeable ranges'],
  [3, 'default file layouts on dirs'],
  [4, 'dir inode in separate object'],
  [5, 'mds uses versioned encoding'],
  [6, 'dirfrag is stored in omap'],
  [8, 'no anchor table'],
  [9, 'file layout v2'],
  [10, 'snaprealm v2'],
]);

export const COMPAT = {
  compat: {},
  ro_compat: {},
  incompat: Object.fromEntries([...INCOMPAT].map(([bit, name]) => [`feature_${bit}`, name])),
};

export const COMPAT_TEXT = `compat={},rocompat={},incompat={${[...INCOMPAT].map(([bit, name]) => `${bit}=${name}`).join(',')}}`;

/** As `fs dump -f json` has it. */
export const FS_MAP = {
  epoch: FS_MAP_EPOCH,
  default_fscid: -1,
  compat: COMPAT,
  feature_flags: { enable_multiple: true, ever_enabled_multiple: true },
  standbys: [],
  filesystems: [],
};
