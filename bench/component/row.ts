/** One line of the report. */

export interface Row {
  readonly name: string;
  readonly value: number;
  readonly min: number;
  readonly unit: string;
  /** Null where there is none. */
  readonly bar: number | null;
  readonly limitsOff: number;
  readonly limitsOffMin: number;
  readonly bestPeer: string | null;
  readonly bestPeerValue: number | null;
  readonly bestPeerMin: number | null;
  /** Every peer's value. */
  readonly peers: Readonly<Record<string, number>>;
}

export interface Sample {
  readonly contestant: string;
  readonly value: number;
  readonly min: number;
}

interface RowFacts {
  readonly name: string;
  readonly unit: string;
  readonly bar: number | null;
  /** Ours with limits, ours without, then the peers. */
  readonly samples: readonly Sample[];
}

export function rowOf({ name, unit, bar, samples }: RowFacts): Row {
  const [ours, off, ...peers] = samples;
  if (ours === undefined || off === undefined) throw new Error(`${name} was not measured`);
  const [best] = peers.toSorted((a, b) => a.value - b.value);
  return {
    name,
    value: rounded(ours.value),
    min: rounded(ours.min),
    unit,
    bar,
    limitsOff: rounded(off.value),
    limitsOffMin: rounded(off.min),
    bestPeer: best?.contestant ?? null,
    bestPeerValue: best === undefined ? null : rounded(best.value),
    bestPeerMin: best === undefined ? null : rounded(best.min),
    peers: Object.fromEntries(peers.map(({ contestant, value }) => [contestant, rounded(value)])),
  };
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
