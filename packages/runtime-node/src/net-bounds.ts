/** What one daemon's network keeps for its peers at the most. */
export interface NetBounds {
  /** Bytes queued on a session from which on its sender should wait. */
  readonly highWater: number;
  /** Bytes queued on a session at which it is reset. */
  readonly overflow: number;
  /** Incoming connections whose handshake is not complete. */
  readonly maxHalfOpen: number;
  /** Incoming connections in all. */
  readonly maxConnections: number;
  /** From connect or accept to the end of the handshake (Ceph's ms_connection_ready_timeout). */
  readonly handshakeTimeoutMs: number;
  /** How long what was sent before a close may take to leave. */
  readonly lingerMs: number;
  /** Between signs of life asked of monitors (mon_client_ping_interval). */
  readonly keepaliveMs: number;
  /** A monitor that gave none for so long is taken for dead (mon_client_ping_timeout). */
  readonly keepaliveTimeoutMs: number;
}

const HIGH_WATER = 16 << 20;

export const DEFAULT_BOUNDS: NetBounds = {
  highWater: HIGH_WATER,
  overflow: 8 * HIGH_WATER,
  maxHalfOpen: 512,
  maxConnections: 8192,
  handshakeTimeoutMs: 10_000,
  lingerMs: 5_000,
  keepaliveMs: 10_000,
  keepaliveTimeoutMs: 30_000,
};
