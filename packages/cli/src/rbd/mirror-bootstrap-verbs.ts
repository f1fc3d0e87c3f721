/** Verbs by which two clusters come to know each other (tools/rbd/action/MirrorPool.cc). */
import { readFileSync } from 'node:fs';
import { type CryptoKey, parseCryptoKey, parseEntityName } from '@spirula/auth';
import { Errno, MalformedInput } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import {
  type BootstrapToken,
  createBootstrapToken,
  formatBootstrapToken,
  importBootstrapToken,
  parseBootstrapToken,
} from '@spirula/rbd';
import { parseMonHost } from '../ceph/ceph-conf.ts';
import { type ClusterConnection, connectRados, PermissionDenied } from '../ceph/connect.ts';
import { describeErrno } from '../ceph/errno-text.ts';
import { UserError } from '../cluster/user-error.ts';
import { openWholePool, refuseWith } from './context.ts';
import { imageWorld } from './image-world.ts';
import { nameSite, requireMirroring, SITE_OPTIONS, takeDirection, WHOLE_POOL_OPTIONS } from './mirror-pool-verbs.ts';
import { Refusal } from './refusal.ts';
import { takePoolName } from './spec.ts';
import type { VerbContext, VerbDefinition } from './verb.ts';

const EINVAL = 22;
const CONNECT_TIMEOUT_SECONDS = 300;
const STDIN = 0;

async function create(context: VerbContext): Promise<void> {
  const { env, options, rados } = context;
  const io = await openWholePool(context, takePoolName(context));
  await requireMirroring(io);
  const siteName = options.get('site_name');
  if (siteName !== undefined) await nameSite(rados, siteName);
  try {
    const token = formatBootstrapToken(await createBootstrapToken(rados));
    env.stdout(`${Buffer.from(token).toString('base64')}\n`);
  } catch (error) {
    refuseWith(error, (code) =>
      code === Errno.EEXIST
        ? 'rbd: mismatch with pre-existing RBD mirroring peer user caps'
        : `rbd: failed to create mirroring bootstrap token: ${describeErrno(code)}`,
    );
  }
}

async function importToken(context: VerbContext): Promise<void> {
  const { options, args, rados } = context;
  const pool = takePoolName(context);
  const path = options.get('token_path') ?? args.take();
  if (path === '') throw new Refusal('rbd: token path was not specified', EINVAL);
  const direction = takeDirection(options.get('direction') ?? 'rx-tx');
  const text = readToken(path);
  const io = await openWholePool(context, pool);
  const siteName = options.get('site_name');
  if (siteName !== undefined) await nameSite(rados, siteName);
  let remote: ClusterConnection | undefined;
  try {
    const token = parseBootstrapToken(Buffer.from(text, 'base64').toString());
    remote = await connectTo(token);
    await importBootstrapToken({ rados, io, world: imageWorld }, remote.rados, token, direction);
  } catch (error) {
    refuseWith(error, (code) =>
      code === Errno.ENOSYS
        ? 'rbd: mirroring is not enabled on remote peer'
        : 'rbd: failed to import peer bootstrap token',
    );
  } finally {
    await remote?.close();
  }
}

function readToken(path: string): string {
  try {
    return readFileSync(path === '-' ? STDIN : path, 'utf8');
  } catch (error) {
    const { errno = -EINVAL } = error as NodeJS.ErrnoException;
    throw new Refusal(`rbd: error opening ${path}`, -errno);
  }
}

/** @throws RadosError EACCES: its monitors do not take the key; EINVAL: it has none; ETIMEDOUT: none answers */
async function connectTo({ monHost, clientId, key }: BootstrapToken): Promise<ClusterConnection> {
  try {
    const cluster = { monAddrs: await parseMonHost(monHost), fsid: undefined };
    const entity = parseEntityName(`client.${clientId}`)!;
    const connect = (known: CryptoKey | undefined) =>
      connectRados({ ...cluster, auth: { entity, key: known } }, CONNECT_TIMEOUT_SECONDS);
    try {
      return await connect(parseCryptoKey(key));
    } catch (error) {
      if (!(error instanceof UserError) || error instanceof PermissionDenied) throw error;
      // Its monitors may ask nobody for a key.
      return await connect(undefined);
    }
  } catch (error) {
    if (error instanceof PermissionDenied) throw new RadosError(Errno.EACCES, monHost);
    if (error instanceof MalformedInput) throw new RadosError(Errno.EINVAL, 'the key of the token');
    if (error instanceof UserError) throw new RadosError(Errno.ETIMEDOUT, monHost);
    throw error;
  }
}

export const mirrorBootstrapVerbs: readonly VerbDefinition[] = [
  {
    names: ['mirror pool peer bootstrap create'],
    usage: [['mirror pool peer bootstrap create POOL', 'a token, by which another cluster finds this one']],
    options: { ...WHOLE_POOL_OPTIONS, ...SITE_OPTIONS },
    maxArgs: 1,
    run: create,
  },
  {
    names: ['mirror pool peer bootstrap import'],
    usage: [['mirror pool peer bootstrap import POOL TOKEN-FILE', 'each of the two clusters is a peer of the other']],
    options: {
      ...WHOLE_POOL_OPTIONS,
      ...SITE_OPTIONS,
      '--token-path': ['token_path', 'value'],
      '--direction': ['direction', 'value'],
    },
    maxArgs: 2,
    run: importToken,
  },
];
