/** A Keystone for tests: tokens that tests make up, and one that lets the gateway ask about them. */
import { createServer, type Server } from 'node:http';

export interface Keystone {
  readonly settings: readonly string[];
  /** How often it was asked whose a token is, and how often for a token of the gateway's. */
  readonly asked: { tokens: number; logins: number };
  grant(token: string, given: Granted): void;
  revoke(token: string): void;
  /** The gateway's own token is good no more. */
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
  const asked = { tokens: 0, logins: 0 };
  let own = '';
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
    if (request.url !== '/v3/auth/tokens') return answer(404);
    if (request.method === 'POST') {
      asked.logins += 1;
      const { auth } = JSON.parse(Buffer.concat(pieces).toString());
      const { name, password, domain } = auth.identity.password.user;
      const isGateway = name === 'gateway' && password === PASSWORD && domain.name === 'Default';
      if (!isGateway || auth.scope.project.name !== 'service') return answer(401);
      own = `own-${asked.logins}`;
      const body = tokenFor({ project: 'service', user: 'gateway', role: 'admin' });
      return answer(201, body, { 'X-Subject-Token': own });
    }
    asked.tokens += 1;
    if (request.headers['x-auth-token'] !== own) return answer(401);
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
    revoke: (token) => void granted.delete(token),
    forgetGateway: () => {
      own = 'another';
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
