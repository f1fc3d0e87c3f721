/**
 * From the first HELLO to two sides that know one another (Ceph msg/async/ProtocolV2.cc). Both banners have been read
 * before; all that follows is lossy sessions: a broken one is not resumed.
 *
 *     connecting                         accepting
 *       helloWait      <-- HELLO -->       helloWait
 *       authWait       -- AUTH_REQUEST ->  authWait         <- AUTH_BAD_METHOD: other method, or the end
 *                      <- AUTH_REPLY_MORE, AUTH_REQUEST_MORE ->  authMore
 *       signatureWait  <- AUTH_DONE --     signatureWait
 *                      <- AUTH_SIGNATURE ->
 *       identWait      -- CLIENT_IDENT ->  identWait        <- IDENT_MISSING_FEATURES: the end
 *       ready          <- SERVER_IDENT -   ready
 */
import {
  AddrType,
  type AddrVec,
  type Bytes,
  type EntityAddr,
  type EntityName,
  EntityType,
  type EntityTypeName,
  Errno,
  entityTypeName,
  formatAddr,
  formatAddrVec,
  sameAddr,
} from '@spirula/encoding';
import {
  type AcceptingMethod,
  type AuthExchange,
  type Authenticated,
  type AuthSecrets,
  type ConnectingAuth,
  invariant,
  type Peer,
  type ResetReason,
  unreachable,
} from '@spirula/world';
import { type Frame, Tag, tagName } from './frame.ts';
import {
  decodeAuthBadMethod,
  decodeAuthDone,
  decodeAuthPayload,
  decodeAuthRequest,
  decodeClientIdent,
  decodeHello,
  decodeServerIdent,
  encodeAuthBadMethod,
  encodeAuthDone,
  encodeAuthPayload,
  encodeAuthRequest,
  encodeClientIdent,
  encodeHello,
  encodeMissingFeatures,
  encodeServerIdent,
  FEATURES,
  IDENT_LOSSY,
} from './ident.ts';

/** Who this side is. */
export interface Self {
  readonly entity: EntityName;
  /** The endpoint's own addresses, with this run's nonce. */
  readonly addrs: AddrVec;
  /** OSD number or monitor rank. Without it, the global id that authentication gives. */
  readonly gid: bigint | undefined;
  /** Counts the connections of this run. */
  readonly globalSeq: bigint;
}

export interface ClientRole {
  readonly name: 'client';
  readonly self: Self;
  /** Asked when it is this side's turn: what was learned meanwhile counts. Undefined: it cannot. */
  authenticate(): ConnectingAuth | undefined;
  /** What is expected to answer, and the address dialled. */
  readonly targetType: EntityTypeName;
  readonly target: EntityAddr;
}

export interface ServerRole {
  readonly name: 'server';
  readonly self: Self;
  /** The other end of the connection, as the network shows it. */
  readonly remote: EntityAddr;
  /** The methods taken of a peer that says to be of a type, in order of preference; at least one. */
  accept(peerType: EntityTypeName): readonly AcceptingMethod[];
}

export type Role = ClientRole | ServerRole;

export type HandshakeState =
  | { readonly name: 'helloWait' }
  /** Connecting, until AUTH_DONE. */
  | { readonly name: 'authReplyWait'; readonly auth: ConnectingAuth; readonly rounds: number }
  /** Accepting: `attempts` counts the refused ones, at most MAX_AUTH_ATTEMPTS. */
  | { readonly name: 'authWait'; readonly peerType: EntityTypeName; readonly attempts: number }
  | {
      readonly name: 'authMoreWait';
      readonly exchange: AuthExchange;
      readonly method: number;
      readonly mode: number;
      readonly methods: readonly AcceptingMethod[];
    }
  /** The signature itself is the connection's to check. Connecting, it is not known yet who the peer is. */
  | { readonly name: 'signatureWait' | 'identWait'; readonly globalId: bigint; readonly peer: AcceptedPeer | undefined }
  | { readonly name: 'ready' }
  | { readonly name: 'failed' };

