import { type Bytes, concatBytes, MalformedInput } from '@spirula/encoding';

/** What both sides say before authentication is done takes a few hundred bytes. */
const MAX_BYTES = 128 << 10;

/** Every byte of a handshake, both ways, until it is signed. */
export class Transcript {
  readonly #sent: Bytes[] = [];
  readonly #received: Bytes[] = [];
  #bytes = 0;

  sent(bytes: Bytes): void {
    this.#sent.push(bytes);
  }

  /** @throws MalformedInput when the peer has no end. */
  received(bytes: Bytes): void {
    this.#bytes += bytes.length;
    if (this.#bytes > MAX_BYTES)
      throw new MalformedInput('handshake', this.#bytes, `is longer than ${MAX_BYTES} bytes`);
    this.#received.push(bytes);
  }

  get said(): Bytes {
    return concatBytes(this.#sent);
  }

  get heard(): Bytes {
    return concatBytes(this.#received);
  }
}
