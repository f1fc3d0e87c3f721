/** Payloads of the handshake's frames (Ceph msg/async/frames_v2.h). */
import {
  type AddrVec,
  type Bytes,
  Decoder,
  decodeAddr,
  decodeAddrVec,
  Encoder,
  type EntityAddr,
  encodeAddr,
  encodeAddrVec,
} from '@spirula/encoding';
import type { AuthDone } from '@spirula/world';

/**
 * What Ceph 16.2.15 supports (CEPH_FEATURES_SUPPORTED_DEFAULT). Offering the same makes a peer pick exactly the encodings
 * written here.
 */
export const FEATURES = 0x3f01_cfbd_fffd_ffffn;

/** Set in CLIENT_IDENT and SERVER_IDENT: a broken connection is not resumed. */
export const IDENT_LOSSY = 1n;

export interface Hello {
  readonly entityType: number;
  /** The receiver's address as the sender sees it. */
  readonly peerAddr: EntityAddr;
}

export function encodeHello(hello: Hello): Bytes {
  const payload = new Encoder(64);
  payload.u8(hello.entityType);
  encodeAddr(payload, hello.peerAddr);
  return payload.finish();
}

export function decodeHello(bytes: Bytes): Hello {
  const payload = new Decoder(bytes);
  return { entityType: payload.u8('entity type'), peerAddr: decodeAddr(payload, 'peer address') };
}

export interface AuthRequestPayload {
  readonly method: number;
  readonly modes: readonly number[];
  readonly payload: Bytes;
}

export function encodeAuthRequest(request: AuthRequestPayload): Bytes {
  const payload = new Encoder(64);
  payload.u32(request.method);
  payload.list(request.modes, (mode) => payload.u32(mode));
  payload.blob(request.payload);
  return payload.finish();
}

export function decodeAuthRequest(bytes: Bytes): AuthRequestPayload {
  const payload = new Decoder(bytes);
  return {
    method: payload.u32('auth method'),
    modes: payload.list('connection modes', 4, () => payload.u32('connection mode')),
    payload: payload.blob('auth payload'),
  };
}

export interface AuthBadMethod {
  readonly method: number;
  /** Negative errno. */
  readonly result: number;
  readonly allowedMethods: readonly number[];
  readonly allowedModes: readonly number[];
}

export function encodeAuthBadMethod(refusal: AuthBadMethod): Bytes {
  const payload = new Encoder(32);
  payload.u32(refusal.method);
  payload.i32(refusal.result);
  payload.list(refusal.allowedMethods, (method) => payload.u32(method));
  payload.list(refusal.allowedModes, (mode) => payload.u32(mode));
  return payload.finish();
}

export function decodeAuthBadMethod(bytes: Bytes): AuthBadMethod {
  const payload = new Decoder(bytes);
  return {
    method: payload.u32('auth method'),
    result: payload.i32('auth result'),
    allowedMethods: payload.list('allowed methods', 4, () => payload.u32('allowed method')),
    allowedModes: payload.list('allowed modes', 4, () => payload.u32('allowed mode')),
  };
}

export function encodeAuthDone(done: AuthDone): Bytes {
  const payload = new Encoder(32);
  payload.u64big(done.globalId);
  payload.u32(done.mode);
  payload.blob(done.payload);
  return payload.finish();
}

export function decodeAuthDone(bytes: Bytes): AuthDone {
  const payload = new Decoder(bytes);
  return {
    globalId: payload.u64big('global id'),
    mode: payload.u32('connection mode'),
    payload: payload.blob('auth payload'),
  };
}

/** Payload of AUTH_REPLY_MORE and AUTH_REQUEST_MORE. */
export function encodeAuthPayload(payload: Bytes): Bytes {
  const frame = new Encoder(payload.length + 4);
  frame.blob(payload);
  return frame.finish();
}

export function decodeAuthPayload(bytes: Bytes): Bytes {
  return new Decoder(bytes).blob('auth payload');
}

/** SERVER_IDENT; with `target`, CLIENT_IDENT. */
export interface Ident {
  /** The sender's own addresses, with its nonce. */
  readonly addrs: AddrVec;
  /** Global id of a client, rank of a monitor, number of an OSD; -1 when there is none yet. */
  readonly gid: bigint;
  readonly globalSeq: bigint;
  readonly supportedFeatures: bigint;
  readonly requiredFeatures: bigint;
  readonly flags: bigint;
  readonly cookie: bigint;
}

export interface ClientIdent extends Ident {
  /** The address that was dialled. */
  readonly target: EntityAddr;
}

function encodeIdentTail(payload: Encoder, ident: Ident): void {
  payload.u64big(ident.gid);
  payload.u64big(ident.globalSeq);
  payload.u64big(ident.supportedFeatures);
  payload.u64big(ident.requiredFeatures);
  payload.u64big(ident.flags);
  payload.u64big(ident.cookie);
}

function decodeIdentTail(payload: Decoder): Omit<Ident, 'addrs'> {
  return {
    gid: payload.i64big('gid'),
    globalSeq: payload.u64big('global seq'),
    supportedFeatures: payload.u64big('supported features'),
    requiredFeatures: payload.u64big('required features'),
    flags: payload.u64big('ident flags'),
    cookie: payload.u64big('cookie'),
  };
}

export function encodeClientIdent(ident: ClientIdent): Bytes {
  const payload = new Encoder(160);
  encodeAddrVec(payload, ident.addrs);
  encodeAddr(payload, ident.target);
  encodeIdentTail(payload, ident);
  return payload.finish();
}

export function decodeClientIdent(bytes: Bytes): ClientIdent {
  const payload = new Decoder(bytes);
  const addrs = decodeAddrVec(payload, 'client addresses');
  return { addrs, target: decodeAddr(payload, 'target address'), ...decodeIdentTail(payload) };
}

export function encodeServerIdent(ident: Ident): Bytes {
  const payload = new Encoder(160);
  encodeAddrVec(payload, ident.addrs);
  encodeIdentTail(payload, ident);
  return payload.finish();
}

export function decodeServerIdent(bytes: Bytes): Ident {
  const payload = new Decoder(bytes);
  return { addrs: decodeAddrVec(payload, 'server addresses'), ...decodeIdentTail(payload) };
}

/** Payload of IDENT_MISSING_FEATURES. */
export function encodeMissingFeatures(features: bigint): Bytes {
  const payload = new Encoder(8);
  payload.u64big(features);
  return payload.finish();
}
