/**
 * How a monitor authenticates under cephx (Monitor::get_auth_request, handle_auth_request): clients and daemons with their
 * keys, which gives them tickets; other monitors with the key that all share.
 */
import {
  AuthPurpose,
  acceptMonitor,
  type CryptoKey,
  connectionModes,
  connectMonitor,
  connectMonitorToMgr,
  formatEntityName,
  type KeyServer,
  MonAuthExchange,
} from '@spirula/auth';
import { EMPTY, type EntityTypeName, Errno, MalformedInput } from '@spirula/encoding';
import type { AuthMessage, AuthReply } from '@spirula/messages';
import {
  type AcceptingMethod,
  type AuthExchange,
  type Authentication,
  AuthMethod,
  type ConnectingAuth,
  type Log,
  type Peer,
  type SessionId,
} from '@spirula/world';

export interface MonAuthOptions extends KeyServer {
  /** The key of `mon.`. */
  readonly shared: CryptoKey;
  /** Whether clients are served: not by one who is out of quorum for long. */
  serves(): boolean;
}

export class MonAuthentication implements Authentication {
  readonly #options: MonAuthOptions;

  constructor(options: MonAuthOptions) {
    this.#options = options;
  }

  /** Monitors dial monitors and managers only. */
  connect(_session: SessionId, to: EntityTypeName): ConnectingAuth | undefined {
    const { crypto, config, shared } = this.#options;
    const [now, modes] = [this.#options.wall(), connectionModes(config, 'mon', to)];
    if (to === 'mon') return connectMonitor(crypto, shared, now, modes);
    if (to !== 'mgr') return undefined;
    const secrets = this.#options.secretsOf('mgr');
    return connectMonitorToMgr(crypto, secrets, config.auth_service_ticket_ttl, now, modes);
  }

  accept(_endpoint: string, peerType: EntityTypeName): readonly AcceptingMethod[] {
    const modes = connectionModes(this.#options.config, 'mon', peerType);
    return [{ method: AuthMethod.cephx, modes, begin: (mode) => this.#begin(mode) }];
  }

  /** The first byte says what for: a client's session, or another monitor's. */
  #begin(mode: number): AuthExchange {
    let exchange: AuthExchange | undefined;
    return {
      step: (payload) => {
        exchange ??= this.#choose(payload[0], mode);
        if (exchange instanceof MonAuthExchange && !this.#options.serves()) {
          return { kind: 'refuse', code: Errno.EAGAIN, detail: 'this monitor is out of quorum' };
        }
        return exchange.step(payload);
      },
    };
  }

  #choose(purpose: number | undefined, mode: number): AuthExchange {
    const { crypto, shared } = this.#options;
    if (purpose === AuthPurpose.monitor) return new MonAuthExchange(this.#options, mode);
    return acceptMonitor(crypto, shared, mode);
  }
}

/**
 * Goes on authenticating on a session that stands, from what this monitor knows, without a leader (AuthMonitor::prep_auth):
 * EOPNOTSUPP under auth none, EACCES, or EINVAL for what does not parse.
 */
export function answerAuth(peer: Peer, { tid, protocol, payload }: AuthMessage, log: Log): AuthReply {
  const { entity, globalId, exchange } = peer;
  const refusal = (result: number): AuthReply => ({
    type: 'auth_reply',
    ...{ tid, protocol, result, globalId },
    payload: EMPTY,
  });
  if (exchange === undefined || protocol !== AuthMethod.cephx) return refusal(Errno.EOPNOTSUPP);
  try {
    const answer = exchange.step(payload);
    if (answer.kind !== 'refuse') return { ...refusal(0), payload: answer.payload };
    log.info('an entity is refused', { entity: formatEntityName(entity), why: answer.detail });
    return refusal(answer.code);
  } catch (error) {
    if (!(error instanceof MalformedInput)) throw error;
    return refusal(Errno.EINVAL);
  }
}
