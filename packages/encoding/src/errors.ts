/**
 * Bytes from outside that do not parse. Closes the session (or refuses the file) they came from, nothing else.
 * The message names the field and the offset in bytes.
 */
export class MalformedInput extends Error {
  override readonly name = 'MalformedInput';
  readonly field: string;
  readonly offset: number;

  constructor(field: string, offset: number, problem: string) {
    super(`${field} at offset ${offset}: ${problem}`);
    this.field = field;
    this.offset = offset;
  }
}
