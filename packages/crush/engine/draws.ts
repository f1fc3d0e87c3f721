/**
 * straw2 (bucket_straw2_choose, crush/mapper.c): hashes of all items, sixteen at a time, since four chains of them side by side keep
 * the processor busy; then, in floats, what each straw is worth at least; then exactly among those that may have won: nearly always
 * that is one.
 *
 *   worth of an item = -ln / weight: the least wins, of equals the first. Here in units in which 1 is the unit of the integer division.
 */
import { SEED, X, Y } from './hash';
import { bucketIds, bucketInverse, bucketItems, bucketSize, bucketWeights, chains, hashes as hashesAt, isEven, LN, scores } from './memory';

/** Chains that are worked on at a time. */
const TOGETHER: i32 = 4;

/**
 * log2(m) - m + 1 of m in [1, 2) as a polynomial of the third degree, negated; C0 has besides what makes 16 - log2(u + 1) of it, less
 * ERROR. The bound holds for all 65,536 values, as a test makes sure.
 */
const ERROR: f32 = 0.0008;
const C0: f32 = 143 + 1.1536308922158038 - ERROR;
const C1: f32 = -2.0479019568947807;
const C2: f32 = 1.0518848192297425;
const C3: f32 = -0.1582503767217116;
/** From the least that it may be to the most. */
const SPREAD: f32 = 2 * ERROR;
/** What is rounded away on the way, and the unit by which quotients that round to the same differ. */
const ROUNDED: f32 = 1.000001;
const UNIT: f32 = 1;
/** Hashes that lie further apart have logarithms that lie further apart than the weight of an even bucket (`MAX_EVEN_WEIGHT`). */
const NEAR: i32 = 4;
/** Straws are worth nothing at best. */
const NOTHING: f32 = 8.6736174e-19;
const ULP: f32 = 1.1920929e-7;

/** Adds the chains of a draw behind `from`: four items each. Returns where the next begin. */
export function addChains(bucket: usize, x: i32, r: i32, from: i32): i32 {
  const end = from + chainsOf(bucket);
  let chain = i32x4.splat(r);
  chain = i32x4.replace_lane(chain, 0, bucketIds(bucket));
  chain = i32x4.replace_lane(chain, 1, bucketInverse(bucket));
  chain = i32x4.replace_lane(chain, 2, x);
  const next = i32x4(16, 16, 0, 0);
  for (let i = from; i < end; i++) {
    v128.store(chains + (<usize>i << 4), chain);
    chain = i32x4.add(chain, next);
  }
  return end;
}

export function chainsOf(bucket: usize): i32 {
  return (bucketSize(bucket) + 3) >> 2;
}

/** 16 - log2(u + 1) of each lane, at most SPREAD too small. */
// @ts-ignore: decorator
@inline
function least(u: v128): v128 {
  const value = f32x4.convert_i32x4_s(i32x4.add(u, i32x4.splat(1)));
  const mantissa = v128.or(v128.and(value, i32x4.splat(0x7fffff)), i32x4.splat(0x3f800000));
  const exponent = f32x4.mul(f32x4.convert_i32x4_s(value), f32x4.splat(ULP));
  let sum = f32x4.add(f32x4.mul(f32x4.splat(C3), mantissa), f32x4.splat(C2));
  sum = f32x4.add(f32x4.mul(sum, mantissa), f32x4.splat(C1));
  sum = f32x4.add(f32x4.mul(sum, mantissa), f32x4.splat(C0));
  return f32x4.pmax(f32x4.splat(NOTHING), f32x4.sub(sum, exponent));
}

/** For the bound to be checked. */
export function leastOf(u: i32): f32 {
  return f32x4.extract_lane(least(i32x4.splat(u)), 0);
}

export function spread(): f32 {
  return SPREAD;
}

