/**
 * From the first HELLO to two sides that know one another (Ceph msg/async/ProtocolV2.cc). Both banners have been read
 * before; all that follows is lossy sessions: a broken one is not resumed.
 *
 *     connecting                         accepting
 *       helloWait      <-- HELLO -->       helloWait
 *       authWait       -- AUTH_REQUEST ->  authWait         <- AUTH_BAD_METHOD: other method, or the end
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
  equalBytes,
  formatAddr,
  formatAddrVec,
  sameAddr,
} from '@spirula/encoding';
import { type AuthDecision, type Peer, type ResetReason, unreachable } from '@spirula/world';
import { type Claim, type ClientAuth, ConnectionMode, entityTypeName, type ServerAuth } from './auth.ts';
import { Tag, tagName } from './frame.ts';
import type { Frame } from './frame-reader.ts';
import {
  decodeAuthBadMethod,
  decodeAuthDone,
  decodeAuthRequest,
  decodeClientIdent,
  decodeHello,
  decodeServerIdent,
  encodeAuthBadMethod,
  encodeAuthDone,
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
  readonly auth: ClientAuth;
  /** What is expected to answer, and the address dialled. */
  readonly targetType: EntityTypeName;
  readonly target: EntityAddr;
}

export interface ServerRole {
  readonly name: 'server';
  readonly self: Self;
  /** The methods taken, in order of preference; at least one. */
  readonly auths: readonly ServerAuth[];
  /** The other end of the connection, as the network shows it. */
  readonly remote: EntityAddr;
  authorize(claim: Claim): AuthDecision;
}

export type Role = ClientRole | ServerRole;

export type HandshakeState =
  | { readonly name: 'helloWait' }
  /** `attempts` counts the refused ones: at most MAX_AUTH_ATTEMPTS. */
  | { readonly name: 'authWait'; readonly attempts: number }
  | {
      readonly name: 'signatureWait';
      readonly signature: Bytes;
      readonly globalId: bigint;
      /** Accepting: who the peer is. Connecting: undefined until SERVER_IDENT. */
      readonly entity: EntityName | undefined;
    }
  | { readonly name: 'identWait'; readonly globalId: bigint; readonly entity: EntityName | undefined }
  | { readonly name: 'ready' }
  | { readonly name: 'failed' };

export type HandshakeEffect =
  | { readonly kind: 'send'; readonly tag: number; readonly payload: Bytes }
  | { readonly kind: 'ready'; readonly peer: Peer }
  /** What was sent before leaves first. */
  | { readonly kind: 'fail'; readonly reason: ResetReason; readonly detail: string };

type Step = readonly [HandshakeState, readonly HandshakeEffect[]];

const MAX_AUTH_ATTEMPTS = 4;

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
 * Advances the handshake by one frame of the peer's. Pure, but for `authorize`, through which a monitor gives out a
 * global id.
 *
 * @throws MalformedInput when the frame's payload does not parse.
 */
