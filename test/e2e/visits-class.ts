import { type CalledObject, ClassError, type ObjectClass } from '@spirula/cli';

const EINVAL = -22;
const EDQUOT = -122;

/** How often each visitor came, in the omap: a counter that is read, checked and written in one step. */
function visitsOf(object: CalledObject, visitor: string): number {
  const stored = object.omapGet(visitor);
  return stored === undefined ? 0 : new DataView(stored.slice().buffer).getUint32(0);
}

export const visits: ObjectClass = {
  name: 'visits',
  methods: {
    /** Input: a name. EDQUOT: it has come three times already. */
    come: {
      reads: true,
      writes: true,
      run(object, input) {
        const visitor = String.fromCharCode(...input);
        if (visitor === '') throw new ClassError(EINVAL);
        const count = visitsOf(object, visitor) + 1;
        if (count > 3) throw new ClassError(EDQUOT);
        const value = new Uint8Array(4);
        new DataView(value.buffer).setUint32(0, count);
        object.omapSet(new Map([[visitor, value]]));
        return undefined;
      },
    },
    /** Input: a name. Answers how often it came, as text. */
    count: {
      reads: true,
      run: (object, input) => new TextEncoder().encode(String(visitsOf(object, String.fromCharCode(...input)))),
    },
  },
};
