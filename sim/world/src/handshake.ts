/**
 * Authentication between two simulated processes: the daemons' own strategies, with the payloads that real connections carry,
 * each handed over as it is (see `Authentication` in the World).
 */
import { noneAccepting, noneConnecting, purposeOf } from '@spirula/auth';
import { type Bytes, type EntityName, equalBytes, MalformedInput } from '@spirula/encoding';
import type {
  AcceptingMethod,
  AuthAnswer,
  AuthDecision,
  AuthExchange,
  Authentication,
  AuthRequest,
  AuthSecrets,
  ConnectingAuth,
  SessionId,
} from '@spirula/world';

/** A daemon, as its handshakes see it. */
export interface Authenticator {
  readonly entity: EntityName;
  /** What the monitors call this client; 0n until one has. */
  readonly globalId: bigint;
  readonly auth: Authentication | undefined;
  authorize(request: AuthRequest): AuthDecision;
  /** Runs what the daemon does in a handshake; what goes wrong in it is the daemon's bug. Undefined then. */
  during<T>(work: () => T): T | undefined;
}

export function connectingAuth(
  owner: Authenticator,
  session: SessionId,
  to: EntityName['type'],
): ConnectingAuth | undefined {
  const { auth, entity, globalId } = owner;
  if (auth === undefined) return noneConnecting(entity, purposeOf(entity.type, to), globalId);
  return owner.during(() => auth.connect(session, to));
}

function acceptingMethods(
  owner: Authenticator,
  endpoint: string,
  from: EntityName['type'],
): readonly AcceptingMethod[] {
  const { auth } = owner;
  if (auth === undefined) return [noneAccepting((claim) => owner.authorize({ endpoint, ...claim }))];
  return owner.during(() => auth.accept(endpoint, from)) ?? [];
}

/** The accepting side of one handshake. */
export class Acceptance {
  readonly #owner: Authenticator;
  readonly exchange: AuthExchange | undefined;
  readonly mode: number;

  /** Takes up what a peer of type `from` begins; without an exchange when they have no method or mode in common. */
  constructor(owner: Authenticator, endpoint: string, from: EntityName['type'], by: ConnectingAuth) {
    this.#owner = owner;
    const method = acceptingMethods(owner, endpoint, from).find((each) => each.method === by.method);
    const mode = by.modes.find((each) => method?.modes.includes(each));
    this.mode = mode ?? 0;
    this.exchange = mode === undefined ? undefined : method?.begin(mode);
  }

  /** Undefined when it is malformed. */
  answer(payload: Bytes): AuthAnswer | undefined {
    const { exchange } = this;
    // Under auth none the daemon is asked by `authorize`, which sees to itself.
    if (this.#owner.auth === undefined) return exchange && attempt(() => exchange.step(payload));
    return exchange && this.#owner.during(() => attempt(() => exchange.step(payload)));
  }
}

/** Undefined when the peer sent what it must not. */
export function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof MalformedInput) return undefined;
    throw error;
  }
}

/** Whether both sides have come to the same secrets: on a real connection their signatures say so. */
export function sameSecrets(a: AuthSecrets | undefined, b: AuthSecrets | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return equalBytes(a.sessionKey, b.sessionKey) && equalBytes(a.connectionSecret, b.connectionSecret);
}
