import { fromUtf8, utf8 } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { inPieces } from '../s3/auth/signed-request.test-support.ts';
import { parseS3Request } from '../s3/s3-request.ts';
import { controlFaults } from './fault-control.ts';
import { Faults } from './faults.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

function control() {
  let nowUs = 0;
  const faults = new Faults({ now: () => nowUs, operations: new Set(['GetObject']) });
  return async (method: string, target = '/_spirula/faults', body = '', from = '127.0.0.1', type = JSON_TYPE) => {
    nowUs += 500_000;
    const headers = new Map([['content-type', type]]);
    const http = { method, target, headers, body: inPieces(utf8(body)), secure: false, remoteAddr: from };
    const response = await controlFaults(faults, parseS3Request(http, { dnsNames: [] }));
    return [response.status, JSON.parse(fromUtf8(response.body as Uint8Array))];
  };
}

test('rules are set, listed, and taken back', async () => {
  const ask = control();
  const report = (id: number, rule: object, ageSeconds: number) => ({ id, rule, matches: 0, firings: 0, ageSeconds });

  expect(await ask('POST', undefined, '{"error":503}')).toEqual([200, { rules: [report(1, { error: 503 }, 0)] }]);
  expect(await ask('POST', undefined, '[{"latency":"5"},{"error":"429"}]')).toEqual([
    200,
    { rules: [report(2, { latency: 5 }, 0), report(3, { error: 429 }, 0)] },
  ]);
  expect(await ask('DELETE', '/_spirula/faults?id=2')).toEqual([200, { removed: 1 }]);
  expect(await ask('DELETE', '/_spirula/faults?id=2')).toEqual([404, { error: 'There is no rule 2' }]);
  expect(await ask('GET')).toEqual([200, { rules: [report(1, { error: 503 }, 2), report(3, { error: 429 }, 1.5)] }]);
  expect(await ask('DELETE')).toEqual([200, { removed: 2 }]);
  expect(await ask('GET')).toEqual([200, { rules: [] }]);
});

test.each(['192.0.2.1', '::ffff:192.0.2.127', '1127.0.0.1', ''])('somebody at %s is refused', async (from) => {
  expect((await control()('GET', undefined, '', from))[0]).toBe(403);
});

test.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])('somebody at %s is answered', async (from) => {
  expect((await control()('GET', undefined, '', from))[0]).toBe(200);
});

test.each([
  ['POST', '{"error":404}', JSON_TYPE, 400, 'error: give one of 429, 500, 503'],
  ['POST', '{"error":503', JSON_TYPE, 400, 'This is no JSON'],
  ['POST', '"error=503"', JSON_TYPE, 400, 'A rule has fields'],
  ['POST', '{"error":503}', 'text/plain', 415, 'Send JSON'],
  ['PUT', '', JSON_TYPE, 405, 'GET, POST or DELETE'],
])('%s of %s as %s is refused', async (method, body, type, status, problem) => {
  const [answered, { error }] = await control()(method, undefined, body, '::1', type);

  expect([answered, error]).toEqual([status, expect.stringContaining(problem)]);
});

test('of a list with a wrong rule none is set', async () => {
  const ask = control();

  expect((await ask('POST', undefined, '[{"error":503},{"error":1}]'))[0]).toBe(400);
  expect(await ask('GET')).toEqual([200, { rules: [] }]);
});

test('nothing else is there', async () => {
  expect(await control()('GET', '/_spirula/other')).toEqual([404, { error: 'There is /_spirula/faults' }]);
});
