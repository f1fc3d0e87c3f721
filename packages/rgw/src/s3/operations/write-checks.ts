/** Conditions of requests, held against the object that is there. */
import { etagOf, type Head } from '../../store/head.ts';
import {
  type Conditions,
  checkExpectedState,
  checkMarkerConditions,
  checkWriteConditions,
  type ExpectedState,
} from '../conditions.ts';

export function stateOf(head: Head) {
  return { etag: etagOf(head), mtime: head.mtime };
}

function hasConditions({ ifMatch, ifNoneMatch, ifUnmodifiedSince }: Conditions): boolean {
  return ifMatch !== undefined || ifNoneMatch !== undefined || ifUnmodifiedSince !== undefined;
}

/** Undefined: whatever is there may go. */
export function removalCheck(
  conditions: Conditions,
  expected: ExpectedState,
): ((head: Head | undefined) => void) | undefined {
  if (!hasConditions(conditions) && Object.values(expected).every((each) => each === undefined)) return undefined;
  return (head) => {
    // A delete marker: it is there, and that is all.
    if (!head) return checkMarkerConditions(conditions, expected);
    checkWriteConditions(conditions, stateOf(head));
    checkExpectedState(expected, { ...stateOf(head), size: head.size });
  };
}

/** A write without conditions need not look again when another gets in its way. */
export function checkOf(conditions: Conditions): { readonly check?: (found: Head | undefined) => void } {
  if (!hasConditions(conditions)) return {};
  return { check: (found) => checkWriteConditions(conditions, found && stateOf(found)) };
}
