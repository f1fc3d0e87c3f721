/** `rados lock list|info|get|break` (tools/rados/rados.cc, do_lock_cmd). */
import { entityNameText, lockTypeText } from '@spirula/cls';
import { EntityType, Errno, formatSockaddr, formatUTime, rawFromText, textFromRaw } from '@spirula/encoding';
import { breakLock, listLocks, lockInfo, lockObject, RadosError } from '@spirula/rados';
import { describeErrno } from '../ceph/errno-text.ts';
import { formatJson, Refusal, requireIo, type Verb, type VerbContext } from './context.ts';

interface LockCommand {
  run(context: VerbContext, object: string, lock: string, locker: string): Promise<void>;
  /** Fewest words after it. */
  readonly least: number;
}

const commands: Readonly<Record<string, LockCommand>> = {
  list: { run: list, least: 1 },
  info: { run: info, least: 2 },
  get: { run: get, least: 2 },
  break: { run: breakIt, least: 3 },
};

/** @param usage what is said when the words are none of them */
export function lockVerb(usage: string): Verb {
  return {
    least: 1,
    async run(context) {
      const [word = '', object = '', lock = '', locker = ''] = context.args;
      const command = Object.hasOwn(commands, word) ? commands[word] : undefined;
      if (!command || context.args.length - 1 < command.least) throw new Refusal(usage.trimEnd());
      await command.run(context, object, lock, locker);
    },
  };
}

/** The complaint and, as after every verb that fails with an errno, a line with it. */
function refusal(code: number, complaint: string): Refusal {
  return new Refusal(`${complaint}\nerror ${-code}: ${describeErrno(code)}`);
}

async function orComplain<T>(complaint: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RadosError) throw refusal(error.code, `ERROR: ${complaint}: ${describeErrno(error.code)}`);
    throw error;
  }
}

async function list(context: VerbContext, object: string): Promise<void> {
  const names = await orComplain('rados_list_locks()', listLocks(requireIo(context), rawFromText(object)));
  const locks = names.map((name) => ({ name: textFromRaw(name) }));
  context.env.stdout(formatJson(context.options, { objname: object, locks }));
}

async function info(context: VerbContext, object: string, lock: string): Promise<void> {
  const work = lockInfo(requireIo(context), rawFromText(object), rawFromText(lock));
  const { lockers, type, tag } = await orComplain('rados_lock_get_lock_info()', work);
  context.env.stdout(
    formatJson(context.options, {
      name: lock,
      type: lockTypeText(type),
      tag: textFromRaw(tag),
      lockers: lockers.map((locker) => ({
        name: entityNameText(locker),
        cookie: textFromRaw(locker.cookie),
        description: textFromRaw(locker.description),
        expiration: formatUTime(locker.expiration),
        addr: `${formatSockaddr(locker.addr)}/${locker.addr.nonce}`,
      })),
    }),
  );
}

async function get(context: VerbContext, object: string, lock: string): Promise<void> {
  const text = (option: string) => rawFromText(context.options.get(option) ?? '');
  const kind = context.options.get('lock_type') ?? 'exclusive';
  if (kind !== 'exclusive' && kind !== 'shared') {
    throw refusal(Errno.EINVAL, 'unknown lock type was specified, aborting');
  }
  const work = lockObject(requireIo(context), rawFromText(object), rawFromText(lock), kind, {
    cookie: text('lock_cookie'),
    tag: text('lock_tag'),
    description: text('lock_description'),
    duration: { sec: parseSeconds(context.options.get('lock_duration') ?? '0'), nsec: 0 },
  });
  await orComplain('failed locking', work);
}

const MAX_SECONDS = 0xffff_ffff;

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!/^\d+$/.test(text) || seconds > MAX_SECONDS) {
    throw refusal(Errno.EINVAL, `Invalid value for lock-duration: ${text}`);
  }
  return seconds;
}

async function breakIt(context: VerbContext, object: string, lock: string, name: string): Promise<void> {
  const [, kind = '', number = ''] = /^([a-z]+)\.(\d+)$/.exec(name) ?? [];
  const type = Object.entries(EntityType).find(([each]) => each === kind)?.[1];
  if (type === undefined) throw refusal(Errno.EINVAL, `ERROR: failed to parse locker name (${name})`);
  const locker = { type, num: BigInt(number), cookie: rawFromText(context.options.get('lock_cookie') ?? '') };
  const work = breakLock(requireIo(context), rawFromText(object), rawFromText(lock), locker);
  await orComplain('failed breaking lock', work);
}
