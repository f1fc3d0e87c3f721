import { Refusal } from './refusal.ts';

const UNITS = 'BKMGTPE';

/** `10`: MiB; with a letter, `4K` or `4KiB`, units of it. @throws Refusal */
export function parseSize(text: string, option: string, unit = 'M'): number {
  const [, digits, letter] = /^(\d+)([BKMGTPE])?(?:iB)?$/i.exec(text) ?? [];
  const size = Number(digits) * 1024 ** UNITS.indexOf((letter ?? unit).toUpperCase());
  if (digits === undefined || !Number.isSafeInteger(size)) {
    throw new Refusal(`rbd: the argument for option '--${option}' is invalid`, 1);
  }
  return size;
}

/** A count of things. @throws Refusal */
export function parseCount(text: string, option: string): bigint {
  if (!/^\d+$/.test(text)) throw new Refusal(`rbd: the argument ('${text}') for option '--${option}' is invalid`, 1);
  return BigInt(text);
}
