/** What a traced run tells, and that it is the same run. */
import { runScenario } from '@spirula/sim-scenarios';
import type { TraceEntry } from '@spirula/sim-world';
import { beforeAll, expect, test } from 'vitest';

const entries: TraceEntry[] = [];
const run = { scenario: 'standard', seed: 7, virtualSeconds: 20 };
let digest = '';

beforeAll(async () => {
  ({ digest } = await runScenario({ ...run, trace: { record: (entry) => void entries.push(entry) } }));
}, 60_000);

function ofKind<K extends TraceEntry['kind']>(kind: K): Extract<TraceEntry, { kind: K }>[] {
  return entries.filter((entry): entry is Extract<TraceEntry, { kind: K }> => entry.kind === kind);
}

test('a run that is traced has the digest of one that is not', async () => {
  expect(digest).toBe((await runScenario(run)).digest);
});

test('a trace begins with what was run, and goes on in the order in which it happened', () => {
  const [header, ...rest] = entries;

  expect(header).toMatchObject({ kind: 'header', scenario: 'standard', seed: 7 });
  expect(ofKind('header')).toHaveLength(1);
  let last = { at: 0, event: 0 };
  for (const entry of rest as Exclude<TraceEntry, { kind: 'header' }>[]) {
    expect(entry.at >= last.at && entry.event >= last.event, JSON.stringify([last, entry])).toBe(true);
    last = entry;
  }
});

test('a message that is delivered was sent before, by the other end', () => {
  const sent = new Map<number, (typeof messages)[number]>();
  const messages = ofKind('message');
  for (const message of messages) {
    if (message.what === 'send') {
      expect(sent.has(message.id)).toBe(false);
      sent.set(message.id, message);
      continue;
    }
    const { id, from, to, type, bytes } = message;
    expect(sent.get(id)).toMatchObject({ from, to, type, bytes });
    expect(sent.get(id)!.at).toBeLessThan(message.at);
  }
  expect(messages.filter(({ what }) => what === 'deliver').length).toBeGreaterThan(sent.size / 2);
});

test('a client request can be followed from question to answer, through every OSD that writes it', () => {
  const write = ofKind('message').find(
    ({ type, what, payload }) =>
      type === 'osd_op' && what === 'send' && /"op":"(append|write|writefull)"/.test(JSON.stringify(payload)),
  )!;
  const about = ofKind('message').filter(({ pgid, at }) => pgid === write.pgid && at >= write.at);
  const types = new Set(about.map(({ type }) => type));

  expect(types).toContain('osd_repop');
  expect(types).toContain('osd_repop_reply');
  expect(
    about.find(({ type, tid, to }) => type === 'osd_op_reply' && tid === write.tid && to === write.from),
  ).toBeDefined();
  const requests = ofKind('client');
  for (const { id, daemon, object } of requests.filter(({ what }) => what === 'answer')) {
    expect(requests).toContainEqual(expect.objectContaining({ what: 'request', id, daemon, object }));
  }
});

test('every submitted batch of a daemon that lives is committed, under its token', () => {
  const exits = new Set(ofKind('process').flatMap(({ what, daemon }) => (what === 'exit' ? daemon : [])));
  const disk = ofKind('disk').filter(({ daemon }) => !exits.has(daemon));
  const committed = new Set(
    disk.flatMap(({ what, daemon, token }) => (what === 'committed' ? `${daemon} ${token}` : [])),
  );
  const submitted = disk.filter(({ what }) => what === 'submit');

  expect(submitted.length).toBeGreaterThan(100);
  expect(submitted.filter(({ daemon, token }) => !committed.has(`${daemon} ${token}`)).length).toBeLessThan(10);
});

test('daemons are seen to become what they are: monitors lead, OSDs boot, PGs peer and are clean', () => {
  expect(ofKind('mon').some(({ role, quorum }) => role === 'leader' && quorum.length === 3)).toBe(true);
  expect(new Set(ofKind('boot').map(({ state }) => state))).toContain('active');
  expect(ofKind('health').map(({ status }) => status)).toContain('HEALTH_WARN');
  const [first] = ofKind('pg').filter(({ primary, state }) => primary && state === 'active+clean');
  const path = ofKind('pg').filter(({ pgid, daemon }) => pgid === first!.pgid && daemon === first!.daemon);
  expect(path.map(({ peering }) => peering)).toEqual(expect.arrayContaining(['GetInfo', 'Active']));
});

test.each(['map', 'paxos'] as const)('no daemon goes back in what it knows while it runs (%s)', (kind) => {
  const known = new Map<string, number>();
  for (const entry of entries) {
    if (entry.kind === 'process' && entry.what === 'exit') known.delete(entry.daemon);
    if (entry.kind !== kind) continue;
    const version = entry.kind === 'map' ? entry.epoch : entry.lastCommitted;
    expect(version).toBeGreaterThan(known.get(entry.daemon) ?? -1);
    known.set(entry.daemon, version);
  }
  expect(known.size).toBeGreaterThan(2);
});
