import type { TraceEntry } from '@spirula/sim-world';
import { expect, test } from 'vitest';
import { parseFilter } from '../../commands/sim-trace.ts';
import { passes } from './trace-filter.ts';

const message = { kind: 'message', what: 'send', id: 1, session: 1, bytes: 9 } as const;
const entries = [
  { ...message, at: 1_000_000, event: 1, from: 'client.0', to: 'osd.3', type: 'osd_op', pgid: '1.7' },
  { ...message, at: 2_000_000, event: 2, from: 'osd.3', to: 'osd.1', type: 'osd_repop', pgid: '1.7' },
  { ...message, at: 3_000_000, event: 3, from: 'osd.1', to: 'mon.a', type: 'osd_beacon' },
  { kind: 'timer', at: 4_000_000, event: 4, daemon: 'osd.3', name: 'tick' },
  { kind: 'fault', what: 'injected', at: 5_000_000, event: 4, id: 1, text: 'hang', facts: { daemons: ['osd.3'] } },
  { kind: 'violation', at: 6_000_000, event: 5, text: 'two primaries' },
] as const satisfies TraceEntry[];

test.each([
  [{}, [1, 2, 3, 4, 5, 6]],
  [{ pg: '1.7' }, [1, 2, 6]],
  [{ pg: '1.8' }, [6]],
  [{ daemon: 'osd.1' }, [2, 3, 6]],
  [{ daemon: 'osd.3,mon.a' }, [1, 2, 3, 4, 5, 6]],
  [{ type: 'osd_op' }, [1, 6]],
  [{ type: 'osd_b*, osd_op' }, [1, 3, 6]],
  [{ kind: 'timer,fault' }, [4, 5]],
  [{ from: '2s', to: '4000ms' }, [2, 3, 4]],
  [{ from: '0', to: '0.025m' }, [1]],
  [{ pg: '1.7', daemon: 'osd.1', kind: 'message' }, [2]],
])('%j lets pass what fits all of it, and violations unless kind or time rule them out', (options, seconds) => {
  const filter = parseFilter(options);

  expect(entries.filter((entry) => passes(filter, entry)).map(({ at }) => at / 1_000_000)).toEqual(seconds);
});

test.each([
  [{ pg: '1' }, '--pg takes PGs such as 1.7, not "1"'],
  [{ daemon: 'osd3' }, '--daemon takes daemons such as osd.3,mon.a, not "osd3"'],
  [{ type: 'osd op' }, '--type takes types of messages'],
  [{ kind: 'message,tea' }, /--kind takes some of message,timer,.*, not "tea"/],
  [{ from: 'soon' }, '--from takes a virtual time such as 10s, 1.5m or 250ms, not "soon"'],
  [{ from: '2s', to: '1s' }, '--to is before --from'],
])('%j is refused', (options, problem) => {
  expect(() => parseFilter(options)).toThrow(problem);
});
