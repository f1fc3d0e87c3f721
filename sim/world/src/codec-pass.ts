import { concatBytes, EMPTY } from '@spirula/encoding';
import { decodeMessage, encodeMessage, type Message } from '@spirula/messages';
import { findDifference } from './seal.ts';

export interface CodecPass {
  /** What came out. */
  readonly message: Message;
  /** Where it differs from what went in. */
  readonly difference: string | undefined;
}

/** What codecs add by themselves, on purpose: an OSD's reply always says that it is acknowledged and on disk. */
const FILLED_IN: ReadonlySet<string> = new Set(['osd_op_reply.flags']);

/** Takes a message through the codec that real connections use. */
export function passCodec(message: Message): CodecPass {
  const { code, version, compat, tid, front, data } = encodeMessage(message);
  const raw = { code, version, compat, tid, front: front.slice(), middle: EMPTY, data: concatBytes(data) };
  const decoded = decodeMessage(raw);
  const difference = findDifference(message, decoded);
  return { message: decoded, difference: FILLED_IN.has(message.type + difference) ? undefined : difference };
}
