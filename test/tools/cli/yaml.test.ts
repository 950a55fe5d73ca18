import { describe, expect, it } from "vitest";
import { parseYaml } from "../../../tools/cli/input/yaml.ts";

it.each<[string, unknown]>([
  // Booleans of YAML 1.1, which the API server refuses as label values.
  ["yes", true],
  ["on", true],
  ["y", true],
  ["Off", false],
  ['"yes"', "yes"],
  // Numbers as Go reads them.
  ["443", 443],
  ["010", 8],
  ["0o17", 15],
  ["0x1F", 31],
  ["0b101", 5],
  ["1_000", 1000],
  ["-7", -7],
  ["08", 8],
  ["1.5", 1.5],
  // Text, though YAML 1.1 has dates and sexagesimal numbers.
  ["2026-06-01", "2026-06-01"],
  ["12:30", "12:30"],
  ["10.0.0.0/8", "10.0.0.0/8"],
  ["::1", "::1"],
  ["~", null],
  ["null", null],
  ["", null],
  ["{<<: {a: 1}, b: 2}", { a: 1, b: 2 }],
])("reads %s as kubectl does", (text, value) => {
  expect(parseYaml(`value: ${text}`, "p.yaml")).toEqual([{ value }]);
});

it("reads every document", () => {
  expect(parseYaml("a: 1\n---\n---\nb: 2\n", "p.yaml")).toEqual([{ a: 1 }, null, { b: 2 }]);
});

describe("aliases", () => {
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"];
  for (const [before, name] of ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"].map((pair) => [...pair])) {
    bomb.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(", ")}]`);
  }

  it("that stand for hundreds of millions of nodes are refused", () => {
    expect(() => parseYaml(bomb.join("\n"), "p.yaml")).toThrow(
      "p.yaml: not YAML that kubectl reads: it contains excessive aliasing",
    );
  });

  it("that contain themselves are refused", () => {
    expect(() => parseYaml("a: &a\n  b: *a\n", "p.yaml")).toThrow(
      "p.yaml: not YAML that kubectl reads: an anchor contains itself",
    );
  });

  it("that a person writes are read", () => {
    const block = { cidr: "10.0.0.0/8" };
    expect(parseYaml("a: &a {cidr: 10.0.0.0/8}\nb: [*a, *a]\n", "p.yaml")).toEqual([{ a: block, b: [block, block] }]);
    const many = `a: &a {cidr: 10.0.0.0/8}\nb: [${Array(2000).fill("*a").join(", ")}]\n`;
    expect(parseYaml(many, "p.yaml")).toHaveLength(1);
  });
});
