/** Work that is begun before it is its turn, so many pieces at once, and answered in its order (common/Throttle.h, OrderedThrottle). */
export async function* ahead<T>(
  pieces: Iterable<() => Promise<T>>,
  atOnce: number,
): AsyncGenerator<T, void, undefined> {
  const begun: Promise<T>[] = [];
  for (const begin of pieces) {
    const piece = begin();
    // Whoever takes it sees how it fails; it may be another that fails first.
    piece.catch(() => {});
    begun.push(piece);
    if (begun.length >= atOnce) yield await begun.shift()!;
  }
  while (begun.length > 0) yield await begun.shift()!;
}

/** rbd_concurrent_management_ops */
export const OPERATIONS_AT_ONCE = 10;

/** Each piece is begun as soon as fewer than `atOnce` are under way. @throws what the first that fails throws */
export async function allOf(pieces: Iterable<() => Promise<void>>, atOnce = OPERATIONS_AT_ONCE): Promise<void> {
  const waiting = pieces[Symbol.iterator]();
  let hasFailed = false;
  const worker = async () => {
    for (let next = waiting.next(); !next.done && !hasFailed; next = waiting.next()) {
      try {
        await next.value();
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