export function stepHandshake(role: Role, state: HandshakeState, frame: Frame): Step {
  const payload = frame.segments[0]!;
  if (!expectedTags(role, state).includes(frame.tag)) {
    return fail('malformed', `${tagName(frame.tag)} in state ${state.name}`);
  }
  switch (state.name) {
    case 'helloWait':
      return onHello(role, payload);
    case 'authWait':
      if (role.name === 'server') return onAuthRequest(role, state.attempts, payload);
      return frame.tag === Tag.authDone ? onAuthDone(role, payload) : onAuthBadMethod(payload);
    case 'signatureWait':
      return onSignature(role, state, payload);
    case 'identWait':
      if (role.name === 'server') return onClientIdent(role, state.globalId, state.entity!, payload);
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
  const client = role.name === 'client';
  switch (state.name) {
    case 'helloWait':
      return [Tag.hello];
    case 'authWait':
      return client ? [Tag.authDone, Tag.authBadMethod] : [Tag.authRequest];
    case 'signatureWait':
      return [Tag.authSignature];
    case 'identWait':
      return client ? [Tag.serverIdent, Tag.identMissingFeatures] : [Tag.clientIdent];
    case 'ready':
    case 'failed':
      return [];
    default:
      return unreachable(state);
  }
}

function fail(reason: ResetReason, detail: string): Step {
  return [{ name: 'failed' }, [{ kind: 'fail', reason, detail }]];
}

function onHello(role: Role, payload: Bytes): Step {
  const hello = decodeHello(payload);
  const type = entityTypeName(hello.entityType);
  if (type === undefined) return fail('malformed', `unknown entity type ${hello.entityType}`);
  if (role.name === 'server') return [{ name: 'authWait', attempts: 0 }, []];
  if (type !== role.targetType) return fail('refused', `dialled a ${role.targetType}, a ${type} answers`);
  const { method, modes } = role.auth;
  const request = encodeAuthRequest({ method, modes, payload: role.auth.request() });
  return [{ name: 'authWait', attempts: 0 }, [{ kind: 'send', tag: Tag.authRequest, payload: request }]];
}

function onAuthRequest(role: ServerRole, attempts: number, payload: Bytes): Step {
  const request = decodeAuthRequest(payload);
  const auth = role.auths.find((each) => each.method === request.method);
  const mode = auth && request.modes.find((each) => auth.modes.includes(each));
  if (auth === undefined || mode === undefined) {
    if (attempts + 1 >= MAX_AUTH_ATTEMPTS) return fail('closed', 'no authentication method in common');
    // The peer may try another method on the same connection.
    return [{ name: 'authWait', attempts: attempts + 1 }, [badMethod(role, request.method, Errno.EOPNOTSUPP)]];
  }
  const claim = auth.readRequest(request.payload);
  const decision = role.authorize(claim);
  if (decision.kind === 'refuse') {
    const detail = `${claim.entity.type}.${claim.entity.id} is refused with ${decision.code}`;
    // Not now: a peer that is told so as an error gives up; one that finds the connection closed looks elsewhere.
    if (decision.code === Errno.EAGAIN) return fail('closed', detail);
    return [
      { name: 'failed' },
      [badMethod(role, request.method, decision.code), { kind: 'fail', reason: 'closed', detail }],
    ];
  }
  const { globalId } = decision;
  const done = encodeAuthDone({ globalId, mode, payload: auth.done() });
  const signature = auth.signature();
  return [
    { name: 'signatureWait', signature, globalId, entity: claim.entity },
    [
      { kind: 'send', tag: Tag.authDone, payload: done },
      { kind: 'send', tag: Tag.authSignature, payload: signature },
    ],
  ];
}

function badMethod(role: ServerRole, method: number, result: number): HandshakeEffect {
  const payload = encodeAuthBadMethod({
    method,
    result,
    allowedMethods: role.auths.map((auth) => auth.method),
    allowedModes: [...new Set(role.auths.flatMap((auth) => auth.modes))],
  });
  return { kind: 'send', tag: Tag.authBadMethod, payload };
}

function onAuthBadMethod(payload: Bytes): Step {
  const refusal = decodeAuthBadMethod(payload);
  return fail(
    'closed',
    `authentication method ${refusal.method} is refused with ${refusal.result}, allowed: ${refusal.allowedMethods}`,
  );
}

function onAuthDone(role: ClientRole, payload: Bytes): Step {
  const done = decodeAuthDone(payload);
  if (done.mode !== ConnectionMode.crc) return fail('malformed', `connection mode ${done.mode} was not asked for`);
  const signature = role.auth.signature();
  return [
    { name: 'signatureWait', signature, globalId: done.globalId, entity: undefined },
    [{ kind: 'send', tag: Tag.authSignature, payload: signature }],
  ];
}

function onSignature(
  role: Role,
  state: Extract<HandshakeState, { readonly name: 'signatureWait' }>,
  payload: Bytes,
): Step {
  if (!equalBytes(payload, state.signature)) return fail('malformed', 'the authentication signature does not match');
  const next: HandshakeState = { name: 'identWait', globalId: state.globalId, entity: state.entity };
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

function onClientIdent(role: ServerRole, globalId: bigint, entity: EntityName, payload: Bytes): Step {
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
      { kind: 'ready', peer: { entity, addrs: ident.addrs, globalId } },
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
