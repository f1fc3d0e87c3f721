import { randomBytes } from 'node:crypto';
import type { ImageWorld } from '@spirula/rbd';

export const imageWorld: ImageWorld = {
  sleep: (us) => new Promise((resolve) => setTimeout(resolve, us / 1000)),
  randomBytes: (count) => randomBytes(count),
};