/** Hashes of the first `count` chains: 16 bits of each. */
export function evaluate(count: i32): void {
  for (; (count & (TOGETHER - 1)) != 0; count++) {
    v128.store(chains + (<usize>count << 4), v128.load(chains + (<usize>(count - 1) << 4)));
  }
  const seed = i32x4.splat(SEED);
  const x = i32x4.splat(X);
  const y = i32x4.splat(Y);
  const low = i32x4.splat(0xffff);
  const end = chains + (<usize>count << 4);
  let hashes = hashesAt;
  for (let at = chains; at < end; at += 16 * TOGETHER) {
    let pa = v128.load32_splat(at, 8);
    let pb = v128.load(<usize>load<u32>(at, 0));
    let pc = v128.load32_splat(at, 12);
    let ph = v128.xor(v128.xor(seed, pa), v128.xor(pb, pc));
    let px = x;
    let py = y;
    let qa = v128.load32_splat(at, 24);
    let qb = v128.load(<usize>load<u32>(at, 16));
    let qc = v128.load32_splat(at, 28);
    let qh = v128.xor(v128.xor(seed, qa), v128.xor(qb, qc));
    let qx = x;
    let qy = y;
    let sa = v128.load32_splat(at, 40);
    let sb = v128.load(<usize>load<u32>(at, 32));
    let sc = v128.load32_splat(at, 44);
    let sh = v128.xor(v128.xor(seed, sa), v128.xor(sb, sc));
    let sx = x;
    let sy = y;
    let ta = v128.load32_splat(at, 56);
    let tb = v128.load(<usize>load<u32>(at, 48));
    let tc = v128.load32_splat(at, 60);
    let th = v128.xor(v128.xor(seed, ta), v128.xor(tb, tc));
    let tx = x;
    let ty = y;
    pa = v128.xor(i32x4.sub(i32x4.sub(pa, pb), ph), i32x4.shr_u(ph, 13));
    pb = v128.xor(i32x4.sub(i32x4.sub(pb, ph), pa), i32x4.shl(pa, 8));
    ph = v128.xor(i32x4.sub(i32x4.sub(ph, pa), pb), i32x4.shr_u(pb, 13));
    pa = v128.xor(i32x4.sub(i32x4.sub(pa, pb), ph), i32x4.shr_u(ph, 12));
    pb = v128.xor(i32x4.sub(i32x4.sub(pb, ph), pa), i32x4.shl(pa, 16));
    ph = v128.xor(i32x4.sub(i32x4.sub(ph, pa), pb), i32x4.shr_u(pb, 5));
    pa = v128.xor(i32x4.sub(i32x4.sub(pa, pb), ph), i32x4.shr_u(ph, 3));
    pb = v128.xor(i32x4.sub(i32x4.sub(pb, ph), pa), i32x4.shl(pa, 10));
    ph = v128.xor(i32x4.sub(i32x4.sub(ph, pa), pb), i32x4.shr_u(pb, 15));
    qa = v128.xor(i32x4.sub(i32x4.sub(qa, qb), qh), i32x4.shr_u(qh, 13));
    qb = v128.xor(i32x4.sub(i32x4.sub(qb, qh), qa), i32x4.shl(qa, 8));
    qh = v128.xor(i32x4.sub(i32x4.sub(qh, qa), qb), i32x4.shr_u(qb, 13));
    qa = v128.xor(i32x4.sub(i32x4.sub(qa, qb), qh), i32x4.shr_u(qh, 12));
    qb = v128.xor(i32x4.sub(i32x4.sub(qb, qh), qa), i32x4.shl(qa, 16));
    qh = v128.xor(i32x4.sub(i32x4.sub(qh, qa), qb), i32x4.shr_u(qb, 5));
    qa = v128.xor(i32x4.sub(i32x4.sub(qa, qb), qh), i32x4.shr_u(qh, 3));
    qb = v128.xor(i32x4.sub(i32x4.sub(qb, qh), qa), i32x4.shl(qa, 10));
    qh = v128.xor(i32x4.sub(i32x4.sub(qh, qa), qb), i32x4.shr_u(qb, 15));
    sa = v128.xor(i32x4.sub(i32x4.sub(sa, sb), sh), i32x4.shr_u(sh, 13));
    sb = v128.xor(i32x4.sub(i32x4.sub(sb, sh), sa), i32x4.shl(sa, 8));
    sh = v128.xor(i32x4.sub(i32x4.sub(sh, sa), sb), i32x4.shr_u(sb, 13));
    sa = v128.xor(i32x4.sub(i32x4.sub(sa, sb), sh), i32x4.shr_u(sh, 12));
    sb = v128.xor(i32x4.sub(i32x4.sub(sb, sh), sa), i32x4.shl(sa, 16));
    sh = v128.xor(i32x4.sub(i32x4.sub(sh, sa), sb), i32x4.shr_u(sb, 5));
    sa = v128.xor(i32x4.sub(i32x4.sub(sa, sb), sh), i32x4.shr_u(sh, 3));
    sb = v128.xor(i32x4.sub(i32x4.sub(sb, sh), sa), i32x4.shl(sa, 10));
    sh = v128.xor(i32x4.sub(i32x4.sub(sh, sa), sb), i32x4.shr_u(sb, 15));
    ta = v128.xor(i32x4.sub(i32x4.sub(ta, tb), th), i32x4.shr_u(th, 13));
    tb = v128.xor(i32x4.sub(i32x4.sub(tb, th), ta), i32x4.shl(ta, 8));
    th = v128.xor(i32x4.sub(i32x4.sub(th, ta), tb), i32x4.shr_u(tb, 13));
    ta = v128.xor(i32x4.sub(i32x4.sub(ta, tb), th), i32x4.shr_u(th, 12));
    tb = v128.xor(i32x4.sub(i32x4.sub(tb, th), ta), i32x4.shl(ta, 16));
    th = v128.xor(i32x4.sub(i32x4.sub(th, ta), tb), i32x4.shr_u(tb, 5));
    ta = v128.xor(i32x4.sub(i32x4.sub(ta, tb), th), i32x4.shr_u(th, 3));
    tb = v128.xor(i32x4.sub(i32x4.sub(tb, th), ta), i32x4.shl(ta, 10));
    th = v128.xor(i32x4.sub(i32x4.sub(th, ta), tb), i32x4.shr_u(tb, 15));
    pc = v128.xor(i32x4.sub(i32x4.sub(pc, px), ph), i32x4.shr_u(ph, 13));
    px = v128.xor(i32x4.sub(i32x4.sub(px, ph), pc), i32x4.shl(pc, 8));
    ph = v128.xor(i32x4.sub(i32x4.sub(ph, pc), px), i32x4.shr_u(px, 13));
    pc = v128.xor(i32x4.sub(i32x4.sub(pc, px), ph), i32x4.shr_u(ph, 12));
    px = v128.xor(i32x4.sub(i32x4.sub(px, ph), pc), i32x4.shl(pc, 16));
    ph = v128.xor(i32x4.sub(i32x4.sub(ph, pc), px), i32x4.shr_u(px, 5));
    pc = v128.xor(i32x4.sub(i32x4.sub(pc, px), ph), i32x4.shr_u(ph, 3));
    px = v128.xor(i32x4.sub(i32x4.sub(px, ph), pc), i32x4.shl(pc, 10));
    ph = v128.xor(i32x4.sub(i32x4.sub(ph, pc), px), i32x4.shr_u(px, 15));
    qc = v128.xor(i32x4.sub(i32x4.sub(qc, qx), qh), i32x4.shr_u(qh, 13));
    qx = v128.xor(i32x4.sub(i32x4.sub(qx, qh), qc), i32x4.shl(qc, 8));
    qh = v128.xor(i32x4.sub(i32x4.sub(qh, qc), qx), i32x4.shr_u(qx, 13));
    qc = v128.xor(i32x4.sub(i32x4.sub(qc, qx), qh), i32x4.shr_u(qh, 12));
    qx = v128.xor(i32x4.sub(i32x4.sub(qx, qh), qc), i32x4.shl(qc, 16));
    qh = v128.xor(i32x4.sub(i32x4.sub(qh, qc), qx), i32x4.shr_u(qx, 5));
    qc = v128.xor(i32x4.sub(i32x4.sub(qc, qx), qh), i32x4.shr_u(qh, 3));
    qx = v128.xor(i32x4.sub(i32x4.sub(qx, qh), qc), i32x4.shl(qc, 10));
    qh = v128.xor(i32x4.sub(i32x4.sub(qh, qc), qx), i32x4.shr_u(qx, 15));
    sc = v128.xor(i32x4.sub(i32x4.sub(sc, sx), sh), i32x4.shr_u(sh, 13));
    sx = v128.xor(i32x4.sub(i32x4.sub(sx, sh), sc), i32x4.shl(sc, 8));
    sh = v128.xor(i32x4.sub(i32x4.sub(sh, sc), sx), i32x4.shr_u(sx, 13));
    sc = v128.xor(i32x4.sub(i32x4.sub(sc, sx), sh), i32x4.shr_u(sh, 12));
    sx = v128.xor(i32x4.sub(i32x4.sub(sx, sh), sc), i32x4.shl(sc, 16));
    sh = v128.xor(i32x4.sub(i32x4.sub(sh, sc), sx), i32x4.shr_u(sx, 5));
    sc = v128.xor(i32x4.sub(i32x4.sub(sc, sx), sh), i32x4.shr_u(sh, 3));
    sx = v128.xor(i32x4.sub(i32x4.sub(sx, sh), sc), i32x4.shl(sc, 10));
    sh = v128.xor(i32x4.sub(i32x4.sub(sh, sc), sx), i32x4.shr_u(sx, 15));
    tc = v128.xor(i32x4.sub(i32x4.sub(tc, tx), th), i32x4.shr_u(th, 13));
    tx = v128.xor(i32x4.sub(i32x4.sub(tx, th), tc), i32x4.shl(tc, 8));
    th = v128.xor(i32x4.sub(i32x4.sub(th, tc), tx), i32x4.shr_u(tx, 13));
    tc = v128.xor(i32x4.sub(i32x4.sub(tc, tx), th), i32x4.shr_u(th, 12));
    tx = v128.xor(i32x4.sub(i32x4.sub(tx, th), tc), i32x4.shl(tc, 16));
    th = v128.xor(i32x4.sub(i32x4.sub(th, tc), tx), i32x4.shr_u(tx, 5));
    tc = v128.xor(i32x4.sub(i32x4.sub(tc, tx), th), i32x4.shr_u(th, 3));
    tx = v128.xor(i32x4.sub(i32x4.sub(tx, th), tc), i32x4.shl(tc, 10));
    th = v128.xor(i32x4.sub(i32x4.sub(th, tc), tx), i32x4.shr_u(tx, 15));
    py = v128.xor(i32x4.sub(i32x4.sub(py, pa), ph), i32x4.shr_u(ph, 13));
    pa = v128.xor(i32x4.sub(i32x4.sub(pa, ph), py), i32x4.shl(py, 8));
    ph = v128.xor(i32x4.sub(i32x4.sub(ph, py), pa), i32x4.shr_u(pa, 13));
    py = v128.xor(i32x4.sub(i32x4.sub(py, pa), ph), i32x4.shr_u(ph, 12));
    pa = v128.xor(i32x4.sub(i32x4.sub(pa, ph), py), i32x4.shl(py, 16));
    ph = v128.xor(i32x4.sub(i32x4.sub(ph, py), pa), i32x4.shr_u(pa, 5));
    py = v128.xor(i32x4.sub(i32x4.sub(py, pa), ph), i32x4.shr_u(ph, 3));
    pa = v128.xor(i32x4.sub(i32x4.sub(pa, ph), py), i32x4.shl(py, 10));
    ph = v128.xor(i32x4.sub(i32x4.sub(ph, py), pa), i32x4.shr_u(pa, 15));
    qy = v128.xor(i32x4.sub(i32x4.sub(qy, qa), qh), i32x4.shr_u(qh, 13));
    qa = v128.xor(i32x4.sub(i32x4.sub(qa, qh), qy), i32x4.shl(qy, 8));
    qh = v128.xor(i32x4.sub(i32x4.sub(qh, qy), qa), i32x4.shr_u(qa, 13));
    qy = v128.xor(i32x4.sub(i32x4.sub(qy, qa), qh), i32x4.shr_u(qh, 12));
    qa = v128.xor(i32x4.sub(i32x4.sub(qa, qh), qy), i32x4.shl(qy, 16));
    qh = v128.xor(i32x4.sub(i32x4.sub(qh, qy), qa), i32x4.shr_u(qa, 5));
    qy = v128.xor(i32x4.sub(i32x4.sub(qy, qa), qh), i32x4.shr_u(qh, 3));
    qa = v128.xor(i32x4.sub(i32x4.sub(qa, qh), qy), i32x4.shl(qy, 10));
    qh = v128.xor(i32x4.sub(i32x4.sub(qh, qy), qa), i32x4.shr_u(qa, 15));
    sy = v128.xor(i32x4.sub(i32x4.sub(sy, sa), sh), i32x4.shr_u(sh, 13));
    sa = v128.xor(i32x4.sub(i32x4.sub(sa, sh), sy), i32x4.shl(sy, 8));
    sh = v128.xor(i32x4.sub(i32x4.sub(sh, sy), sa), i32x4.shr_u(sa, 13));
    sy = v128.xor(i32x4.sub(i32x4.sub(sy, sa), sh), i32x4.shr_u(sh, 12));
    sa = v128.xor(i32x4.sub(i32x4.sub(sa, sh), sy), i32x4.shl(sy, 16));
    sh = v128.xor(i32x4.sub(i32x4.sub(sh, sy), sa), i32x4.shr_u(sa, 5));
    sy = v128.xor(i32x4.sub(i32x4.sub(sy, sa), sh), i32x4.shr_u(sh, 3));
    sa = v128.xor(i32x4.sub(i32x4.sub(sa, sh), sy), i32x4.shl(sy, 10));
    sh = v128.xor(i32x4.sub(i32x4.sub(sh, sy), sa), i32x4.shr_u(sa, 15));
    ty = v128.xor(i32x4.sub(i32x4.sub(ty, ta), th), i32x4.shr_u(th, 13));
    ta = v128.xor(i32x4.sub(i32x4.sub(ta, th), ty), i32x4.shl(ty, 8));
    th = v128.xor(i32x4.sub(i32x4.sub(th, ty), ta), i32x4.shr_u(ta, 13));
    ty = v128.xor(i32x4.sub(i32x4.sub(ty, ta), th), i32x4.shr_u(th, 12));
    ta = v128.xor(i32x4.sub(i32x4.sub(ta, th), ty), i32x4.shl(ty, 16));
    th = v128.xor(i32x4.sub(i32x4.sub(th, ty), ta), i32x4.shr_u(ta, 5));
    ty = v128.xor(i32x4.sub(i32x4.sub(ty, ta), th), i32x4.shr_u(th, 3));
    ta = v128.xor(i32x4.sub(i32x4.sub(ta, th), ty), i32x4.shl(ty, 10));
    th = v128.xor(i32x4.sub(i32x4.sub(th, ty), ta), i32x4.shr_u(ta, 15));
    pb = v128.xor(i32x4.sub(i32x4.sub(pb, px), ph), i32x4.shr_u(ph, 13));
    px = v128.xor(i32x4.sub(i32x4.sub(px, ph), pb), i32x4.shl(pb, 8));
    ph = v128.xor(i32x4.sub(i32x4.sub(ph, pb), px), i32x4.shr_u(px, 13));
    pb = v128.xor(i32x4.sub(i32x4.sub(pb, px), ph), i32x4.shr_u(ph, 12));
    px = v128.xor(i32x4.sub(i32x4.sub(px, ph), pb), i32x4.shl(pb, 16));
    ph = v128.xor(i32x4.sub(i32x4.sub(ph, pb), px), i32x4.shr_u(px, 5));
    pb = v128.xor(i32x4.sub(i32x4.sub(pb, px), ph), i32x4.shr_u(ph, 3));
    px = v128.xor(i32x4.sub(i32x4.sub(px, ph), pb), i32x4.shl(pb, 10));
    ph = v128.xor(i32x4.sub(i32x4.sub(ph, pb), px), i32x4.shr_u(px, 15));
    qb = v128.xor(i32x4.sub(i32x4.sub(qb, qx), qh), i32x4.shr_u(qh, 13));
    qx = v128.xor(i32x4.sub(i32x4.sub(qx, qh), qb), i32x4.shl(qb, 8));
    qh = v128.xor(i32x4.sub(i32x4.sub(qh, qb), qx), i32x4.shr_u(qx, 13));
    qb = v128.xor(i32x4.sub(i32x4.sub(qb, qx), qh), i32x4.shr_u(qh, 12));
    qx = v128.xor(i32x4.sub(i32x4.sub(qx, qh), qb), i32x4.shl(qb, 16));
    qh = v128.xor(i32x4.sub(i32x4.sub(qh, qb), qx), i32x4.shr_u(qx, 5));
    qb = v128.xor(i32x4.sub(i32x4.sub(qb, qx), qh), i32x4.shr_u(qh, 3));
    qx = v128.xor(i32x4.sub(i32x4.sub(qx, qh), qb), i32x4.shl(qb, 10));
    qh = v128.xor(i32x4.sub(i32x4.sub(qh, qb), qx), i32x4.shr_u(qx, 15));
    sb = v128.xor(i32x4.sub(i32x4.sub(sb, sx), sh), i32x4.shr_u(sh, 13));
    sx = v128.xor(i32x4.sub(i32x4.sub(sx, sh), sb), i32x4.shl(sb, 8));
    sh = v128.xor(i32x4.sub(i32x4.sub(sh, sb), sx), i32x4.shr_u(sx, 13));
    sb = v128.xor(i32x4.sub(i32x4.sub(sb, sx), sh), i32x4.shr_u(sh, 12));
    sx = v128.xor(i32x4.sub(i32x4.sub(sx, sh), sb), i32x4.shl(sb, 16));
    sh = v128.xor(i32x4.sub(i32x4.sub(sh, sb), sx), i32x4.shr_u(sx, 5));
    sb = v128.xor(i32x4.sub(i32x4.sub(sb, sx), sh), i32x4.shr_u(sh, 3));
    sx = v128.xor(i32x4.sub(i32x4.sub(sx, sh), sb), i32x4.shl(sb, 10));
    sh = v128.xor(i32x4.sub(i32x4.sub(sh, sb), sx), i32x4.shr_u(sx, 15));
    tb = v128.xor(i32x4.sub(i32x4.sub(tb, tx), th), i32x4.shr_u(th, 13));
    tx = v128.xor(i32x4.sub(i32x4.sub(tx, th), tb), i32x4.shl(tb, 8));
    th = v128.xor(i32x4.sub(i32x4.sub(th, tb), tx), i32x4.shr_u(tx, 13));
    tb = v128.xor(i32x4.sub(i32x4.sub(tb, tx), th), i32x4.shr_u(th, 12));
    tx = v128.xor(i32x4.sub(i32x4.sub(tx, th), tb), i32x4.shl(tb, 16));
    th = v128.xor(i32x4.sub(i32x4.sub(th, tb), tx), i32x4.shr_u(tx, 5));
    tb = v128.xor(i32x4.sub(i32x4.sub(tb, tx), th), i32x4.shr_u(th, 3));
    tx = v128.xor(i32x4.sub(i32x4.sub(tx, th), tb), i32x4.shl(tb, 10));
    th = v128.xor(i32x4.sub(i32x4.sub(th, tb), tx), i32x4.shr_u(tx, 15));
    py = v128.xor(i32x4.sub(i32x4.sub(py, pc), ph), i32x4.shr_u(ph, 13));
    pc = v128.xor(i32x4.sub(i32x4.sub(pc, ph), py), i32x4.shl(py, 8));
    ph = v128.xor(i32x4.sub(i32x4.sub(ph, py), pc), i32x4.shr_u(pc, 13));
    py = v128.xor(i32x4.sub(i32x4.sub(py, pc), ph), i32x4.shr_u(ph, 12));
    pc = v128.xor(i32x4.sub(i32x4.sub(pc, ph), py), i32x4.shl(py, 16));
    ph = v128.xor(i32x4.sub(i32x4.sub(ph, py), pc), i32x4.shr_u(pc, 5));
    py = v128.xor(i32x4.sub(i32x4.sub(py, pc), ph), i32x4.shr_u(ph, 3));
    pc = v128.xor(i32x4.sub(i32x4.sub(pc, ph), py), i32x4.shl(py, 10));
    ph = v128.xor(i32x4.sub(i32x4.sub(ph, py), pc), i32x4.shr_u(pc, 15));
    qy = v128.xor(i32x4.sub(i32x4.sub(qy, qc), qh), i32x4.shr_u(qh, 13));
    qc = v128.xor(i32x4.sub(i32x4.sub(qc, qh), qy), i32x4.shl(qy, 8));
    qh = v128.xor(i32x4.sub(i32x4.sub(qh, qy), qc), i32x4.shr_u(qc, 13));
    qy = v128.xor(i32x4.sub(i32x4.sub(qy, qc), qh), i32x4.shr_u(qh, 12));
    qc = v128.xor(i32x4.sub(i32x4.sub(qc, qh), qy), i32x4.shl(qy, 16));
    qh = v128.xor(i32x4.sub(i32x4.sub(qh, qy), qc), i32x4.shr_u(qc, 5));
    qy = v128.xor(i32x4.sub(i32x4.sub(qy, qc), qh), i32x4.shr_u(qh, 3));
    qc = v128.xor(i32x4.sub(i32x4.sub(qc, qh), qy), i32x4.shl(qy, 10));
    qh = v128.xor(i32x4.sub(i32x4.sub(qh, qy), qc), i32x4.shr_u(qc, 15));
    sy = v128.xor(i32x4.sub(i32x4.sub(sy, sc), sh), i32x4.shr_u(sh, 13));
    sc = v128.xor(i32x4.sub(i32x4.sub(sc, sh), sy), i32x4.shl(sy, 8));
    sh = v128.xor(i32x4.sub(i32x4.sub(sh, sy), sc), i32x4.shr_u(sc, 13));
    sy = v128.xor(i32x4.sub(i32x4.sub(sy, sc), sh), i32x4.shr_u(sh, 12));
    sc = v128.xor(i32x4.sub(i32x4.sub(sc, sh), sy), i32x4.shl(sy, 16));
    sh = v128.xor(i32x4.sub(i32x4.sub(sh, sy), sc), i32x4.shr_u(sc, 5));
    sy = v128.xor(i32x4.sub(i32x4.sub(sy, sc), sh), i32x4.shr_u(sh, 3));
    sc = v128.xor(i32x4.sub(i32x4.sub(sc, sh), sy), i32x4.shl(sy, 10));
    sh = v128.xor(i32x4.sub(i32x4.sub(sh, sy), sc), i32x4.shr_u(sc, 15));
    ty = v128.xor(i32x4.sub(i32x4.sub(ty, tc), th), i32x4.shr_u(th, 13));
    tc = v128.xor(i32x4.sub(i32x4.sub(tc, th), ty), i32x4.shl(ty, 8));
    th = v128.xor(i32x4.sub(i32x4.sub(th, ty), tc), i32x4.shr_u(tc, 13));
    ty = v128.xor(i32x4.sub(i32x4.sub(ty, tc), th), i32x4.shr_u(th, 12));
    tc = v128.xor(i32x4.sub(i32x4.sub(tc, th), ty), i32x4.shl(ty, 16));
    th = v128.xor(i32x4.sub(i32x4.sub(th, ty), tc), i32x4.shr_u(tc, 5));
    ty = v128.xor(i32x4.sub(i32x4.sub(ty, tc), th), i32x4.shr_u(th, 3));
    tc = v128.xor(i32x4.sub(i32x4.sub(tc, th), ty), i32x4.shl(ty, 10));
    th = v128.xor(i32x4.sub(i32x4.sub(th, ty), tc), i32x4.shr_u(tc, 15));
    ph = v128.and(ph, low);
    v128.store(hashes, ph, 0);
    qh = v128.and(qh, low);
    v128.store(hashes, qh, 16);
    sh = v128.and(sh, low);
    v128.store(hashes, sh, 32);
    th = v128.and(th, low);
    v128.store(hashes, th, 48);
    hashes += 16 * TOGETHER;
  }
}

