/** Commands of Ceph for parts of it that are not here: each is refused, and says why. */
import { type MonCommandEntry, unsupported } from './command.ts';
import { SURE } from './pool-arguments.ts';

const NO_ERASURE = 'erasure coding is not supported';
const NO_STRETCH = 'stretch mode is not supported';
const PROFILE = { name: 'name', type: 'CephString', goodchars: '[A-Za-z0-9-_.]' } as const;

export const unsupportedCommands: readonly MonCommandEntry[] = [
  unsupported(
    [
      'osd',
      'erasure-code-profile',
      'set',
      PROFILE,
      { name: 'profile', type: 'CephString', n: 'N', req: 'false' },
      { name: 'force', type: 'CephBool', req: 'false' },
    ],
    'make a profile for erasure-coded pools',
    'rw',
    NO_ERASURE,
    'osd',
  ),
  unsupported(
    ['osd', 'erasure-code-profile', 'get', PROFILE],
    'show a profile for erasure-coded pools',
    'r',
    NO_ERASURE,
    'osd',
  ),
  unsupported(
    ['osd', 'erasure-code-profile', 'rm', PROFILE],
    'remove a profile for erasure-coded pools',
    'rw',
    NO_ERASURE,
    'osd',
  ),
  unsupported(
    ['osd', 'erasure-code-profile', 'ls'],
    'list the profiles for erasure-coded pools',
    'r',
    NO_ERASURE,
    'osd',
  ),
  unsupported(['osd', 'force_healthy_stretch_mode', SURE], 'end the recovery of stretch mode', 'rw', NO_STRETCH, 'osd'),
  unsupported(
    ['osd', 'force_recovery_stretch_mode', SURE],
    'begin the recovery of stretch mode',
    'rw',
    NO_STRETCH,
    'osd',
  ),
  unsupported(
    ['osd', 'force-create-pg', { name: 'pgid', type: 'CephPgid' }, SURE],
    'make a lost placement group anew, empty',
    'rw',
    'a lost placement group cannot be made anew',
    'osd',
  ),
  unsupported(
    ['osd', 'stop', { name: 'ids', type: 'CephString', n: 'N' }],
    'stop OSDs',
    'rw',
    'OSDs are not stopped through the map: stop their processes',
    'osd',
  ),
  unsupported(
    ['report', { name: 'tags', type: 'CephString', n: 'N', req: 'false' }],
    'show everything at once',
    'r',
    'ask for status, osd dump, pg dump and their like one by one',
  ),
];
