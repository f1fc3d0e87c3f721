/** A monitor's knowledge, a client and an OSD, for tests of cephx: clocks stand until they are moved. */
import { type Crypto, makeConfig, SECOND, type World } from '@spirula/world';
import { CephxCredentials } from './cephx-credentials.ts';
import { generateKey, NO_SECRETS, type RotatingSecrets, rotate, toUTime } from './cephx-rotating-secrets.ts';
import { type KeyServer, MonAuthExchange } from './cephx-server.ts';
import type { EntityAuth } from './entity-auth.ts';

const START_SECONDS = 1_700_000_000;
const SERVICES = ['auth', 'mon', 'osd', 'mgr'] as const;
export const TTL_SECONDS = 100;

export class ToyKeys implements KeyServer {
  readonly crypto: Crypto;
  readonly config = makeConfig({ auth_mon_ticket_ttl: TTL_SECONDS, auth_service_ticket_ttl: TTL_SECONDS });
  readonly entities = new Map<string, EntityAuth>();
  readonly #secrets = new Map<string, RotatingSecrets>();
  #lastGlobalId = 4100n;
  #seconds = 0;

  constructor(crypto: Crypto) {
    this.crypto = crypto;
    this.addEntity('client.admin', 'allow *');
    this.addEntity('osd.0', 'allow profile osd');
    this.pass(0);
  }

  addEntity(name: string, caps: string): void {
    const all = new Map((['mon', 'osd', 'mgr'] as const).map((service) => [service, caps]));
    this.entities.set(name, { key: generateKey(this.crypto, this.wall()), caps: all });
  }

  /** Time passes, and the leader sees to the secrets. */
  pass(seconds: number): void {
    this.#seconds += seconds;
    for (const service of SERVICES) {
      const secrets = this.#secrets.get(service) ?? NO_SECRETS;
      this.#secrets.set(service, rotate(secrets, this.wall(), TTL_SECONDS, this.crypto));
    }
  }

  wall() {
    return toUTime(START_SECONDS + this.#seconds);
  }

  entity(name: string): EntityAuth | undefined {
    return this.entities.get(name);
  }

  secretsOf(service: string): RotatingSecrets | undefined {
    return this.#secrets.get(service);
  }

  allocateGlobalId(): bigint {
    this.#lastGlobalId += 1n;
    return this.#lastGlobalId;
  }

  credentials(type: 'client' | 'osd', id: string, key = this.entities.get(`${type}.${id}`)!.key): CephxCredentials {
    const world = {
      config: this.config,
      crypto: this.crypto,
      clock: { now: () => this.#seconds * SECOND, wall: () => this.wall(), arm: () => {}, disarm: () => {} },
    } satisfies Pick<World, 'clock' | 'config' | 'crypto'>;
    return new CephxCredentials(world, { type, id }, key);
  }

  /** A handshake with a monitor on session 1, kept; the monitor's side of it goes on to answer. */
  connect(credentials: CephxCredentials, mode = 1): MonAuthExchange {
    const exchange = new MonAuthExchange(this, mode);
    const auth = credentials.connect(1, 'mon')!;
    const challenge = exchange.step(auth.request());
    if (challenge.kind !== 'more') throw new Error(`refused: ${JSON.stringify(challenge)}`);
    const answer = exchange.step(auth.more(challenge.payload));
    if (answer.kind === 'refuse') auth.refused(answer.code);
    if (answer.kind !== 'done') throw new Error(`refused: ${JSON.stringify(answer)}`);
    auth.done({ globalId: answer.peer.globalId, mode, payload: answer.payload });
    credentials.adopt(1);
    return exchange;
  }

  /** Asks for what is due on a session that stands; returns how much that was. */
  renew(credentials: CephxCredentials, exchange: MonAuthExchange): number {
    const asked = credentials.renewals();
    for (const payload of asked) {
      const answer = exchange.step(payload);
      if (answer.kind === 'done') credentials.onReply(0, answer.payload);
      else credentials.onReply(-13, new Uint8Array(0));
    }
    return asked.length;
  }
}

/** A client that has tickets, and an OSD that has its secrets. */
export function clientAndOsd(crypto: Crypto): { keys: ToyKeys; client: CephxCredentials; osd: CephxCredentials } {
  const keys = new ToyKeys(crypto);
  const client = keys.credentials('client', 'admin');
  const osd = keys.credentials('osd', '0');
  keys.connect(client);
  keys.renew(osd, keys.connect(osd));
  return { keys, client, osd };
}
