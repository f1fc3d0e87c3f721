/** Places in the CRUSH map, as commands name them. */
import type { CrushLocation } from '@spirula/crush';
import { type CommandArgs, texts } from './command.ts';

export const LOCATION = { name: 'args', type: 'CephString', n: 'N', goodchars: '[A-Za-z0-9-_.=]' } as const;
/** The name of a bucket, a device or a rule. */
export const CRUSH_NAME = { type: 'CephString', goodchars: '[A-Za-z0-9-_.]' } as const;

/** The words `type=name` of an argument; undefined when one is none (CrushWrapper::parse_loc_map). */
export function parseLocation(args: CommandArgs, argument = 'args'): CrushLocation | undefined {
  const location = new Map<string, string>();
  for (const word of texts(args, argument)) {
    const [type = '', name = '', ...more] = word.split('=');
    if (type === '' || name === '' || more.length > 0) return undefined;
    location.set(type, name);
  }
  return location;
}

/** `{host=a,root=default}`, in the order of the types' names. */
export function formatLocation(location: CrushLocation): string {
  const words = [...location].sort(([a], [b]) => (a < b ? -1 : 1)).map(([type, name]) => `${type}=${name}`);
  return `{${words.join(',')}}`;
}
