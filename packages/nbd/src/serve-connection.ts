/**
 * One client of the server: which export it wants, then its commands, many at a time, each answered when it is done.
 *
 *   hello --> options (TLS, list, info, what answers look like) --> go --> commands ... --> disconnect
 *
 * A client that says what it may not ends its own connection, and nothing else.
 */
import type { BlockExport, ExportList } from './block-export.ts';
import { EndOfStream } from './byte-reader.ts';
import { serveCommands } from './commands.ts';
import type { NbdStream } from './nbd-stream.ts';
import { negotiate, readerOf } from './negotiation.ts';

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
  let opened: BlockExport | undefined;
  try {
    const agreed = await negotiate({ reader: readerOf(stream), stream }, exports);
    if (!agreed) return;
    opened = agreed.chosen.device;
    onChosen?.();
    await serveCommands(agreed.reader, agreed.stream, agreed.chosen);
  } catch (error) {
    if (!(error instanceof EndOfStream)) throw error;
  } finally {
    await opened?.close();
  }
}
