import { randomBytes } from 'node:crypto';
import type { ImageWorld } from '@spirula/rbd';

export const imageWorld: ImageWorld = {
  sleep: (us) => new Promise((resolve) => setTimeout(resolve, us / 1000)),
  randomBytes: (count) => randomBytes(count),
  wall: () => {
    const ms = Date.now();
    return { sec: Math.floor(ms / 1000), nsec: (ms % 1000) * 1_000_000 };
  },
};