interface AcceptedPeer extends Authenticated {
  readonly exchange?: AuthExchange;
}

export type HandshakeEffect =
  | { readonly kind: 'send'; readonly tag: number; readonly payload: Bytes }
  /** Authentication is done: what both have said is signed from both sides; in secure mode all that follows is sealed. */
  | { readonly kind: 'sign'; readonly mode: number; readonly secrets: AuthSecrets | undefined }
  | { readonly kind: 'ready'; readonly peer: Peer }
  /** What was sent before leaves first. */
  | { readonly kind: 'fail'; readonly reason: ResetReason; readonly detail: string };

type AuthReplyWait = Extract<HandshakeState, { readonly name: 'authReplyWait' }>;
type Step = readonly [HandshakeState, readonly HandshakeEffect[]];

const MAX_AUTH_ATTEMPTS = 4;
/** AUTH_REPLY_MORE that one attempt takes; the methods there are need one. */
const MAX_AUTH_ROUNDS = 4;

/** The address a peer is told it has, before its nonce is known. */
function withoutNonce(addr: EntityAddr): EntityAddr {
  return { ...addr, type: AddrType.v2, nonce: 0 };
}

/** Both sides say HELLO as soon as the banners are exchanged. */
export function startHandshake(role: Role): Step {
  const hello = encodeHello({
    entityType: EntityType[role.self.entity.type],
    peerAddr: role.name === 'client' ? role.target : withoutNonce(role.remote),
  });
  return [{ name: 'helloWait' }, [{ kind: 'send', tag: Tag.hello, payload: hello }]];
}

/**
 * Advances the handshake by one frame of the peer's. Pure, but for what the authentication methods keep.
 *
 * @throws MalformedInput when the frame's payload does not parse, or proves nothing.
 */
export function stepHandshake(role: Role, state: HandshakeState, frame: Frame): Step {
  const payload = frame.segments[0]!;
  if (!expectedTags(role, state).includes(frame.tag)) {
    return fail('malformed', `${tagName(frame.tag)} in state ${state.name}`);
  }
  switch (state.name) {
    case 'helloWait':
      return onHello(role, payload);
    case 'authReplyWait':
      return onAuthReply(state, frame.tag, payload);
    case 'authWait':
      return onAuthRequest(asServer(role), state.peerType, state.attempts, payload);
    case 'authMoreWait':
      return onAuthPayload(state.exchange, state.method, state.mode, decodeAuthPayload(payload), state.methods);
    case 'signatureWait':
      return onSignature(role, state);
    case 'identWait':
      if (role.name === 'server') return onClientIdent(role, state.globalId, state.peer!, payload);
      return frame.tag === Tag.serverIdent
        ? onServerIdent(role, state.globalId, payload)
        : fail('closed', 'the peer requires features that are not known here');
    case 'ready':
    case 'failed':
      return fail('malformed', `${tagName(frame.tag)} in state ${state.name}`);
    default:
      return unreachable(state);
  }
}

/** The tags that may come in a state. */
export function expectedTags(role: Role, state: HandshakeState): readonly number[] {
  switch (state.name) {
    case 'helloWait':
      return [Tag.hello];
    case 'authReplyWait':
      return [Tag.authDone, Tag.authBadMethod, Tag.authReplyMore];
    case 'authWait':
      return [Tag.authRequest];
    case 'authMoreWait':
      return [Tag.authRequestMore];
    case 'signatureWait':
      return [Tag.authSignature];
    case 'identWait':
      return role.name === 'client' ? [Tag.serverIdent, Tag.identMissingFeatures] : [Tag.clientIdent];
    case 'ready':
    case 'failed':
      return [];
    default:
      return unreachable(state);
  }
}

function asServer(role: Role): ServerRole {
  invariant(role.name === 'server', 'only who accepts is asked for authentication');
  return role;
}

function fail(reason: ResetReason, detail: string): Step {
  return [{ name: 'failed' }, [{ kind: 'fail', reason, detail }]];
}

