export { type NetStats, NodeNet, type NodeNetConfig } from './net.ts';
export { DEFAULT_BOUNDS, type NetBounds } from './net-bounds.ts';
export type { Ports } from './net-listener.ts';
