import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyCase } from "../oracle/arbitraries.ts";
import { compareChange, compareVerdicts, SEMANTICS_NAMES } from "../oracle/compare.ts";

// Fixed, so that a run means the same every time; `npm run agreement` looks further with other seeds.
const SEED = 20261124;

describe.each(SEMANTICS_NAMES)("under %s semantics", (semantics) => {
  it("2,000 random policy sets have the slow evaluator's verdict at every boundary", () => {
    let points = 0;
    fc.assert(
      fc.property(anyCase, (subject) => {
        const compared = compareVerdicts(subject, semantics, 1);
        points += compared.points;
        expect(compared.disagreement).toBeUndefined();
      }),
      { numRuns: 2000, seed: SEED },
    );
    // Most sets must have been compared at all: not refused, and not given up by the agent.
    expect(points).toBeGreaterThan(2000 * 50);
  });

  it("changes count exactly the pairs that brute force counts", () => {
    fc.assert(
      fc.property(anyCase, anyCase, (before, after) => {
        expect(compareChange(before, after.policies, semantics)).toBeUndefined();
      }),
      { numRuns: 60, seed: SEED },
    );
  });
});
