/** The fastest and the middle one of several times. */
export interface Times {
  readonly best: number;
  readonly median: number;
}

export function timesOf(values: readonly number[]): Times {
  const sorted = [...values].sort((a, b) => a - b);
  return { best: sorted[0] ?? Number.NaN, median: sorted[sorted.length >> 1] ?? Number.NaN };
}

/** Runs something several times, after as many runs that are not counted; milliseconds. */
export function measureMilliseconds(rounds: number, warmUp: number, work: () => void): Times {
  for (let round = 0; round < warmUp; round++) {
    work();
  }
  return timesOf(
    Array.from({ length: rounds }, () => {
      const start = performance.now();
      work();
      return performance.now() - start;
    }),
  );
}
