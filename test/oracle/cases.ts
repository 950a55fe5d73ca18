import fc from "fast-check";
import { anyCase, type Case } from "./arbitraries.ts";

const CHUNK = 500;

/** Endless different cases from a seed, the same ones for the same seed, a chunk at a time. */
export function* casesFrom(seed: number): Generator<Case, never> {
  for (let chunk = 0; ; chunk += 1) {
    yield* fc.sample(anyCase, { numRuns: CHUNK, seed: (seed * 1_000_003 + chunk) | 0 });
  }
}
