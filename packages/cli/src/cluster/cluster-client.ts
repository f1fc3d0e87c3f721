import { fromUtf8, rawFromText, textFromRaw } from '@spirula/encoding';
import { type IoCtx, RadosError } from '@spirula/rados';
import { connectRados } from '../ceph/connect.ts';
import { findCluster } from '../ceph/environment.ts';
import type { ClusterConnection, PoolConnection } from '../library-types.ts';

const CONNECT_TIMEOUT_SECONDS = 60;
/** Asked for at a time when an object is read whole. */
const READ_CHUNK = 4 << 20;

/**
 * Opens a client of the cluster that `confPath` describes.
 *
 * @throws UserError when no monitor answers within a minute.
 */
export async function connectClient(confPath: string): Promise<ClusterConnection> {
  const address = await findCluster({ dir: '' }, new Map([['conf', confPath]]));
  const { rados, close } = await connectRados(address, CONNECT_TIMEOUT_SECONDS);
  return {
    close,
    async command(command) {
      const { code, status, data } = await rados.monCommand(command);
      if (code < 0) throw new RadosError(code, status);
      return fromUtf8(data);
    },
    async pool(name) {
      return poolConnection(await rados.ioctx(name));
    },
  };
}

function poolConnection(io: IoCtx): PoolConnection {
  return {
    async writeFull(object, data) {
      await io.writeFull(rawFromText(object), data);
    },
    async write(object, data, offset = 0) {
      await io.write(rawFromText(object), data, offset);
    },
    async append(object, data) {
      await io.append(rawFromText(object), data);
    },
    async read(object, offset = 0, length = Number.POSITIVE_INFINITY) {
      return await readAll(io, object, offset, length);
    },
    async stat(object) {
      const { size, mtime } = await io.stat(rawFromText(object));
      return { size, mtime: new Date(mtime.sec * 1000 + mtime.nsec / 1e6) };
    },
    async remove(object) {
      await io.remove(rawFromText(object));
    },
    exec: (object, cls, method, input) => io.exec(rawFromText(object), cls, method, input),
    async *list() {
      for await (const { oid } of io.listObjects()) yield textFromRaw(oid);
    },
    async watch(object, { onNotify, onBroken }) {
      const watch = await io.watch(rawFromText(object), {
        onNotify: ({ payload }) => onNotify(payload),
        onError: (error) => onBroken?.(error),
      });
      return { stop: () => watch.unwatch() };
    },
    async notify(object, data, timeoutSeconds) {
      const { acks, timedOut } = await io.notify(rawFromText(object), data, timeoutSeconds);
      return { answers: acks.map(({ reply }) => reply), silent: timedOut.length };
    },
  };
}

async function readAll(io: IoCtx, object: string, offset: number, length: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let at = offset;
  while (at < offset + length) {
    const part = await io.read(rawFromText(object), at, Math.min(READ_CHUNK, offset + length - at));
    parts.push(part);
    at += part.length;
    if (part.length < READ_CHUNK) break;
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
