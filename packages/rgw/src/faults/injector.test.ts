import type { Bytes } from '@spirula/encoding';
import { Sleeper } from '@spirula/world';
import { expect, test } from 'vitest';
import { ConnectionCut, type HttpRequest, type HttpResponse } from '../http.ts';
import { inPieces, readAll } from '../s3/auth/signed-request.test-support.ts';
import { S3Error } from '../s3/s3-error.ts';
import { Faults } from './faults.ts';
import { Injector } from './injector.ts';

const operations = new Set(['GetObject', 'PutObject']);
const data = Uint8Array.from({ length: 1000 }, (_, i) => i);
const whole: HttpResponse = { status: 200, headers: [], body: data };

/** A request under rules, on a clock that sleeping moves. */
function under(rule: object, method = 'GET', body: AsyncIterable<Bytes> = inPieces(data, 300)) {
  let nowUs = 0;
  const faults = new Faults({ now: () => nowUs, operations });
  faults.add([rule]);
  const injector = new Injector(faults, async (us) => {
    nowUs += us;
  });
  const http: HttpRequest = { method, target: '/b/k', headers: new Map(), body, secure: false, remoteAddr: '::1' };
  const request = injector.receive(http);
  const operation = method === 'GET' ? 'GetObject' : 'PutObject';
  const meet = () => request.meet({ operation, bucket: 'b', key: 'k', method, uid: undefined });
  return { request, meet, seconds: () => nowUs / 1e6 };
}

/** What comes of a body, and what it ends with. */
async function passed(body: HttpResponse['body']): Promise<{ length: number; end: unknown }> {
  let length = 0;
  try {
    for await (const piece of body instanceof Uint8Array ? inPieces(body) : body) length += piece.length;
  } catch (end) {
    return { length, end: end instanceof ConnectionCut ? end.how : end };
  }
  return { length, end: 'whole' };
}

test.each([
  [{ error: 429 }, 429, 'TooManyRequests', [['Retry-After', '1']]],
  [{ error: 500 }, 500, 'InternalError', []],
  [{ error: 503 }, 503, 'SlowDown', [['Retry-After', '1']]],
  [{ error: 503, retryAfter: 7 }, 503, 'SlowDown', [['Retry-After', '7']]],
])('%j is an error of S3', async (rule, status, code, headers) => {
  const { meet } = under(rule);

  const error = await meet().catch((caught: unknown) => caught);

  expect(error).toBeInstanceOf(S3Error);
  expect(error).toMatchObject({ status, code, headers });
});

test('a request waits before its error', async () => {
  const { meet, seconds } = under({ latency: 250, error: 503 });

  await expect(meet()).rejects.toThrow(S3Error);

  expect(seconds()).toBe(0.25);
});

test('a reset before: nothing is done', async () => {
  const { meet, request } = under({ reset: 'before' });

  await expect(meet()).rejects.toThrow(ConnectionCut);

  expect(request.cut?.how).toBe('reset');
});

test('a reset after: all is done, and not answered', async () => {
  const { meet, request } = under({ reset: 'after' }, 'PUT');

  await meet();

  expect(await readAll(request.http.body)).toEqual(data);
  expect(() => request.answer(whole)).toThrow(ConnectionCut);
  expect(request.cut?.how).toBe('reset');
});

test.each([
  [{ reset: 400 }, { length: 400, end: 'reset' }],
  [{ truncate: 400 }, { length: 400, end: 'close' }],
  [{ truncate: 999 }, { length: 999, end: 'close' }],
  [{ truncate: 1000 }, { length: 1000, end: 'whole' }],
  [{ reset: 1000 }, { length: 1000, end: 'whole' }],
])('%j of an answer of 1000 bytes', async (rule, outcome) => {
  const { meet, request } = under(rule);
  await meet();

  const answer = request.answer(whole);
  const streamed = request.answer({ ...whole, body: inPieces(data, 300) });

  expect(await passed(answer.body)).toEqual(outcome);
  expect(await passed(streamed.body)).toEqual(outcome);
  expect(answer.headers).toEqual([['Content-Length', '1000']]);
  expect(streamed.headers).toEqual([]);
});

test('a reset within an upload ends its body, and then there is no answer', async () => {
  const { meet, request } = under({ reset: 400 }, 'PUT');
  await meet();

  expect(await passed(request.http.body as AsyncIterable<Bytes>)).toEqual({ length: 400, end: 'reset' });
  expect(request.cut?.how).toBe('reset');
});

test('an upload that is shorter than where it would be reset is answered, and its answer whole', async () => {
  const { meet, request } = under({ reset: 1001 }, 'PUT');
  await meet();

  expect(await readAll(request.http.body)).toEqual(data);
  expect(request.answer(whole)).toBe(whole);
});

test('bodies pass at the rate of a throttle, both ways', async () => {
  const { meet, request, seconds } = under({ throttle: 500 }, 'PUT');
  await meet();

  expect(await readAll(request.http.body)).toEqual(data);
  expect(seconds()).toBeCloseTo(2);
  expect(await readAll(request.answer(whole).body as AsyncIterable<Bytes>)).toEqual(data);
  expect(seconds()).toBeCloseTo(4);
});

test('a request that no rule is for is as it was', async () => {
  const { meet, request, seconds } = under({ operation: 'PutObject', error: 503, latency: 10 });

  await meet();

  expect(request.answer(whole)).toBe(whole);
  expect(seconds()).toBe(0);
});

test('an empty answer is not made a stream', async () => {
  const { meet, request } = under({ truncate: 10 });
  const empty: HttpResponse = { status: 204, headers: [], body: new Uint8Array(0) };
  await meet();

  expect(request.answer(empty)).toBe(empty);
});

test('waits end in the order of their times, on one timer', async () => {
  let now = 0;
  const armed: number[] = [];
  const sleeper = new Sleeper({ now: () => now, arm: (_, at) => armed.push(at) }, 'rgw fault');
  const woken: string[] = [];
  void sleeper.sleep(300).then(() => woken.push('late'));
  void sleeper.sleep(100).then(() => woken.push('early'));

  now = 100;
  sleeper.onTimer();
  await Promise.resolve();
  const first = [...woken];
  now = 300;
  sleeper.onTimer();
  await Promise.resolve();

  expect(first).toEqual(['early']);
  expect(woken).toEqual(['early', 'late']);
  expect(armed).toEqual([300, 100, 300]);
});
