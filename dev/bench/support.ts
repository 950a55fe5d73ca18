/** A policy of the size that a list of unwanted networks has: the internet without `count` blocks of 128 addresses. */
export function exceptPolicy(count: number, leaveOut?: number): object {
  const excepts = Array.from(
    { length: count },
    (_, index) => `${11 + (index >> 15)}.${(index >> 7) & 255}.${(index & 127) * 2}.0/25`,
  );
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "excepts", namespace: "keeperhub" },
    spec: {
      podSelector: { matchLabels: { app: "workflow-runner" } },
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: excepts.filter((_, index) => index !== leaveOut) } }] }],
    },
  };
}

/** Pseudo-random 32-bit numbers, the same in every run. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    // xorshift32 (Marsaglia 2003).
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/**
 * How long several things take, in the same order: the fastest and the middle one of `rounds` runs of each, in seconds. They
 * take turns, so that whatever else the machine does meets all of them, and a first round, which fills caches, is not counted.
 */
export async function timesOf(
  rounds: number,
  things: readonly (() => unknown)[],
): Promise<{ readonly best: number; readonly median: number }[]> {
  const seconds = things.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, run] of things.entries()) {
      const start = performance.now();
      await run();
      if (round > 0) {
        seconds[index]?.push((performance.now() - start) / 1000);
      }
    }
  }
  return seconds.map((times) => {
    const sorted = times.sort((a, b) => a - b);
    return { best: sorted[0] ?? Number.NaN, median: sorted[sorted.length >> 1] ?? Number.NaN };
  });
}
