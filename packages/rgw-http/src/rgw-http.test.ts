import { once } from 'node:events';
import { connect } from 'node:net';
import { ConnectionCut, type HttpRequest, type HttpResponse } from '@spirula/rgw';
import { afterEach, expect, test } from 'vitest';
import { type HttpHandler, type RgwHttp, type RgwHttpOptions, serveRgwHttp } from './rgw-http.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const ok = (body: HttpResponse['body'], headers: HttpResponse['headers'] = []): HttpResponse => ({
  status: 200,
  headers,
  body,
});
const nothing = new Uint8Array(0);

let http: RgwHttp | undefined;

afterEach(async () => {
  await http?.close();
});

async function serve(handle: HttpHandler['handle'], options: RgwHttpOptions = {}): Promise<RgwHttp> {
  http = await serveRgwHttp({ handle }, options);
  return http;
}

/** Sends bytes as they are, and gives all that comes back until the other side closes. */
async function speak({ port }: RgwHttp, ...parts: string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const closed = once(socket, 'close');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
  });
  for (const part of parts) {
    socket.write(part, 'latin1');
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  await closed;
  return answer;
}

async function bytesOf(body: HttpRequest['body']): Promise<string> {
  let all = '';
  for await (const chunk of body) all += text(chunk);
  return all;
}

test.each(['/bucket/a/../b//c/./', '/b/%2e%2E/%zz?x=%', '//', '/*', '/b/k?a=1&a=2?'])(
  'the target %s reaches the gateway as it was sent',
  async (target) => {
    const seen: string[] = [];
    const server = await serve(async (request) => {
      seen.push(request.target);
      return ok(nothing);
    });

    await speak(server, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);

    expect(seen).toEqual([target]);
  },
);

test.each([
  ['longer than was said', 'PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nbar'],
  ['followed by no request', 'GET /b/k HTTP/1.1\r\nHost: x\r\n\r\n\x16\x03\x01'],
])('a request that is %s is answered, once, and the connection ends', async (_, sent) => {
  let length = 0;
  const server = await serve(async ({ body }) => {
    length = (await bytesOf(body)).length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    return { status: 409, headers: [], body: new TextEncoder().encode('mine') };
  });

  const answer = await speak(server, sent);

  expect(answer).toMatch(/^HTTP\/1\.1 409 /);
  expect(answer.split('HTTP/1.1')).toHaveLength(2);
  expect(answer).toMatch(/mine$/);
  expect(length).toBe(sent.startsWith('PUT') ? 2 : 0);
});