function onHello(role: Role, payload: Bytes): Step {
  const hello = decodeHello(payload);
  const type = entityTypeName(hello.entityType);
  if (type === undefined) return fail('malformed', `unknown entity type ${hello.entityType}`);
  if (role.name === 'server') return [{ name: 'authWait', peerType: type, attempts: 0 }, []];
  if (type !== role.targetType) return fail('refused', `dialled a ${role.targetType}, a ${type} answers`);
  const auth = role.authenticate();
  if (auth === undefined) return fail('closed', `no ticket for a ${type} is held`);
  const request = encodeAuthRequest({ method: auth.method, modes: auth.modes, payload: auth.request() });
  return [{ name: 'authReplyWait', auth, rounds: 0 }, [{ kind: 'send', tag: Tag.authRequest, payload: request }]];
}

// Accepting

function onAuthRequest(role: ServerRole, peerType: EntityTypeName, attempts: number, payload: Bytes): Step {
  const request = decodeAuthRequest(payload);
  const methods = role.accept(peerType);
  if (methods.length === 0) return fail('closed', 'nobody is let in yet');
  const method = methods.find((each) => each.method === request.method);
  const mode = method && request.modes.find((each) => method.modes.includes(each));
  if (method === undefined || mode === undefined) {
    if (attempts + 1 >= MAX_AUTH_ATTEMPTS) return fail('closed', 'no authentication method in common');
    // The peer may try another method on the same connection.
    const refusal = badMethod(methods, request.method, Errno.EOPNOTSUPP);
    return [{ name: 'authWait', peerType, attempts: attempts + 1 }, [refusal]];
  }
  return onAuthPayload(method.begin(mode), method.method, mode, request.payload, methods);
}

function onAuthPayload(
  exchange: AuthExchange,
  method: number,
  mode: number,
  payload: Bytes,
  methods: readonly AcceptingMethod[],
): Step {
  const answer = exchange.step(payload);
  switch (answer.kind) {
    case 'more': {
      const more = encodeAuthPayload(answer.payload);
      return [
        { name: 'authMoreWait', exchange, method, mode, methods },
        [{ kind: 'send', tag: Tag.authReplyMore, payload: more }],
      ];
    }
    case 'done': {
      const { peer, secrets } = answer;
      const { globalId } = peer;
      const done = encodeAuthDone({ globalId, mode, payload: answer.payload });
      return [
        { name: 'signatureWait', globalId, peer: secrets === undefined ? peer : { ...peer, exchange } },
        [
          { kind: 'send', tag: Tag.authDone, payload: done },
          { kind: 'sign', mode, secrets },
        ],
      ];
    }
    case 'refuse': {
      const { code, detail } = answer;
      // Not now: a peer that is told so as an error gives up; one that finds the connection closed looks elsewhere.
      if (code === Errno.EAGAIN) return fail('closed', detail);
      return [{ name: 'failed' }, [badMethod(methods, method, code), { kind: 'fail', reason: 'closed', detail }]];
    }
    default:
      return unreachable(answer);
  }
}

function badMethod(methods: readonly AcceptingMethod[], method: number, result: number): HandshakeEffect {
  const payload = encodeAuthBadMethod({
    method,
    result,
    allowedMethods: methods.map((each) => each.method),
    allowedModes: [...new Set(methods.flatMap((each) => each.modes))],
  });
  return { kind: 'send', tag: Tag.authBadMethod, payload };
}

// Connecting

function onAuthReply({ auth, rounds }: AuthReplyWait, tag: number, payload: Bytes): Step {
  switch (tag) {
    case Tag.authReplyMore: {
      if (rounds >= MAX_AUTH_ROUNDS) return fail('malformed', 'authentication has no end');
      const more = encodeAuthPayload(auth.more(decodeAuthPayload(payload)));
      return [
        { name: 'authReplyWait', auth, rounds: rounds + 1 },
        [{ kind: 'send', tag: Tag.authRequestMore, payload: more }],
      ];
    }
    case Tag.authDone: {
      const done = decodeAuthDone(payload);
      if (!auth.modes.includes(done.mode)) return fail('malformed', `connection mode ${done.mode} was not asked for`);
      const secrets = auth.done(done);
      const next: HandshakeState = { name: 'signatureWait', globalId: done.globalId, peer: undefined };
      return [next, [{ kind: 'sign', mode: done.mode, secrets }]];
    }
    default: {
      const { method, result, allowedMethods } = decodeAuthBadMethod(payload);
      auth.refused(result);
      return fail('closed', `authentication method ${method} is refused with ${result}, allowed: ${allowedMethods}`);
    }
  }
}

