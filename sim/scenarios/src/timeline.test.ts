import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { parseFault } from './faults/fault-text.ts';
import { Lab } from './lab.ts';
import { standard } from './library/standard.ts';
import type { ScenarioInput } from './spec.ts';
import { scenarioSchema } from './spec.ts';
import { type HandAction, HistoryDiffers, NoCluster, Timeline } from './timeline.ts';

const SEED = 5;
const SMALL: ScenarioInput = {
  name: 'small',
  cluster: { clients: 1 },
  workloads: [{ kind: 'objects', pace: { kind: 'closed', workers: 1 } }],
  duration: '30s',
  faults: [
    { fault: 'delay', daemons: 'osd.1', upTo: '50ms', at: '3s', for: '5s' },
    { fault: 'crash', daemons: 'mgr.x', every: '4s', jitter: '1s', for: '1s' },
  ],
};

const makeLab = (seed = SEED) => new Lab(scenarioSchema.parse(SMALL), seed);

function strike(line: string): HandAction {
  const { fault } = parseFault(line);
  return { text: line, begin: (lab) => void lab.injector.inject(fault) };
}

const digestOf = ({ lab }: Timeline) => lab.simulation.digest;
const after = (timeline: Timeline, seconds: number) => timeline.lab.began + seconds * SECOND;

test('who steps through a run sees the history of who runs it', async () => {
  const timeline = Timeline.open(() => new Lab({ ...standard.draw(3), duration: '20s' }, 3));
  const { simulation } = timeline.lab;
  let stops = 0;
  for (let events = 0; (await timeline.advance({ stop: () => simulation.events > events + 777 })) === 'stopped'; ) {
    stops += 1;
    events = simulation.events;
    await timeline.advance({ until: simulation.now + 12_345 });
  }

  expect(stops).toBeGreaterThan(4);
  expect(timeline.outcome).toEqual(new Lab({ ...standard.draw(3), duration: '20s' }, 3).run());
});

test('going back does again what was done by hand before, at the very same event, and forgets the rest', async () => {
  const timeline = Timeline.open(() => makeLab());
  const { simulation } = timeline.lab;
  const began = simulation.events;
  await timeline.advance({ stop: () => simulation.events >= began + 1000 });
  await timeline.act(strike('crash osd.2'));
  await timeline.advance({ until: after(timeline, 12.3456) });
  const [digest, position] = [digestOf(timeline), timeline.position];
  await timeline.act(strike('hang mon.a'));
  await timeline.advance({ until: after(timeline, 15) });
  const then = { events: timeline.position.events, digest: digestOf(timeline) };
  await timeline.act(strike('crash osd.0'));
  await timeline.advance({ until: after(timeline, 25) });
  const end = digestOf(timeline);

  const dropped = await timeline.rewind({ at: position.at - 1 });
  await timeline.advance({ until: position.at });
  expect(dropped.map(({ action }) => action.text)).toEqual(['hang mon.a', 'crash osd.0']);
  expect(timeline.position).toEqual(position);
  expect(digestOf(timeline)).toBe(digest);

  await timeline.act(strike('hang mon.a'));
  const again = timeline.lab.simulation;
  await timeline.advance({ stop: () => again.events >= then.events });
  await timeline.advance({ until: after(timeline, 15) });
  expect(digestOf(timeline)).toBe(then.digest);
  await timeline.act(strike('crash osd.0'));
  await timeline.advance({ until: after(timeline, 25) });
  expect(digestOf(timeline)).toBe(end);

  await timeline.rewind({ at: after(timeline, 15) });
  expect(timeline.actions.map(({ action }) => action.text)).toEqual(['crash osd.2', 'hang mon.a']);
  expect(digestOf(timeline)).toBe(then.digest);
  await timeline.advance({ until: after(timeline, 25) });
  expect(digestOf(timeline)).not.toBe(end);
});

test('one can go back from the verdict, by events, into what came after the faults', async () => {
  const timeline = Timeline.open(() => makeLab());
  expect(await timeline.advance({})).toBe('over');
  const { outcome, position } = timeline;
  await timeline.rewind({ events: position.events - 500 });

  expect(timeline.outcome).toBeUndefined();
  expect(timeline.position.events).toBe(position.events - 500);
  expect(timeline.position.at).toBeGreaterThan(timeline.lab.faultsEnd);
  await timeline.advance({});
  expect(timeline.outcome).toEqual(outcome);
});

test('what strikes by hand before the faults end is over when they end; after that, it is not', async () => {
  const timeline = Timeline.open(() => makeLab());
  await timeline.act(strike('crash osd.2'));
  await timeline.advance({ until: timeline.lab.faultsEnd + 1 });
  expect(timeline.lab.injector.active).toEqual([]);

  timeline.lab.injector.reopen();
  await timeline.act(strike('crash osd.2'));
  await timeline.advance({});
  expect(timeline.outcome!.unclean.length).toBeGreaterThan(0);
  // Those of the scenario do not come back with it.
  expect(timeline.outcome!.faults.filter((line) => line.includes('mgr.x')).length).toBeLessThan(9);
});

test('a run that stops when something is violated says so at that very event', async () => {
  const timeline = Timeline.open(() => makeLab());
  const { simulation } = timeline.lab;
  simulation.after(1_234_567, () => simulation.addViolation('the sky falls'));

  expect(await timeline.advance({})).toBe('violated');
  expect(timeline.position.at).toBe(timeline.lab.began + 1_234_567);
  expect(await timeline.advance({})).toBe('over');
  expect(timeline.outcome!.violations).toHaveLength(1);
});

test('a past that is not the same twice is found out', async () => {
  let seed = SEED;
  const timeline = Timeline.open(() => makeLab(seed++));
  await timeline.advance({ until: after(timeline, 5) });

  await expect(timeline.rewind({ at: after(timeline, 4) })).rejects.toThrow(HistoryDiffers);
});

test('an action that is not the same twice is found out', async () => {
  const timeline = Timeline.open(() => makeLab());
  let osd = 0;
  await timeline.act({ text: 'fickle', begin: (lab) => lab.cluster.osds[osd++]!.process.crash() });
  await timeline.advance({ until: after(timeline, 5) });

  await expect(timeline.rewind({ at: after(timeline, 4) })).rejects.toThrow(HistoryDiffers);
});

test('who looks on can interrupt, and sees what is done again', async () => {
  const seen: boolean[] = [];
  const timeline = Timeline.open(
    () => makeLab(),
    (_, isReplay) => {
      seen.push(isReplay);
      return seen.length === 3;
    },
  );

  expect(await timeline.advance({ until: after(timeline, 10) })).toBe('interrupted');
  expect(timeline.position.at).toBe(after(timeline, 1.5));
  await timeline.rewind({ at: after(timeline, 1) });
  expect(seen).toEqual([false, false, false, true, true]);
});

test('a cluster that does not come up is no timeline', () => {
  const spec = scenarioSchema.parse({ ...SMALL, pools: [{ size: 9 }] });

  expect(() => Timeline.open(() => new Lab(spec, 1))).toThrow(NoCluster);
});
