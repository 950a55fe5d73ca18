import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatSelector,
  type LabelRequirement,
  type Labels,
  labelSelector,
  labelsSelector,
  selects,
} from "../../../analysis/index.ts";
import { labelWorlds } from "../../../analysis/reach/labelWorlds.ts";
import { selector } from "../../support/labelArbitraries.ts";

/** Every pod with labels x and y of these values or without them; "other" is a value that no selector names. */
const PODS: readonly Labels[] = ["a", "b", "other", undefined].flatMap((x) =>
  ["a", "b", "other", undefined].map((y) => ({ ...(x !== undefined && { x }), ...(y !== undefined && { y }) })),
);

const of = (...requirements: LabelRequirement[]) => labelSelector(requirements);
const is = (key: string, ...values: string[]): LabelRequirement => ({ key, operator: "In", values });
const has = (key: string): LabelRequirement => ({ key, operator: "Exists", values: [] });
const told = (...args: Parameters<typeof labelWorlds>) =>
  labelWorlds(...args).worlds.map(({ selected, labels }) => `${[...selected].join()} ${formatSelector(labels)}`);

describe("which selectors select the same pod", () => {
  it("finds exactly the combinations that one of all pods satisfies, and labels that show it", () => {
    fc.assert(
      fc.property(fc.array(selector, { maxLength: 4 }), selector, (selectors, pods) => {
        const chosen = (labels: Labels) =>
          [...selectors.keys()].filter((index) => selects(selectors[index] as (typeof selectors)[0], labels)).join();
        const { worlds, isComplete } = labelWorlds(selectors, pods);
        expect(isComplete).toBe(true);
        const candidates = PODS.filter((labels) => selects(pods, labels));
        expect(worlds.map(({ selected }) => [...selected].join()).sort()).toEqual(
          [...new Set(candidates.map(chosen))].sort(),
        );
        for (const { selected, labels } of worlds) {
          const meant = candidates.filter((candidate) => selects(labels, candidate));
          expect(meant.length).toBeGreaterThan(0);
          expect(new Set(meant.map(chosen))).toEqual(new Set([[...selected].join()]));
        }
      }),
    );
  });

  it("says nothing of labels on which the selectors agree", () => {
    expect(told([of(has("app"))], labelsSelector({ app: "runner" }))).toEqual(["0 "]);
    expect(told([of(is("tier", "paid")), of(is("tier", "free"))], labelsSelector({ app: "runner" }))).toEqual([
      " !tier",
      "1 tier=free",
      "0 tier=paid",
    ]);
  });

  it("stops at a bound and says so", () => {
    const selectors = Array.from({ length: 9 }, (_, index) => of(has(`key${index}`)));
    expect(labelWorlds(selectors, of(), 512)).toMatchObject({ isComplete: true, worlds: { length: 512 } });
    expect(labelWorlds(selectors, of())).toMatchObject({ isComplete: false, worlds: { length: 256 } });
    // Thirty policies by the values of one label are thirty-one combinations.
    const names = Array.from({ length: 30 }, (_, index) => of(is("name", `app-${index}`)));
    expect(labelWorlds(names, of())).toMatchObject({ isComplete: true, worlds: { length: 31 } });
  });
});
