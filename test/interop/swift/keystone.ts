/** A Keystone for tests: tokens and access keys that tests make up, and a token that lets the gateway ask about them. */
import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';

export interface Keystone {
  readonly settings: readonly string[];
  /** How often it was asked whose a token is, and how often for a token of the gateway's. */
  readonly asked: { tokens: number; logins: number; keys: number };
  grant(token: string, given: Granted): void;
  /** An EC2 credential. `isTold`: whether the gateway is told the secret. */
  grantKey(access: string, secret: string, given: Granted, isTold?: boolean): void;
  revoke(token: string): void;
  /** Gateways' own tokens are good no more. */
  forgetGateway(): void;
  stop(): Promise<void>;
}

interface Granted {
  readonly project: string;
  readonly user: string;
  readonly role: string;
  /** From now. */
  readonly seconds?: number;
}

const PASSWORD = 'secret of the gateway';

export async function startKeystone(port: number): Promise<Keystone> {
  const granted = new Map<string, object>();
  const keys = new Map<string, { secret: string; given: Granted; isTold: boolean }>();
  const asked = { tokens: 0, logins: 0, keys: 0 };
  const own = new Set<unknown>();
  const named = (name: string) => ({ id: name, name: `${name} by name`, domain: { id: 'default', name: 'Default' } });
  const tokenFor = ({ project, user, role, seconds = 3600 }: Granted) => ({
    token: {
      expires_at: new Date(Date.now() + seconds * 1000).toISOString().replace('Z', '000Z'),
      project: named(project),
      user: named(user),
      roles: [{ id: role, name: role }],
    },
  });
  const server: Server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const answer = (status: number, body: object = {}, headers = {}) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    if (request.url === '/v3/s3tokens') {
      asked.keys += 1;
      if (!own.has(request.headers['x-auth-token'])) return answer(401);
      const { access, token, signature } = JSON.parse(Buffer.concat(pieces).toString()).credentials;
      const found = keys.get(access);
      const isRight = found && signatureOf(found.secret, Buffer.from(token, 'base64').toString()) === signature;
      return isRight ? answer(200, tokenFor(found.given)) : answer(401);
    }
    const [, user, access] = /^\/v3\/users\/([^/]+)\/credentials\/OS-EC2\/([^/]+)$/.exec(request.url ?? '') ?? [];
    if (access !== undefined) {
      const found = keys.get(access);
      if (!own.has(request.headers['x-auth-token'])) return answer(401);
      if (!found?.isTold || found.given.user !== user) return answer(404);
      return answer(200, { credential: { access, secret: found.secret } });
    }
    if (request.url !== '/v3/auth/tokens') return answer(404);
    if (request.method === 'POST') {
      asked.logins += 1;
      const { auth } = JSON.parse(Buffer.concat(pieces).toString());
      const { name, password, domain } = auth.identity.password.user;
      const isGateway = name === 'gateway' && password === PASSWORD && domain.name === 'Default';
      if (!isGateway || auth.scope.project.name !== 'service') return answer(401);
      const given = `own-${asked.logins}`;
      own.add(given);
      const body = tokenFor({ project: 'service', user: 'gateway', role: 'admin' });
      return answer(201, body, { 'X-Subject-Token': given });
    }
    asked.tokens += 1;
    if (!own.has(request.headers['x-auth-token'])) return answer(401);
    const found = granted.get(String(request.headers['x-subject-token']));
    return found ? answer(200, found) : answer(404);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    settings: [
      `rgw_keystone_url=http://127.0.0.1:${port}/`,
      'rgw_keystone_api_version=3',
      'rgw_keystone_admin_user=gateway',
      `rgw_keystone_admin_password=${PASSWORD}`,
      'rgw_keystone_admin_domain=Default',
      'rgw_keystone_admin_project=service',
      'rgw_keystone_accepted_roles=member, reader',
      'rgw_keystone_accepted_admin_roles=admin',
    ],
    asked,
    grant: (token, given) => void granted.set(token, tokenFor(given)),
    grantKey: (access, secret, given, isTold = true) => void keys.set(access, { secret, given, isTold }),
    revoke: (token) => void granted.delete(token),
    forgetGateway: () => own.clear(),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** As Keystone has it: of version 4 by what the text says of its date and region, else of version 2. */
function signatureOf(secret: string, stringToSign: string): string {
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  if (!stringToSign.startsWith('AWS4-HMAC-SHA256')) {
    return createHmac('sha1', secret).update(stringToSign).digest('base64');
  }
  const scope = stringToSign.split('\n')[2]!.split('/');
  const key = scope.reduce<string | Buffer>((before, each) => hmac(before, each), `AWS4${secret}`);
  return hmac(key, stringToSign).toString('hex');
}
