/** Events that are pushed over TLS: `verify-ssl` of a topic says whether the receiver's certificate must be one that the host trusts. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '@spirula/encoding';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseEndpoint } from '../../packages/rgw/src/notifications/endpoint.ts';
import { Pusher } from '../../packages/rgw/src/notifications/pusher.ts';
import { NodeHttp } from '../../packages/runtime-node/src/http.ts';
import { missingTools } from '../interop/real-ceph.ts';

const missing = missingTools(['openssl']);

describe.skipIf(missing.length > 0)(`pushes over TLS (skipped without: ${missing.join(' ')})`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'push-tls-'));
  const received: string[] = [];
  let server: Server;
  let pusher: Pusher;

  beforeAll(async () => {
    const [keyPath, certPath] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
        ...['-keyout', keyPath, '-out', certPath, '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'],
      ],
      { stdio: 'ignore' },
    );
    server = createServer({ key: readFileSync(keyPath), cert: readFileSync(certPath) }, async (request, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece);
      received.push(Buffer.concat(pieces).toString());
      response.writeHead(200).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    pusher = new Pusher(new NodeHttp((event) => void pusher.handle(event)));
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(dir, { recursive: true, force: true });
  });

  const push = (args: string, body: string) => {
    const pushEndpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
    return pusher.push(parseEndpoint({ pushEndpoint, pushEndpointArgs: args }), utf8(body));
  };

  test('a certificate that nobody vouches for is refused, and nothing is sent', async () => {
    const outcome = await push('', 'by default');
    expect(outcome).toMatchObject({ delivered: false });
    expect(outcome.detail).toContain('self-signed certificate');
    expect(await push('verify-ssl=true', 'asked for')).toMatchObject({ delivered: false });
    expect(received).toEqual([]);
  });

  test('a topic that does not verify is pushed to all the same', async () => {
    expect(await push('verify-ssl=false', 'hello')).toMatchObject({ delivered: true });
    expect(received).toEqual(['hello']);
  });
});
