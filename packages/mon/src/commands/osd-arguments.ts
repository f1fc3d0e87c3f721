/** OSDs and epochs, as commands name them. */
import { Errno, type OsdId } from '@spirula/encoding';
import { decodeOsdMap, type OsdMap, osdExists } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  invalid,
  number,
  refuse,
  text,
  texts,
  unchanged,
} from './command.ts';

export const EPOCH = { name: 'epoch', type: 'CephInt', range: '0', req: 'false' } as const;
export const IDS = { name: 'ids', type: 'CephString', n: 'N' } as const;
export const ID = { name: 'id', type: 'CephOsdName' } as const;

/** Ids of all OSDs there are. */
export function osdsOf(map: OsdMap): OsdId[] {
  return Array.from({ length: map.maxOsd }, (_, osd) => osd).filter((osd) => osdExists(map, osd));
}

/** `3`, `osd.3`. */
export function parseOsd(name: string | undefined): OsdId | undefined {
  const match = /^(?:osd\.)?(\d+)$/.exec(name ?? '');
  return match ? Number(match[1]) : undefined;
}

/** Shows the map of the epoch named, the newest without one. */
export function atEpoch(
  args: CommandArgs,
  { osd }: CommandContext,
  show: (map: OsdMap) => CommandOutcome,
): CommandOutcome {
  const epoch = number(args, 'epoch') ?? 0;
  if (epoch === 0 || epoch === osd.map.epoch) return show(osd.map);
  const full = osd.full(epoch);
  return full === undefined ? refuse(Errno.ENOENT, `there is no map for epoch ${epoch}`) : show(decodeOsdMap(full));
}

/** Runs `act` for every OSD named, gathering what it says; `act` returns whether it changed anything. */
export function forEachOsd(
  args: CommandArgs,
  { osd: { map } }: CommandContext,
  act: (osd: OsdId) => { readonly says: string; readonly changes: boolean },
): CommandOutcome {
  let says = '';
  let changes = false;
  let code = 0;
  for (const name of expandIds(texts(args, 'ids'), map)) {
    const osd = parseOsd(name);
    if (osd === undefined) {
      says += `Expected option value to be integer, got '${name.replace(/^osd\./, '')}'invalid osd id-1`;
      code = Errno.EINVAL;
      continue;
    }
    if (!osdExists(map, osd)) {
      says += `osd.${osd} does not exist. `;
      continue;
    }
    const done = act(osd);
    says += done.says;
    changes ||= done.changes;
  }
  return { ...(changes ? changed(says) : unchanged(says)), code };
}

/** Takes lists apart; `all`, `any` and `*` are all OSDs. */
export function expandIds(names: readonly string[], map: OsdMap): string[] {
  const all = names.includes('all') || names.includes('any') || names.includes('*');
  return all ? osdsOf(map).map(String) : names.flatMap((name) => name.split(',')).filter((name) => name !== '');
}

/** An existing OSD, or the refusal. */
export function existingOsd(args: CommandArgs, { osd: { map } }: CommandContext): OsdId | CommandOutcome {
  const osd = parseOsd(text(args, 'id'));
  if (osd === undefined) return invalid(`invalid osd id ${text(args, 'id') ?? ''}`);
  return osdExists(map, osd) ? osd : refuse(Errno.ENOENT, `osd.${osd} does not exist`);
}
