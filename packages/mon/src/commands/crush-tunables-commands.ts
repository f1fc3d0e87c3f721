/** Commands about the knobs of the CRUSH mapper. */
import {
  dumpTunables,
  strawToStraw2,
  TUNABLES_PROFILES,
  withStrawCalcVersion,
  withTunablesProfile,
} from '@spirula/crush';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  indented,
  invalid,
  type MonCommandEntry,
  number,
  output,
  text,
} from './command.ts';
import { tooNewForClients } from './crush-changes.ts';

const TUNABLE = { name: 'tunable', type: 'CephChoices', strings: 'straw_calc_version' } as const;

export const crushTunablesCommands: readonly MonCommandEntry[] = [
  command(
    ['osd', 'crush', 'tunables', { name: 'profile', type: 'CephChoices', strings: TUNABLES_PROFILES.join('|') }],
    'take the tunables of a release',
    'rw',
    setProfile,
    'osd',
  ),
  command(
    ['osd', 'crush', 'set-tunable', TUNABLE, { name: 'value', type: 'CephInt' }],
    'set one tunable',
    'rw',
    setTunable,
    'osd',
  ),
  command(['osd', 'crush', 'get-tunable', TUNABLE], 'show one tunable', 'r', getTunable, 'osd'),
  command(
    ['osd', 'crush', 'show-tunables'],
    'show the tunables',
    'r',
    (args, { osd: { map } }) => indented(args, dumpTunables(map.crush)),
    'osd',
  ),
  command(
    ['osd', 'crush', 'set-all-straw-buckets-to-straw2'],
    'replace straw buckets by straw2 ones',
    'rw',
    (_, { osd }) => {
      const crush = strawToStraw2(osd.pendingCrush);
      const refusal = tooNewForClients(osd, crush);
      if (refusal !== undefined) return refusal;
      osd.setCrush(crush);
      return changed('');
    },
    'osd',
  ),
];

function setProfile(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const profile = text(args, 'profile') ?? '';
  const crush = withTunablesProfile(osd.pendingCrush, profile);
  if (crush === undefined) return invalid(`unrecognized profile '${profile}'`);
  const refusal = tooNewForClients(osd, crush);
  if (refusal !== undefined) return refusal;
  osd.setCrush(crush);
  return changed(`adjusted tunables profile to ${profile}`);
}

function setTunable(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const tunable = text(args, 'tunable') ?? '';
  const value = number(args, 'value');
  if (value === undefined) return invalid(`failed to parse integer value ${text(args, 'value') ?? ''}`);
  if (tunable !== 'straw_calc_version') return invalid(`unrecognized tunable '${tunable}'`);
  if (value !== 0 && value !== 1) return invalid(`value must be 0 or 1; got ${value}`);
  osd.setCrush(withStrawCalcVersion(osd.pendingCrush, value));
  return changed(`adjusted tunable ${tunable} to ${value}`);
}

function getTunable(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const tunable = text(args, 'tunable') ?? '';
  if (tunable !== 'straw_calc_version') return invalid(`unrecognized tunable '${tunable}'`);
  const { strawCalcVersion } = map.crush.tunables;
  return output(args, { straw_calc_version: strawCalcVersion }, `${strawCalcVersion}\n`);
}
