import { helloClass } from './hello.ts';
import { lockClass } from './lock/lock.ts';
import { logClass } from './log.ts';
import { numopsClass } from './numops.ts';
import type { ObjectClass } from './object-class.ts';
import { refcountClass } from './refcount.ts';
import { rgwClass } from './rgw/rgw.ts';
import { timeindexClass } from './timeindex.ts';
import { userClass } from './user/user.ts';
import { versionClass } from './version.ts';

/** Those of Ceph's classes that every OSD has. */
export const builtinClasses: readonly ObjectClass[] = [
  helloClass,
  lockClass,
  logClass,
  numopsClass,
  refcountClass,
  rgwClass,
  timeindexClass,
  userClass,
  versionClass,
];