function onSignature(
  role: Role,
  state: Extract<HandshakeState, { readonly name: 'signatureWait' | 'identWait' }>,
): Step {
  const next: HandshakeState = { ...state, name: 'identWait' };
  if (role.name === 'server') return [next, []];
  const ident = encodeClientIdent({
    addrs: role.self.addrs,
    target: role.target,
    gid: role.self.gid ?? (state.globalId === 0n ? -1n : state.globalId),
    globalSeq: role.self.globalSeq,
    supportedFeatures: FEATURES,
    requiredFeatures: 0n,
    flags: IDENT_LOSSY,
    cookie: 0n,
  });
  return [next, [{ kind: 'send', tag: Tag.clientIdent, payload: ident }]];
}

/** Whether `dialled` is one of `own`: the same place, and the same run of the daemon unless the nonce was left open. */
function isOneOf(own: AddrVec, dialled: EntityAddr): boolean {
  return own.some((addr) => sameAddr({ ...addr, nonce: dialled.nonce === 0 ? 0 : addr.nonce }, dialled));
}

function onClientIdent(role: ServerRole, globalId: bigint, peer: AcceptedPeer, payload: Bytes): Step {
  const ident = decodeClientIdent(payload);
  if (ident.addrs.length === 0) return fail('malformed', 'the peer has no address');
  if (!isOneOf(role.self.addrs, ident.target)) {
    const own = formatAddrVec(role.self.addrs);
    return fail('refused', `the peer looks for ${formatAddr(ident.target)}, this is ${own}`);
  }
  const missing = ident.requiredFeatures & ~FEATURES;
  if (missing !== 0n) {
    return [
      { name: 'failed' },
      [
        { kind: 'send', tag: Tag.identMissingFeatures, payload: encodeMissingFeatures(missing) },
        { kind: 'fail', reason: 'closed', detail: `the peer requires unknown features 0x${missing.toString(16)}` },
      ],
    ];
  }
  const features = ident.supportedFeatures & FEATURES;
  // Ceph's clients look for exactly the address they dialled; a monitor map gives nonce 0.
  const addrs = ident.target.nonce === 0 ? role.self.addrs.map((addr) => ({ ...addr, nonce: 0 })) : role.self.addrs;
  const answer = encodeServerIdent({
    addrs,
    gid: role.self.gid ?? 0n,
    globalSeq: role.self.globalSeq,
    supportedFeatures: FEATURES,
    requiredFeatures: 0n,
    flags: IDENT_LOSSY,
    cookie: 0n,
  });
  return [
    { name: 'ready' },
    [
      { kind: 'send', tag: Tag.serverIdent, payload: answer },
      { kind: 'ready', peer: { ...peer, addrs: ident.addrs, globalId, features, socketAddr: role.remote } },
    ],
  ];
}

function onServerIdent(role: ClientRole, globalId: bigint, payload: Bytes): Step {
  const ident = decodeServerIdent(payload);
  if (!isOneOf(ident.addrs, role.target)) {
    const found = formatAddrVec(ident.addrs);
    return fail('refused', `dialled ${formatAddr(role.target)}, ${found} answers`);
  }
  const missing = ident.requiredFeatures & ~FEATURES;
  if (missing !== 0n) return fail('closed', `the peer requires unknown features 0x${missing.toString(16)}`);
  const entity: EntityName = { type: role.targetType, id: String(ident.gid) };
  return [{ name: 'ready' }, [{ kind: 'ready', peer: { entity, addrs: ident.addrs, globalId } }]];
}
