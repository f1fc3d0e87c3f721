import { expect, test } from 'vitest';
import { dumps, dumpsSorted, Float } from './python-json.ts';

// What Python 3.11's json.dumps gives.
test('in one line, with what is not ASCII escaped, and numbers with a point', () => {
  const value = { a: [1, 2.5, new Float(1), new Float(0.25), null, true, 'é\u2028\u007f"\\\n'], b: {}, c: [] };

  expect(dumps(value)).toBe(
    '{"a": [1, 2.5, 1.0, 0.25, null, true, "\\u00e9\\u2028\\u007f\\"\\\\\\n"], "b": {}, "c": []}',
  );
});

test('indented, names in their order', () => {
  expect(dumpsSorted({ b: 1, a: [{ z: [], y: {} }] })).toBe(
    '{\n    "a": [\n        {\n            "y": {},\n            "z": []\n        }\n    ],\n    "b": 1\n}',
  );
});
