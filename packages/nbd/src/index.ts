export type { BlockExport, ExportExtent, ExportList, ExportName } from './block-export.ts';
export { type NbdStream, ProtocolError } from './nbd-stream.ts';
export { serveConnection } from './serve-connection.ts';
