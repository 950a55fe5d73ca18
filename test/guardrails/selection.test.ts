import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type LabelRequirement,
  type LabelSelector,
  labelSelector,
  labelsSelector,
  selects,
} from "../../analysis/index.ts";
import { mightSelect, selectionOf, selectsOthers } from "../../guardrails/selection.ts";

const RUNNER = { namespace: "keeperhub", pods: labelsSelector({ app: "runner" }) };
const of = (...requirements: LabelRequirement[]): LabelSelector => labelSelector(requirements);
const is = (key: string, ...values: string[]): LabelRequirement => ({ key, operator: "In", values });
const isNot = (key: string, ...values: string[]): LabelRequirement => ({ key, operator: "NotIn", values });
const has = (key: string): LabelRequirement => ({ key, operator: "Exists", values: [] });
const lacks = (key: string): LabelRequirement => ({ key, operator: "DoesNotExist", values: [] });

describe("which runner pods a policy selects", () => {
  it.each([
    ["every pod", of(), "every"],
    ["the runners", of(is("app", "runner")), "every"],
    ["the runners and others", of(is("app", "runner", "web")), "every"],
    ["any value of the label", of(has("app")), "every"],
    ["all but another app", of(isNot("app", "web")), "every"],
    ["pods with a label that Jobs add", of(has("job-name")), "some"],
    ["runners of a tier", of(is("app", "runner"), is("tier", "paid")), "some"],
    ["runners without a label", of(is("app", "runner"), lacks("debug")), "some"],
    ["pods whose other label has a value but not that", of(has("tier"), isNot("tier", "free")), "some"],
    ["another app", of(is("app", "web")), "none"],
    ["pods without the label", of(lacks("app")), "none"],
    ["the runners, by a key in another case", of(is("App", "runner"), has("app")), "some"],
    ["nothing at all", of(is("tier", "paid"), isNot("tier", "paid")), "none"],
    ["nothing, because a label has to be there and not", of(has("tier"), lacks("tier")), "none"],
  ] as const)("%s", (_, podSelector, expected) => {
    expect(selectionOf({ namespace: "keeperhub", podSelector }, RUNNER)).toBe(expected);
  });

  it("none in another namespace", () => {
    expect(selectionOf({ namespace: "other", podSelector: of() }, RUNNER)).toBe("none");
  });

  it.each([
    [of(is("app", "runner")), false],
    [of(is("app", "runner"), is("tier", "paid")), false],
    [of(is("app", "runner", "web")), true],
    [of(has("app")), true],
    [of(), true],
  ] as const)("tells whether others are selected too", (selector, expected) => {
    expect(selectsOthers(selector, { app: "runner" })).toBe(expected);
  });
});

describe("against every pod with a few labels", () => {
  const VALUES = ["a", "b", "c", undefined];
  const pods = VALUES.flatMap((x) =>
    VALUES.map((y) => ({ ...(x !== undefined && { x }), ...(y !== undefined && { y }) }) as Record<string, string>),
  );
  const requirement = fc.oneof(
    fc.record({
      key: fc.constantFrom("x", "y"),
      operator: fc.constantFrom("In" as const, "NotIn" as const),
      // One value of the pods' is never named, so that it stands for all others.
      values: fc.subarray(["a", "b"], { minLength: 1 }),
    }),
    fc.record({
      key: fc.constantFrom("x", "y"),
      operator: fc.constantFrom("Exists" as const, "DoesNotExist" as const),
      values: fc.constant([]),
    }),
  );
  const selector = fc.array(requirement, { maxLength: 4 }).map(labelSelector);

  it("a selector may select a pod exactly if one of them with the known labels is selected", () => {
    fc.assert(
      fc.property(
        selector,
        fc.constantFrom({}, { x: "a" }, { x: "c" }),
        (podSelector, known: Record<string, string>) => {
          const candidates = pods.filter((labels) =>
            Object.entries(known).every(([key, value]) => labels[key] === value),
          );
          expect(mightSelect(podSelector, labelsSelector(known))).toBe(
            candidates.some((labels) => selects(podSelector, labels)),
          );
        },
      ),
    );
  });

  it('"every" is never said of a selector that leaves one of them out', () => {
    fc.assert(
      fc.property(selector, (podSelector) => {
        const runner = { namespace: "keeperhub", pods: labelsSelector({ x: "a" }) };
        fc.pre(selectionOf({ namespace: "keeperhub", podSelector }, runner) === "every");
        expect(pods.filter(({ x }) => x === "a").every((labels) => selects(podSelector, labels))).toBe(true);
      }),
    );
  });
});
