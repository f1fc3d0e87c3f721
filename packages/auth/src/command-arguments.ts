/** Commands as capabilities look at them: what they need, and their arguments as texts. */
import { EXECUTE, READ, WRITE } from './caps-scanner.ts';

/** The bits of some of the letters `rwx`. */
export function permissionBits(letters: string): number {
  return (
    (letters.includes('r') ? READ : 0) | (letters.includes('w') ? WRITE : 0) | (letters.includes('x') ? EXECUTE : 0)
  );
}

/** Arguments of a command as grants compare them; caps one by one, `caps_osd` (Monitor::_generate_command_map). */
export function argumentTexts(args: Readonly<Record<string, unknown>>): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [name, value] of Object.entries(args)) {
    if (name === 'prefix') continue;
    if (name === 'caps' && Array.isArray(value) && value.length % 2 === 0) {
      for (let i = 0; i < value.length; i += 2) texts.set(`caps_${value[i]}`, String(value[i + 1]));
    } else texts.set(name, Array.isArray(value) ? `[${value.join(',')}]` : String(value));
  }
  return texts;
}
