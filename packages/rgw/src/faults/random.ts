/** The stream that chance in faults is drawn from: splitmix, 32 bits (Steele, Lea, Flood, "Fast splittable generators", 2014). */

const GOLDEN = 0x9e3779b9;

/** The next state, and a number in [0, 1). */
export function draw(state: number): readonly [state: number, value: number] {
  const next = (state + GOLDEN) >>> 0;
  let z = next;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return [next, ((z ^ (z >>> 15)) >>> 0) / 2 ** 32];
}
