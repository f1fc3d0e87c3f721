/** Copies on different hosts are not copies in different racks. */
import type { ScenarioInput } from '../spec.ts';
import { readyScenario } from './ready-scenario.ts';
import { drawSurroundings } from './surroundings.ts';

const BY_HOST = { name: 'careless', size: 3, pgNum: 32, failureDomain: 'host' } as const;
const BY_RACK = { name: 'careful', size: 3, pgNum: 32, failureDomain: 'rack' } as const;

/** What clients of one pool see: every second seed looks at either. */
const SEEN_BY_CLIENTS: Readonly<Record<string, NonNullable<ScenarioInput['expect']>>> = {
  careless: [{ slowest: 'request', after: 'loss', until: 'heal', atLeast: '60s' }],
  careful: [{ slowest: 'request', after: 'loss', until: 'heal', atLeast: '15s', atMost: '40s' }],
};

export const wrongFailureDomain = readyScenario(
  'wrong-failure-domain',
  'a rack loses power under two pools: one spreads copies over hosts and stops, one over racks and goes on',
  (seed) => {
    const pools = seed % 2 === 0 ? [BY_RACK, BY_HOST] : [BY_HOST, BY_RACK];
    return {
      question:
        'Three racks, size 3: what does it cost to spread copies over hosts instead of racks when a rack is lost?',
      watch: [
        'careless (failure domain host): some PGs have two copies in the rack; with min_size 2 they are inactive',
        'careful (failure domain rack): every PG keeps two copies, and serves once the rack is marked down',
        'nobody is marked out: with a whole rack down (mon_osd_down_out_subtree_limit) Ceph waits for people',
      ],
      cluster: {
        osds: 12,
        osdsPerHost: 2,
        hostsPerRack: 2,
        ...drawSurroundings(seed),
        options: { mon_osd_down_out_interval: 20 },
      },
      pools,
      // Nobody stays with an object: sooner or later everybody comes to one that cannot be had.
      workloads: [{ kind: 'objects', objects: 60, stay: 1 }],
      duration: '120s',
      faults: [{ name: 'loss', fault: 'power-loss', daemons: 'rack1', at: '15s', for: '90s' }],
      expect: [
        { what: 'osd.4 down', after: 'loss', atLeast: '20s', atMost: '32s' },
        { what: 'health OSD_RACK_DOWN', after: 'loss', atMost: '40s' },
        { what: 'any pg of careless peered', after: 'loss', atMost: '40s' },
        { never: 'all pgs of careless active', after: 'loss', grace: '45s', until: 'loss ends' },
        { never: 'not all pgs of careful active', after: 'loss', grace: '45s', until: 'loss ends' },
        { never: 'osd.4 out', until: 'heal' },
        ...SEEN_BY_CLIENTS[pools[0]!.name]!,
        { finally: 'all pgs active+clean' },
        { finally: 'not health PG_AVAILABILITY' },
      ],
    };
  },
);
