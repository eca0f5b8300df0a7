/**
 * Names that are being looked up, so many at a time. The system's resolver goes on when nobody waits any more, and takes
 * its time: whoever asks and turns away at once must not make it do more than whoever waits.
 */

/** Addresses for a name, as text; rejects when there are none. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** As many names are being looked up as may be. */
export class TooManyLookups extends Error {
  constructor() {
    super("too many names are being looked up");
    this.name = "TooManyLookups";
  }
}

/** The same resolver, which rejects with `TooManyLookups` what would be one too many. */
export function boundedResolve(resolve: Resolve, pendingMax: number): Resolve {
  let pending = 0;
  return async (name) => {
    if (pending >= pendingMax) throw new TooManyLookups();
    pending++;
    try {
      return await resolve(name);
    } finally {
      pending--;
    }
  };
}
