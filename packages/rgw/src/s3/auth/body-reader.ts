/** Lines and stretches of a body that comes in pieces of any size, without copying: each stretch is a view of what came. */
import { type Bytes, concatBytes, rawFromBytes } from '@spirula/encoding';
import { s3Error } from '../s3-errors.ts';

const LINE_FEED = 0x0a;

export class BodyReader {
  readonly #source: AsyncIterator<Bytes>;
  /** What has come and is not read yet. Never empty. */
  #piece: Bytes | undefined;

  constructor(body: AsyncIterable<Bytes>) {
    this.#source = body[Symbol.asyncIterator]();
  }

  /**
   * The next line, as a raw string without its end (LF, or CR and LF).
   *
   * @throws S3Error IncompleteBody when the body ends before, InvalidRequest when the line is longer than `most` bytes.
   */
  async line(most: number): Promise<string> {
    const { text, isEnded } = await this.#line(most);
    if (!isEnded) throw s3Error('IncompleteBody');
    return text;
  }

  /** As `line`; the end of the body ends a line, too. Undefined: there is none any more. */
  async lastLine(most: number): Promise<string | undefined> {
    const { text, isEnded } = await this.#line(most);
    return text === '' && !isEnded ? undefined : text;
  }

  async #line(most: number): Promise<{ readonly text: string; readonly isEnded: boolean }> {
    const parts: Bytes[] = [];
    const textOf = () => rawFromBytes(concatBytes(parts)).replace(/\r$/, '');
    let length = 0;
    for (;;) {
      const piece = await this.#next();
      if (piece === undefined) return { text: textOf(), isEnded: false };
      const end = piece.indexOf(LINE_FEED);
      const part = end < 0 ? piece : piece.subarray(0, end);
      length += part.length;
      if (length > most) throw s3Error('InvalidRequest', 'A line in the body is too long');
      parts.push(part);
      this.#keep(end < 0 ? undefined : piece.subarray(end + 1));
      if (end >= 0) return { text: textOf(), isEnded: true };
    }
  }

  /** Up to `most` bytes, as they are at hand; undefined at the end of the body. */
  async some(most: number): Promise<Bytes | undefined> {
    const piece = await this.#next();
    if (piece === undefined) return undefined;
    const part = piece.subarray(0, most);
    this.#keep(piece.subarray(part.length));
    return part;
  }

  /** Gives bytes back: they are read next. */
  unread(bytes: Bytes): void {
    this.#keep(this.#piece === undefined ? bytes : concatBytes([bytes, this.#piece]));
  }

  /** Nothing more is wanted: whoever sends may stop. */
  async close(): Promise<void> {
    this.#piece = undefined;
    await this.#source.return?.();
  }

  async #next(): Promise<Bytes | undefined> {
    while (this.#piece === undefined) {
      const { value, done } = await this.#source.next();
      if (done === true) return undefined;
      this.#keep(value);
    }
    return this.#piece;
  }

  #keep(piece: Bytes | undefined): void {
    this.#piece = piece === undefined || piece.length === 0 ? undefined : piece;
  }
}
