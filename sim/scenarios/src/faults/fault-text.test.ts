import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { daemons, FAULT_SCHEMAS, type Fault, type FaultKind } from './fault.ts';
import { describeFault, parseFault } from './fault-text.ts';

test.each([
  ['crash osd.2', { fault: 'crash', daemons: 'osd.2' }],
  ['crash osd.1 osd.2', { fault: 'crash', daemons: ['osd.1', 'osd.2'] }],
  ['hang primary of 1.7', { fault: 'hang', daemons: 'primary of 1.7' }],
  ['partition mon.a | rest', { fault: 'partition', groups: ['mon.a', 'rest'] }],
  ['partition mon.a osd.0 | rest oneWay', { fault: 'partition', groups: [['mon.a', 'osd.0'], 'rest'], oneWay: true }],
  ['delay osd.1 upTo=200ms', { fault: 'delay', daemons: 'osd.1', upTo: '200ms' }],
  ['reset count=3', { fault: 'reset', count: 3 }],
  [
    'focus client.0 object=object-3 how=writing',
    { fault: 'focus', client: 'client.0', object: 'object-3', how: 'writing' },
  ],
  ['command {"prefix":"osd out","ids":["2"]}', { fault: 'command', command: { prefix: 'osd out', ids: ['2'] } }],
  ['heal', { fault: 'heal' }],
] satisfies [string, Fault][])('%s says what it says, and is said so', (text, fault) => {
  expect(parseFault(text)).toEqual({ fault });
  expect(describeFault(fault)).toBe(text);
});

test('how long a fault lasts stands at the end', () => {
  expect(parseFault('hang osd.2 for 1.5m')).toEqual({ fault: { fault: 'hang', daemons: 'osd.2' }, for: '1.5m' });
});

test('blanks around the bar of a partition, and quotes where none are needed, change nothing', () => {
  expect(parseFault('partition  mon.a|"rest"').fault).toEqual({ fault: 'partition', groups: ['mon.a', 'rest'] });
});

test('a command is said by its prefix and named arguments', () => {
  expect(parseFault('command osd out ids=["2"]').fault).toEqual({
    fault: 'command',
    command: { prefix: 'osd out', ids: ['2'] },
  });
});

test.each([
  ['', 'nothing: expected a fault: crash,'],
  ['crush osd.2', 'crush: expected a fault: crash,'],
  ['crash', 'crash: daemons: whom it is for'],
  ['crash osd.2 for', 'for : expected a span of time such as 30s'],
  ['crash osd.2 for ever', 'for ever: expected a span of time such as 30s'],
  ['crash osd.2 for 3s now', 'now: expected nothing after "for 3s"'],
  ['crash osd.2 hard=yes', 'hard: expected, after crash: daemons, for 30s'],
  ['crash mon.a | rest', '|: expected one group only'],
  ['partition mon.a', 'mon.a: expected two groups, such as mon.a | rest'],
  ['partition | rest', '| rest: expected two groups'],
  ['delay osd.1 upTo=soon', 'upTo=soon: a span of time such as 30s'],
  ['delay osd.1', 'delay: upTo: Invalid input'],
  ['isolate osd.1 ways=none', 'ways=none: Invalid option: expected one of "both"|"deaf"|"mute"'],
  ['reset count=many', 'count=many: Invalid input: expected number'],
  [
    'focus client.0 client.1 object=o how=reading',
    'client.1: expected, after focus: client, object=..., how=..., for 30s',
  ],
  ['heal osd.2', 'osd.2: expected, after heal: for 30s'],
  ['crash "osd.2', 'a quote is not closed'],
  ['crash "osd"2', '"osd"2: expected one text in quotes'],
  ['command', 'command: expected a command, such as osd out 2'],
  ['command {"prefix":1}', 'command: command.prefix: Invalid input'],
])('of "%s" is said: %s', (text, complaint) => {
  let said = '';
  try {
    parseFault(text);
  } catch (error) {
    said = (error as Error).message;
  }

  expect(said).toContain(complaint);
});

const name = fc.oneof(
  fc.constantFrom(
    'osd.1',
    'rest',
    'for',
    'of',
    '|',
    'oneWay',
    'primary of 1.7',
    'acting of a b',
    'acting of for',
    '{',
    'x=1',
  ),
  fc.string({ minLength: 1 }),
);
/** As texts say it: one is no list. */
const whom = fc.oneof(name, fc.array(name, { minLength: 2, maxLength: 3 }));

/** Values that a schema takes. */
function valuesOf(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  if (schema === daemons) return whom;
  const def = schema._zod.def as unknown as Record<string, never> & { type: string };
  switch (def.type) {
    case 'pipe':
      // Spans of time.
      return fc.constantFrom('30s', '1.5m', '200ms', '7');
    case 'optional':
      return fc.option(valuesOf(def['innerType']!), { nil: undefined });
    case 'readonly':
      return valuesOf(def['innerType']!);
    case 'literal':
      return fc.constantFrom(...(def['values'] as unknown[]));
    case 'enum':
      return fc.constantFrom(...Object.values(def['entries'] as object));
    case 'boolean':
      return fc.boolean();
    case 'string':
      return name;
    case 'number':
      return fc.oneof(
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
      );
    case 'tuple':
      return fc.tuple(...(def['items'] as z.core.$ZodType[]).map(valuesOf));
    case 'array':
      return fc.array(valuesOf(def['element']!), { maxLength: 3 });
    case 'union':
      return fc.oneof(...(def['options'] as z.core.$ZodType[]).map(valuesOf));
    case 'object':
      return fc.record({ prefix: name, ids: fc.array(name), id: fc.nat() }, { requiredKeys: ['prefix'] });
    default:
      throw new Error(`no values for ${def.type}`);
  }
}

test.each(Object.keys(FAULT_SCHEMAS) as FaultKind[])('whatever the fields of %s say, its text is read back', (kind) => {
  const { shape } = FAULT_SCHEMAS[kind];
  const fields = Object.entries(shape).map(([field, schema]) => [field, valuesOf(schema)] as const);
  fc.assert(
    fc.property(fc.record(Object.fromEntries(fields)), (drawn) => {
      const checked = FAULT_SCHEMAS[kind].safeParse(drawn);
      fc.pre(checked.success);
      const fault = checked.data as Fault;

      expect(parseFault(describeFault(fault)).fault).toEqual(fault);
    }),
  );
});
