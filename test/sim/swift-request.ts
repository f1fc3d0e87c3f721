/** Requests of Swift in the simulator. */
import type { GatewayPlace } from '../../sim/scenarios/src/gateways/gateway-place.ts';
import { type Answered, type Asked, readAnswer, USER } from '../../sim/scenarios/src/gateways/s3-request.ts';

/** As `place.ask`, by Swift: a token is asked for first. */
export async function askSwift(place: GatewayPlace, asked: Asked): Promise<Answered | undefined> {
  const { method, target, body = new Uint8Array(0), headers = {} } = asked;
  const gateway = place.gateway!;
  const handle = (method: string, target: string, headers: readonly (readonly [string, string])[]) =>
    gateway.handle({
      method,
      target,
      headers: new Map([['host', 'swift'], ['content-length', String(body.length)], ...headers]),
      body: (async function* () {
        yield body;
      })(),
      secure: false,
      remoteAddr: '10.0.0.1',
    });
  const ask = async () => {
    const login = [
      ['x-auth-user', `${USER.uid}:swift`],
      ['x-auth-key', USER.secret],
    ] as const;
    const granted = await handle('GET', '/auth/v1.0', login);
    const token = granted.headers.find(([name]) => name === 'X-Auth-Token')?.[1] ?? '';
    return await readAnswer(
      await handle(method, `/swift/v1${target}`, [['x-auth-token', token], ...Object.entries(headers)]),
    );
  };
  return await place.unlessCrashed(ask());
}