/** Which item was drawn, of a bucket whose chains begin at `first`. */
export function decide(bucket: usize, first: i32): i32 {
  return isEven(bucket) ? decideEven(bucket, first) : decideByWorth(bucket, first);
}

function decideByWorth(bucket: usize, first: i32): i32 {
  const count = chainsOf(bucket);
  const inverse = <usize>bucketInverse(bucket);
  const hashes = hashesAt + (<usize>first << 4);
  let most = f32x4.splat(Infinity);
  for (let i: i32 = 0; i < count; i++) {
    const at = <usize>i << 4;
    const inverses = v128.load(inverse + at);
    const score = f32x4.mul(least(v128.load(hashes + at)), inverses);
    v128.store(scores + at, score);
    most = f32x4.pmin(most, f32x4.add(score, f32x4.mul(f32x4.splat(SPREAD), inverses)));
  }
  most = f32x4.pmin(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  most = f32x4.pmin(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2));
  const bound = f32x4.extract_lane(most, 0);
  const items = <usize>bucketItems(bucket);
  // None has a weight.
  if (bound == Infinity) return load<i32>(items);
  const limit = f32x4.splat(bound * ROUNDED + UNIT);
  let mask: i32 = 0;
  let chosen: i32 = -1;
  let longest: f64 = -Infinity;
  for (let i: i32 = 0; i < count; i += 8) {
    const end = min(8, count - i);
    mask = 0;
    for (let j: i32 = 0; j < end; j++) {
      mask |= i32x4.bitmask(f32x4.le(v128.load(scores + (<usize>(i + j) << 4)), limit)) << (j << 2);
    }
    if (count <= 8 && (mask & (mask - 1)) == 0) return load<i32>(items + (<usize>ctz(mask) << 2));
    for (; mask != 0; mask &= mask - 1) {
      const k = (i << 2) + ctz(mask);
      const draw = drawOf(bucket, hashes, k);
      if (draw <= longest) continue;
      chosen = k;
      longest = draw;
    }
  }
  return load<i32>(items + (<usize>chosen << 2));
}

