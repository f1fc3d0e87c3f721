import { once } from 'node:events';
import { Encoder, Errno, formatAddr, type RawString, rawFromText } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { describeErrno } from '../ceph/errno-text.ts';
import { orRefuse, Refusal, requireIo, type Verb, type VerbContext } from './context.ts';
import { hexDump } from './hex-dump.ts';

export const watchVerbs: Readonly<Record<string, Verb>> = {
  watch: { run: watch, least: 1 },
  notify: { run: notify, least: 2 },
  listwatchers: { run: listwatchers, least: 1 },
};

function objectOf({ args }: VerbContext): { readonly name: string; readonly oid: RawString } {
  const name = args[0]!;
  return { name, oid: rawFromText(name) };
}

/** As `orRefuse`, with what Ceph's tool says after its own complaint. */
async function orRefuseTwice<T>(complaint: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
    const text = describeErrno(error.code);
    throw new Refusal(`${complaint}: ${text}\nerror ${-error.code}: ${text}`);
  }
}

/** Shows each notify and answers it with what it says, until a line or the end of standard input. */
async function watch(context: VerbContext): Promise<void> {
  const { env } = context;
  const { oid } = objectOf(context);
  const begun = requireIo(context).watch(oid, {
    onNotify: async ({ notifyId, notifierGid, payload }) => {
      const { cookie } = await begun;
      env.stdout(`NOTIFY cookie ${cookie} notify_id ${notifyId} from ${notifierGid}\n${hexDump(payload)}`);
      return payload;
    },
    onError: async ({ code }) => {
      env.stdout(`ERROR cookie ${(await begun).cookie} err ${describeErrno(code)}\n`);
    },
  });
  const started = await orRefuseTwice('error calling watch', begun);
  env.stdout('press enter to exit...\n');
  const { stdin } = process;
  if (!stdin.readableEnded) await Promise.race([once(stdin.resume(), 'data'), once(stdin, 'end')]);
  stdin.pause();
  await orRefuse('error calling unwatch', started.unwatch());
}

async function notify(context: VerbContext): Promise<void> {
  const { env, args } = context;
  const { oid } = objectOf(context);
  const payload = new Encoder(64);
  payload.string(args[1]!);
  const told = requireIo(context).notify(oid, payload.finish());
  const { acks, timedOut } = await orRefuseTwice('error calling notify', told);
  if (timedOut.length > 0) env.stderr(`error calling notify: ${describeErrno(Errno.ETIMEDOUT)}\n`);
  for (const { gid, cookie, reply } of acks) {
    env.stdout(`reply client.${gid} cookie ${cookie} : ${reply.length} bytes\n`);
    if (reply.length > 0) env.stdout(hexDump(reply));
  }
  for (const { gid, cookie } of timedOut) env.stdout(`timeout client.${gid} cookie ${cookie}\n`);
  if (timedOut.length > 0) throw new Refusal(`error ${-Errno.ETIMEDOUT}: ${describeErrno(Errno.ETIMEDOUT)}`);
}

async function listwatchers(context: VerbContext): Promise<void> {
  const { env, pool } = context;
  const { name, oid } = objectOf(context);
  const complaint = `error listing watchers ${pool}/${name}`;
  for (const { entity, cookie, addr } of await orRefuse(complaint, requireIo(context).listWatchers(oid))) {
    env.stdout(`watcher=${formatAddr(addr)} ${entity} cookie=${cookie}\n`);
  }
}
