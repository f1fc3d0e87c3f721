/**
 * One client of the server: which export it wants, then its commands, many at a time, each answered when it is done.
 *
 *   hello --> options (list, info, what answers look like) --> go --> commands ... --> disconnect
 *
 * A client that says what it may not ends its own connection, and nothing else.
 */
import type { BlockExport, ExportList } from './block-export.ts';
import { ByteReader, EndOfStream } from './byte-reader.ts';
import { serveCommands } from './commands.ts';
import type { NbdStream } from './nbd-stream.ts';
import { negotiate } from './negotiation.ts';

export interface ServeOptions {
  /** Called when the client has chosen an export: what it does from then on may take as long as it takes. */
  readonly onChosen?: () => void;
}

/** Resolves when the client has gone, or was sent away. @throws ProtocolError */
export async function serveConnection(
  stream: NbdStream,
  exports: ExportList,
  { onChosen }: ServeOptions = {},
): Promise<void> {
  const { memory } = stream;
  const reader = new ByteReader(stream.input, memory && ((bytes) => memory.take(bytes)));
  let opened: BlockExport | undefined;
  try {
    const chosen = await negotiate(reader, stream, exports);
    if (!chosen) return;
    opened = chosen.device;
    onChosen?.();
    await serveCommands(reader, stream, chosen);
  } catch (error) {
    if (!(error instanceof EndOfStream)) throw error;
  } finally {
    await opened?.close();
  }
}