/** Of equal weights the largest hash wins, or one so near it that logarithms, or their quotients, may be the same or out of order. */
function decideEven(bucket: usize, first: i32): i32 {
  const count = chainsOf(bucket);
  const hashes = hashesAt + (<usize>first << 4);
  const last = hashes + (<usize>(count - 1) << 4);
  const missing = i32x4.ge_s(i32x4(0, 1, 2, 3), i32x4.splat(bucketSize(bucket) - ((count - 1) << 2)));
  v128.store(last, v128.bitselect(i32x4.splat(i32.MIN_VALUE), v128.load(last), missing));
  let largest = v128.load(hashes);
  for (let i: i32 = 1; i < count; i++) largest = i32x4.max_s(largest, v128.load(hashes + (<usize>i << 4)));
  largest = i32x4.max_s(largest, v128.shuffle<i32>(largest, largest, 2, 3, 0, 1));
  largest = i32x4.max_s(largest, v128.shuffle<i32>(largest, largest, 1, 0, 3, 2));
  const limit = i32x4.sub(largest, i32x4.splat(NEAR));
  const items = <usize>bucketItems(bucket);
  let chosen: i32 = -1;
  let longest: f64 = -Infinity;
  for (let i: i32 = 0; i < count; i += 8) {
    const end = min(8, count - i);
    let mask: i32 = 0;
    for (let j: i32 = 0; j < end; j++) {
      mask |= i32x4.bitmask(i32x4.ge_s(v128.load(hashes + (<usize>(i + j) << 4)), limit)) << (j << 2);
    }
    if (count <= 8 && (mask & (mask - 1)) == 0) return load<i32>(items + (<usize>ctz(mask) << 2));
    for (; mask != 0; mask &= mask - 1) {
      const k = (i << 2) + ctz(mask);
      const draw = drawOf(bucket, hashes, k);
      if (draw <= longest) continue;
      chosen = k;
      longest = draw;
    }
  }
  return load<i32>(items + (<usize>chosen << 2));
}

/** Exactly: ln / weight, truncated. */
function drawOf(bucket: usize, hashes: usize, k: i32): f64 {
  const at = <usize>k << 2;
  const ln = load<f64>(LN + (<usize>load<i32>(hashes + at) << 3));
  return Math.trunc(ln / <f64>load<i32>(<usize>bucketWeights(bucket) + at));
}
