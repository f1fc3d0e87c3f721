import { cmpomapClass } from './cmpomap.ts';
import { fifoClass } from './fifo/fifo.ts';
import { helloClass } from './hello.ts';
import { journalClass } from './journal/journal.ts';
import { lockClass } from './lock/lock.ts';
import { logClass } from './log.ts';
import { numopsClass } from './numops.ts';
import type { ObjectClass } from './object-class.ts';
import { queueClass } from './queue/queue.ts';
import { rbdClass } from './rbd/rbd.ts';
import { refcountClass } from './refcount.ts';
import { rgwGcClass } from './rgw/gc-queue.ts';
import { rgwClass } from './rgw/rgw.ts';
import { timeindexClass } from './timeindex.ts';
import { twoPhaseQueueClass } from './two-phase-queue/two-phase-queue.ts';
import { userClass } from './user/user.ts';
import { versionClass } from './version.ts';

/** Those of Ceph's classes that every OSD has. */
export const builtinClasses: readonly ObjectClass[] = [
  cmpomapClass,
  fifoClass,
  helloClass,
  journalClass,
  lockClass,
  logClass,
  numopsClass,
  queueClass,
  rbdClass,
  refcountClass,
  rgwClass,
  rgwGcClass,
  timeindexClass,
  twoPhaseQueueClass,
  userClass,
  versionClass,
];