test.each([
  ['no request', 'hello\r\n\r\n', 400],
  ['too many headers', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['a body in no chunks', 'PUT /b/k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 400],
])('what is %s is refused, and the connection ends', async (_, sent, status) => {
  let failed: unknown;
  const server = await serve(async ({ body }) => {
    await bytesOf(body).catch((error) => {
      failed = error;
    });
    return ok(nothing);
  });

  const answer = await speak(server, sent);

  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer.split('HTTP/1.1')).toHaveLength(2);
  expect(failed === undefined).toBe(!sent.includes('chunked'));
});

test('headers keep their bytes, and one sent twice is joined', async () => {
  const seen: (string | undefined)[] = [];
  const server = await serve(async ({ headers }) => {
    seen.push(headers.get('x-amz-meta-a'), headers.get('x-b'));
    return ok(nothing);
  });

  await speak(
    server,
    'GET / HTTP/1.1\r\nHost: x\r\nX-Amz-Meta-A: 1\r\nx-amz-meta-a: 2\r\nX-B: \xc3\xa9\r\nConnection: close\r\n\r\n',
  );

  expect(seen).toEqual(['1, 2', '\xc3\xa9']);
});

test.each([
  ['PUT', 'application/json'],
  ['PUT', undefined],
  ['POST', 'multipart/form-data; boundary=x'],
  ['DELETE', undefined],
  ['COPY', undefined],
])('the body of a %s of type %s is what was sent', async (method, type) => {
  const server = await serve(async ({ body }) => ok(new TextEncoder().encode(`got ${await bytesOf(body)}`)));

  const response = await fetch(server.url, {
    method,
    body: '{"not":json',
    headers: type ? { 'content-type': type } : {},
  });

  expect(await response.text()).toBe('got {"not":json');
});

test('a body of unknown length streams out as it is made', async () => {
  const server = await serve(async () =>
    ok(
      (async function* () {
        for (let i = 0; i < 3; i++) yield new TextEncoder().encode(`part ${i};`);
      })(),
    ),
  );

  expect(await (await fetch(server.url)).text()).toBe('part 0;part 1;part 2;');
});

test('a HEAD tells the length that the gateway gives, and has no body', async () => {
  const server = await serve(async () => ok(nothing, [['Content-Length', '1234']]));

  const response = await fetch(server.url, { method: 'HEAD' });

  expect([response.headers.get('content-length'), await response.text()]).toEqual(['1234', '']);
});

test('who waits for 100 Continue is told so when the body is wanted', async () => {
  const server = await serve(async ({ body }) => ok(new TextEncoder().encode(await bytesOf(body))));

  const answer = await speak(
    server,
    'PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n',
    'data',
  );

  expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  expect(answer).toMatch(/\r\n\r\ndata$/);
});

test('who waits for 100 Continue and is refused is told so at once, and sends nothing', async () => {
  const server = await serve(async () => ({ status: 403, headers: [], body: nothing }));

  const answer = await speak(server, 'PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n');

  expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
});

test('a refused upload gets its answer though it has not been read', async () => {
  const server = await serve(async () => ({ status: 403, headers: [], body: new TextEncoder().encode('no') }));

  const response = await fetch(server.url, { method: 'PUT', body: new Uint8Array(600_000) });

  expect([response.status, await response.text()]).toEqual([403, 'no']);
});

test('an upload refused on its way is heard to its end, and the connection goes on', async () => {
  const server = await serve(async ({ method, body }) => {
    if (method === 'GET') return ok(new TextEncoder().encode('next'));
    for await (const _ of body) break;
    return { status: 403, headers: [], body: nothing };
  });
  const head = 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n';

  const answer = await speak(server, `${head}half`, 'half', 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');

  expect(answer).toMatch(/^HTTP\/1\.1 403 .*HTTP\/1\.1 200 .*next$/s);
});

test.each(['200', ''])('who expects %j is answered as if nothing were expected', async (expected) => {
  const server = await serve(async ({ body }) => ok(new TextEncoder().encode(await bytesOf(body))));
  const head = `PUT / HTTP/1.1\r\nHost: x\r\nExpect: ${expected}\r\nContent-Length: 4\r\nConnection: close\r\n\r\n`;

  expect(await speak(server, `${head}data`)).toMatch(/^HTTP\/1\.1 200 .*data$/s);
});

test('a body that breaks off ends with an error, not as if it were whole', async () => {
  let outcome = 'none';
  const server = await serve(async ({ body }) => {
    outcome = await bytesOf(body).then(
      () => 'whole',
      () => 'broken',
    );
    return ok(nothing);
  });
  const socket = connect(server.port, '127.0.0.1');
  socket.write('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf');
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.destroy();
  await expect.poll(() => outcome).toBe('broken');
});

test('an answer that fails on its way is cut off, not ended', async () => {
  const server = await serve(async () =>
    ok(
      (async function* () {
        yield new TextEncoder().encode('half');
        throw new Error('the other half is lost');
      })(),
      [['Content-Length', '8']],
    ),
  );

  await expect(fetch(server.url).then((response) => response.text())).rejects.toThrow();
});

test('a client that stalls is cut off, one that waits for the gateway is not', async () => {
  let answerSlowly = () => {};
  const server = await serve(
    async ({ method, body }) => {
      if (method === 'PUT') return ok(new TextEncoder().encode(await bytesOf(body)));
      await new Promise<void>((resolve) => {
        answerSlowly = resolve;
      });
      return ok(new TextEncoder().encode('at last'));
    },
    { idleTimeoutMs: 100 },
  );
  const slow = fetch(server.url);

  const stalled = await speak(server, 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf');
  await new Promise((resolve) => setTimeout(resolve, 250));
  answerSlowly();

  expect(stalled).toBe('');
  expect(await (await slow).text()).toBe('at last');
});

/** What a client gets until the connection ends, and how it ends. */
async function listen(
  { port }: RgwHttp,
  onGot = (_: string) => {},
): Promise<{ readonly got: string; readonly end: string }> {
  const socket = connect(port, '127.0.0.1');
  let got = '';
  let end = 'closed';
  socket.on('data', (chunk) => {
    got += chunk.toString('latin1');
    onGot(got);
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    end = error.code ?? 'error';
  });
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await new Promise((resolve) => socket.once('close', resolve));
  return { got, end };
}

test.each([
  ['reset', 'ECONNRESET'],
  ['close', 'closed'],
] as const)('a connection that is cut (%s) instead of an answer gives nothing', async (how, end) => {
  const server = await serve(async () => ({ ...ok(nothing), cut: new ConnectionCut(how) }));

  expect(await listen(server)).toEqual({ got: '', end });
});

test.each([
  ['reset', 'ECONNRESET'],
  ['close', 'closed'],
] as const)('an answer that is cut (%s) in its midst comes that far', async (how, end) => {
  let tellArrived = () => {};
  // Node's own client takes a reset for an end when it comes together with the last bytes.
  const arrived = new Promise<void>((resolve) => {
    tellArrived = resolve;
  });
  const server = await serve(async () =>
    ok(
      (async function* () {
        yield new Uint8Array(200_000).fill(97);
        yield new TextEncoder().encode('bb');
        await arrived;
        throw new ConnectionCut(how);
      })(),
      [['Content-Length', '300000']],
    ),
  );

  const answer = await listen(server, (got) => {
    if (got.endsWith('bb')) tellArrived();
  });

  expect(answer.end).toBe(end);
  expect(answer.got).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(answer.got.endsWith('aabb')).toBe(true);
  expect(answer.got.length - answer.got.indexOf('\r\n\r\n') - 4).toBe(200_002);
});

test('what was sent before a close arrives, however large', async () => {
  const server = await serve(async () =>
    ok(
      (async function* () {
        yield new Uint8Array(5_000_000);
        throw new ConnectionCut('close');
      })(),
      [['Content-Length', '6000000']],
    ),
  );

  const { got } = await listen(server);

  expect(got.length - got.indexOf('\r\n\r\n') - 4).toBe(5_000_000);
});

test('after a cut the next connection is served', async () => {
  let cuts = 1;
  const server = await serve(async () =>
    cuts-- > 0 ? { ...ok(nothing), cut: new ConnectionCut('reset') } : ok(new TextEncoder().encode('served')),
  );

  await expect(fetch(server.url)).rejects.toThrow();
  expect(await (await fetch(server.url)).text()).toBe('served');
});

test.each(['', 'text', '; charset', 'a/b/c'])('a body may be of the type `%s`', async (type) => {
  let seen: string | undefined;
  const server = await serve(async ({ headers, body }) => {
    let sent = '';
    for await (const piece of body) sent += text(piece);
    seen = `${headers.get('content-type')}|${sent}`;
    return ok(nothing);
  });

  const answer = await speak(
    server,
    `PUT /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: ${type}\r\ncontent-length: 4\r\n\r\nbody`,
  );
  expect(answer).toContain('200 OK');
  expect(seen).toBe(`${type}|body`);
});
