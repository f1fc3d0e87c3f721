/**
 * Running hash of a history: every event delivered and every random number drawn goes in, in order. Two runs with the
 * same digest were the same run. Not cryptographic.
 */
export class Digest {
  #a = 0x9e3779b9;
  #b = 0x7f4a7c15;

  /** Adds the low 32 bits of an integer. */
  add(value: number): void {
    this.#a = Math.imul(this.#a ^ value, 0x85ebca6b);
    this.#a ^= this.#a >>> 15;
    this.#b = (Math.imul(this.#b, 0x01000193) + this.#a + 1) | 0;
  }

  /** Sixteen hexadecimal digits. */
  toString(): string {
    return hex(this.#a) + hex(this.#b);
  }
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

/** 32 bits that tell texts apart (FNV-1a). */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
