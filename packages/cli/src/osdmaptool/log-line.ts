import type { OsdMapToolIo } from './tool-io.ts';

/** A line on stderr as Ceph's log writes it there, but for the thread, of which there is one. */
export function logLine(text: string, io: OsdMapToolIo): void {
  const { sec, nsec } = io.now();
  const stamp = new Date(sec * 1000 + Math.floor(nsec / 1e6)).toISOString().replace('Z', '+0000');
  io.stderr(`${stamp} 0 -1 ${text}\n\n`);
}
