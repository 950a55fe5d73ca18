import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  areDisjoint,
  formatSelector,
  isNarrowerSelector,
  type LabelRequirement,
  labelSelector,
  selects,
} from "../../analysis/index.ts";

const requirement = (text: string): LabelRequirement => {
  const match = /^(!?)(\w+)(?: (in|notin) \((.*)\))?$/.exec(text);
  const [, not, key = "", word, values] = match ?? [];
  const operator = word === "in" ? "In" : word === "notin" ? "NotIn" : not === "!" ? "DoesNotExist" : "Exists";
  return { key, operator, values: values?.split(",") ?? [] };
};
const selector = (...texts: string[]) => labelSelector(texts.map(requirement));

const labels = fc.dictionary(fc.constantFrom("a", "b"), fc.constantFrom("1", "2", "3"));
const anySelector = fc
  .array(
    fc
      .record({
        key: fc.constantFrom("a", "b"),
        operator: fc.constantFrom("In", "NotIn", "Exists", "DoesNotExist"),
        values: fc.subarray(["1", "2", "3"], { minLength: 1 }),
      })
      .map(
        ({ key, operator, values }): LabelRequirement => ({
          key,
          operator: operator as "In",
          values: operator.endsWith("In") ? values : [],
        }),
      ),
    { maxLength: 3 },
  )
  .map(labelSelector);

describe("selects", () => {
  it.each([
    ["a in (1,2)", { a: "1" }, true],
    ["a in (1,2)", { a: "3" }, false],
    ["a in (1,2)", {}, false],
    ["a notin (1)", { a: "2" }, true],
    ["a notin (1)", { a: "1" }, false],
    ["a notin (1)", {}, true],
    ["a", { a: "" }, true],
    ["a", { b: "" }, false],
    ["!a", { b: "" }, true],
    ["!a", { a: "x" }, false],
    ["toString", {}, false],
  ])("%s on %j: %s", (text, labels, expected) => {
    expect(selects(selector(text), labels)).toBe(expected);
  });

  it("wants every requirement, and takes everything without any", () => {
    expect(selects(selector("a in (1)", "!b"), { a: "1" })).toBe(true);
    expect(selects(selector("a in (1)", "!b"), { a: "1", b: "" })).toBe(false);
    expect(selects(selector(), { a: "1" })).toBe(true);
  });
});

describe("isNarrowerSelector", () => {
  it.each([
    ["a in (1)", "a in (1,2)", true],
    ["a in (1,3)", "a in (1,2)", false],
    ["a in (1)", "a", true],
    ["a", "a in (1)", false],
    ["a", "a", true],
    ["a in (1)", "a notin (2)", true],
    ["a in (1,2)", "a notin (2)", false],
    ["a notin (1,2)", "a notin (2)", true],
    ["a notin (2)", "a notin (1,2)", false],
    ["!a", "a notin (1)", true],
    ["!a", "!a", true],
    ["a notin (1)", "!a", false],
    ["a in (1)", "b in (1)", false],
  ])("%s inside %s: %s", (narrow, wide, expected) => {
    expect(isNarrowerSelector(selector(narrow), selector(wide))).toBe(expected);
  });

  it("is right whenever it says yes, whatever the labels", () => {
    fc.assert(
      fc.property(anySelector, anySelector, labels, (narrow, wide, labels) => {
        expect(isNarrowerSelector(narrow, wide) && selects(narrow, labels) && !selects(wide, labels)).toBe(false);
        expect(isNarrowerSelector(narrow, narrow)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("is written as kubectl writes it", () => {
    expect(formatSelector(selector("b in (2,1)", "a in (1)", "!c", "d", "e notin (x)", "f notin (y,x)"))).toBe(
      "!c,a=1,b in (1,2),d,e!=x,f notin (x,y)",
    );
  });
});

describe("areDisjoint", () => {
  it("is right whenever it says yes, whatever the labels, and either way round", () => {
    fc.assert(
      fc.property(anySelector, anySelector, labels, (a, b, labels) => {
        expect(areDisjoint(a, b) && selects(a, labels) && selects(b, labels)).toBe(false);
        expect(areDisjoint(a, b)).toBe(areDisjoint(b, a));
      }),
      { numRuns: 2000 },
    );
  });

  it("finds labels that one selector wants and the other refuses", () => {
    const pairs = [
      ["a in (1,2)", "a in (3)"],
      ["a in (1,2)", "a notin (1,2,3)"],
      ["a in (1)", "!a"],
      ["a", "!a"],
    ] as const;
    expect(pairs.map(([a, b]) => areDisjoint(selector(a), selector(b)))).toEqual(pairs.map(() => true));
  });
});
