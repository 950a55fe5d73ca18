import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assess,
  FEWEST_ATTEMPTS,
  type ProbeVerdict,
  type Sighting,
  sightingOf,
  VERDICTS,
} from "../../../tools/verify/verdicts.ts";

const SIGHTINGS = [
  "connected",
  "refused",
  "timeout",
  "unreachable",
  "unstable",
  "none",
  "error",
] as const satisfies Sighting[];

/** Rows are what the control met, columns what the runner met, in the order of SIGHTINGS. */
const TABLE: Record<Sighting, readonly ProbeVerdict[]> = {
  connected: ["allowed", "rejected", "denied", "inconsistent", "inconsistent", "error", "error"],
  refused: ["allowed", "allowed", "denied", "inconsistent", "inconsistent", "error", "error"],
  timeout: ["inconsistent", "inconsistent", "inconclusive", "inconclusive", "inconclusive", "error", "error"],
  unreachable: ["inconsistent", "inconsistent", "inconclusive", "inconclusive", "inconclusive", "error", "error"],
  unstable: ["allowed", "inconclusive", "inconclusive", "inconclusive", "inconclusive", "error", "error"],
  none: ["error", "error", "error", "error", "error", "error", "error"],
  error: ["error", "error", "error", "error", "error", "error", "error"],
};

describe("the verdict table", () => {
  it.each(
    SIGHTINGS.flatMap((control) =>
      SIGHTINGS.map((runner, column) => [control, runner, TABLE[control][column]] as const),
    ),
  )("control %s, runner %s: %s", (control, runner, verdict) => {
    expect(VERDICTS[control][runner].verdict).toBe(verdict);
  });

  it("proves a denial only by the runner's silence where the control is answered", () => {
    const proofs = SIGHTINGS.flatMap((control) =>
      SIGHTINGS.filter((runner) => VERDICTS[control][runner].verdict === "denied").map(
        (runner) => `${control}/${runner}`,
      ),
    );
    expect(proofs).toEqual(["connected/timeout", "refused/timeout"]);
  });

  it("says the reason of each cell in a sentence", () => {
    expect(VERDICTS.timeout.timeout.because).toMatch(/dead host/);
    expect(VERDICTS.connected.refused.because).toMatch(/something in between/);
    expect(VERDICTS.refused.refused.because).toMatch(/nobody listens/);
  });
});

describe("assess", () => {
  it.each<[ProbeVerdict, string, string, string]>([
    // verdict, when allow, when deny, when order-dependent
    ["allowed", "as-expected", "contradicted", "inconclusive"],
    ["denied", "contradicted", "as-expected", "inconclusive"],
    ["rejected", "contradicted", "contradicted", "contradicted"],
    ["inconsistent", "contradicted", "contradicted", "contradicted"],
    ["inconclusive", "inconclusive", "inconclusive", "inconclusive"],
    ["error", "inconclusive", "inconclusive", "inconclusive"],
  ])("%s: expected allow %s, deny %s, order-dependent %s", (verdict, allow, deny, either) => {
    const judged = { verdict, because: "" };
    expect([assess("allow", judged), assess("deny", judged), assess("order-dependent", judged)]).toEqual([
      allow,
      deny,
      either,
    ]);
  });
});

describe("sightingOf", () => {
  const of = (...outcomes: ("connected" | "refused" | "timeout" | "unreachable" | "error")[]) =>
    sightingOf(outcomes.map((outcome) => ({ outcome })));

  it.each([
    [of("timeout", "timeout"), "timeout"],
    [of("timeout"), "none"],
    [of(), "none"],
    [of("connected", "timeout"), "unstable"],
    [of("timeout", "refused", "timeout"), "unstable"],
    [of("connected", "refused"), "connected"],
    [of("refused", "refused"), "refused"],
    [of("unreachable", "unreachable"), "unreachable"],
    [of("unreachable", "timeout"), "unreachable"],
    [of("connected", "error"), "error"],
    [of("error"), "error"],
  ])("%s is %s", (sighting, expected) => {
    expect(sighting).toBe(expected);
  });

  const outcome = fc.constantFrom("connected", "refused", "timeout", "unreachable", "error");

  it("never gives a denial or a pass from fewer attempts than two, from an error, or from silence of the control", () => {
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 6 }), fc.array(outcome, { maxLength: 6 }), (control, runner) => {
        const judged = VERDICTS[of(...control)][of(...runner)];
        const pass = assess("allow", judged) === "as-expected" || assess("deny", judged) === "as-expected";
        if (pass) {
          expect(runner.length).toBeGreaterThanOrEqual(FEWEST_ATTEMPTS);
          expect([...control, ...runner]).not.toContain("error");
          expect(control.some((each) => each === "connected" || each === "refused")).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("does not depend on the order of attempts", () => {
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 6 }), (outcomes) => {
        expect(of(...[...outcomes].reverse())).toBe(of(...outcomes));
      }),
    );
  });
});
