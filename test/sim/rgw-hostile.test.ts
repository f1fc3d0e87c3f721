/**
 * A gateway under requests that mean harm: each gets an answer, none an internal error, and none what is somebody else's.
 *
 *     SEED=7 REQUESTS=5000 npx vitest run test/sim/rgw-hostile.test.ts
 */
import { bytesFromRaw } from '@spirula/encoding';
import { type HttpRequest, newUserInfo } from '@spirula/rgw';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { signatureV2, stringsToSignV2 } from '../../packages/rgw/src/s3/auth/signature-v2.ts';
import { parseS3Request } from '../../packages/rgw/src/s3/s3-request.ts';
import { nodeCrypto } from '../../packages/runtime-node/src/crypto.ts';
import { USER } from '../../sim/scenarios/src/gateways/s3-request.ts';
import { openGateways } from './gateway-lab.ts';
import { type HostileRequest, hostileRequests } from './hostile-requests.ts';
import { settle } from './lab-time.ts';

const SEED = Number(process.env['SEED'] ?? 1);
const REQUESTS = Number(process.env['REQUESTS'] ?? 3000);
/** So often the stranger's own bucket and object are made anew. */
const RENEWED_EVERY = 20;
/** In the victim's object: its body, its metadata, and the name of one that nobody else knows of. */
const SECRET = 'kept-from-all-others';
const STRANGER = { accessKey: 'STRANGER', secret: 'secret of stranger' };
const VICTIM = { accessKey: USER.accessKey, secret: 'not the secret of alice' };
const latin1 = new TextDecoder('latin1');

test('who means harm is answered, and is told nothing of others', async () => {
  const { lab, places } = await openGateways(SEED, 'hostile');
  const [place] = places;
  const gateway = place!.gateway!;
  const victim = async (method: string, target: string, body = '') =>
    (await settle(
      lab,
      place!.ask({ method, target, body: new TextEncoder().encode(body), headers: { 'x-amz-meta-m': SECRET } }),
    ))!;
  expect((await victim('PUT', '/private')).status).toBe(200);
  for (const key of ['known', `hidden-${SECRET}`]) {
    expect((await victim('PUT', `/private/${key}`, `body: ${SECRET}`)).status).toBe(200);
  }
  const kept = async () => {
    const looks = ['/private/known', '/private?versions', '/private?acl', '/private/known?acl'];
    const answers = [];
    for (const target of looks) {
      const { status, body } = await victim('GET', target);
      answers.push({ status, text: latin1.decode(body) });
    }
    return answers;
  };
  const before = await kept();
  expect(before.map(({ status }) => status)).toEqual([200, 200, 200, 200]);

  const user = newUserInfo({
    id: { tenant: '', ns: '', id: 'stranger' },
    displayName: 'Stranger',
    accessKeys: new Map([[STRANGER.accessKey, { id: STRANGER.accessKey, secret: STRANGER.secret, subuser: '' }]]),
    swiftKeys: new Map([['stranger:swift', { id: 'stranger:swift', secret: STRANGER.secret, subuser: '' }]]),
    subusers: new Map([['swift', { name: 'swift', permissions: 0xf }]]),
  });
  await settle(lab, gateway.store.users.create(user));
  const login = bare('GET', '/auth/v1.0', { 'x-auth-user': 'stranger:swift', 'x-auth-key': STRANGER.secret });
  const granted = await settle(lab, gateway.handle(login));
  const token = granted.headers.find(([name]) => name === 'X-Auth-Token')?.[1] ?? '';
  expect(token).not.toBe('');
  const renew = async () => {
    for (const target of ['/own', '/own/k']) {
      await settle(lab, gateway.handle(place!.sign({ method: 'PUT', target }, STRANGER)));
    }
  };

  const statuses = new Map<number, number>();
  const send = async (request: HostileRequest) => {
    const { status, headers, body } = await gateway.handle(httpOf(request));
    const pieces: string[] = [JSON.stringify(headers)];
    if (body instanceof Uint8Array) pieces.push(latin1.decode(body));
    else for await (const piece of body) pieces.push(latin1.decode(piece));
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    return { status, told: pieces.join('\n') };
  };
  const httpOf = ({ method, target, headers, body: text, by }: HostileRequest): HttpRequest => {
    const body = bytesFromRaw(text);
    if (by === 'nobody') return bare(method, target, headers, body);
    if (by === 'strangerBySwift') return bare(method, target, { 'x-auth-token': token, ...headers }, body);
    if (by === 'guessed') return place!.sign({ method, target, headers, body }, VICTIM);
    const date = place!.sign({ method, target }).headers.get('date')!;
    return signedAsUnderstood(bare(method, target, { date, ...headers }, body));
  };

  let sent = 0;
  await fc.assert(
    fc.asyncProperty(hostileRequests, async (request) => {
      if (sent++ % RENEWED_EVERY === 0) await renew();
      const { status, told } = await settle(lab, send(request), 60);
      expect(status).toBeGreaterThanOrEqual(200);
      expect(status).not.toBe(500);
      expect(told).not.toContain(SECRET);
    }),
    { numRuns: REQUESTS, seed: SEED, endOnFailure: true },
  );
  expect(await kept()).toEqual(before);
  // Some are allowed, the others are refused for all sorts of reasons.
  for (const status of [200, 400, 403, 404]) expect(statuses.get(status) ?? 0).toBeGreaterThan(REQUESTS / 200);
  expect(lab.simulation.violations).toEqual([]);
}, 300_000);

/** By the stranger: whatever the gateway takes the request for, so that it gets past the door. */
function signedAsUnderstood(http: HttpRequest): HttpRequest {
  let toSign: string;
  try {
    [toSign = ''] = stringsToSignV2(parseS3Request(http, { dnsNames: [] }), undefined);
  } catch {
    return http;
  }
  const signature = signatureV2(nodeCrypto, STRANGER.secret, toSign);
  return { ...http, headers: new Map([['authorization', `AWS ${STRANGER.accessKey}:${signature}`], ...http.headers]) };
}

function bare(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array = new Uint8Array(),
): HttpRequest {
  return {
    method,
    target,
    headers: new Map([['host', 's3'], ['content-length', String(body.length)], ...Object.entries(headers)]),
    body: (async function* () {
      yield body;
    })(),
    secure: false,
    remoteAddr: '10.0.0.2',
  };
}
