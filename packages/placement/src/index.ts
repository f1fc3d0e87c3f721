export { applyChange, CannotChange, parseChange } from './changes.ts';
export { type Movement, movementBetween, type OsdLoad, type PgBytes, type PoolMovement } from './movement.ts';
export { type Spread, spreadOf } from './spread.ts';
