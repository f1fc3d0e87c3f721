import { EMPTY, fromUtf8, toHex, utf8 } from '@spirula/encoding';
import { type HttpPost, SECOND } from '@spirula/world';
import { expect } from 'vitest';
import { type ContractCase, type ContractFixture, Recorder } from './contract-fixture.ts';

type Receiver = Awaited<ReturnType<ContractFixture['receive']>>;

function postTo(url: string, more: Partial<HttpPost> = {}): HttpPost {
  return { url, contentType: 'text/plain', body: utf8('hello'), verifiesTls: true, timeout: SECOND, ...more };
}

const http = (name: string, check: (fixture: ContractFixture, daemon: Recorder) => Promise<void>): ContractCase => ({
  name: `http: ${name}`,
  async run(fixture) {
    await check(fixture, await Recorder.start(fixture, 0));
  },
});

const bodiesOf = (receiver: Receiver) => receiver.bodies.map((body) => toHex(body));

export const HTTP_CONTRACT: readonly ContractCase[] = [
  http(
    'what is posted arrives whole, and its status comes back with its token, after the call',
    async (fixture, daemon) => {
      const receiver = await fixture.receive(() => ({ status: 204 }));
      const body = Uint8Array.from({ length: 300_000 }, (_, i) => i);

      await daemon.act(({ http }) => http.post(postTo(`${receiver.origin}/a?b`, { body }), 7));

      expect(await daemon.event('posted')).toMatchObject({ token: 7, status: 204 });
      expect(bodiesOf(receiver)).toEqual([toHex(body)]);
    },
  ),
  http('every status is told as it is: nobody follows a redirect', async (fixture, daemon) => {
    const receiver = await fixture.receive(() => ({ status: 302 }));

    await daemon.act(({ http }) => http.post(postTo(`${receiver.origin}/`), 1));

    expect(await daemon.event('posted')).toMatchObject({ token: 1, status: 302 });
    expect(receiver.bodies.length).toBe(1);
  }),
  http('who does not answer in time has no status', async (fixture, daemon) => {
    const receiver = await fixture.receive(() => 'silent');

    await daemon.act(({ http }) => http.post(postTo(`${receiver.origin}/`, { timeout: SECOND / 5 }), 1));

    expect(await daemon.event('posted')).toMatchObject({ token: 1, status: undefined });
    await fixture.wait(SECOND / 5);
    expect(daemon.of('posted').length).toBe(1);
  }),
  http('a connection that ends without an answer has no status', async (fixture, daemon) => {
    const receiver = await fixture.receive(() => 'lost');

    await daemon.act(({ http }) => http.post(postTo(`${receiver.origin}/`), 1));

    expect(await daemon.event('posted')).toMatchObject({ token: 1, status: undefined });
  }),
  http('where nobody listens, and what is no URL, has no status', async (_, daemon) => {
    // Port 1 is tcpmux's: nobody has it.
    const urls = ['http://127.0.0.1:1/', 'ftp://127.0.0.1/', 'hello'];
    await daemon.act(({ http }) => {
      for (const [token, url] of urls.entries()) http.post(postTo(url), token);
    });

    await daemon.event('posted', urls.length);

    expect(daemon.of('posted').map(({ status }) => status)).toEqual([undefined, undefined, undefined]);
    expect(
      daemon
        .of('posted')
        .map(({ token }) => token)
        .sort(),
    ).toEqual([0, 1, 2]);
  }),
  http('an answer that is to be read comes with its headers and its body', async (fixture, daemon) => {
    const asked: unknown[] = [];
    const receiver = await fixture.receive(({ method, headers }) => {
      asked.push([method, headers['x-given']]);
      return { status: 201, headers: new Map([['x-told', 'so']]), body: utf8('a body') };
    });
    const more = { method: 'GET', headers: { 'x-given': 'this' }, body: EMPTY } as const;

    await daemon.act(({ http }) => http.post(postTo(`${receiver.origin}/`, { ...more, replyBytes: 6 }), 1));

    const { status, reply } = await daemon.event('posted');
    expect([status, reply?.headers.get('x-told'), reply && fromUtf8(reply.body)]).toEqual([201, 'so', 'a body']);
    expect(asked).toEqual([['GET', 'this']]);
  }),
  http('an answer that is longer than what is read has no status', async (fixture, daemon) => {
    const receiver = await fixture.receive(() => ({ status: 200, body: utf8('a body') }));

    await daemon.act(({ http }) => http.post(postTo(`${receiver.origin}/`, { replyBytes: 5 }), 1));

    expect(await daemon.event('posted')).toMatchObject({ token: 1, status: undefined });
  }),
];
