import { describe, expect, it } from "vitest";
import { layout, wrapList } from "../../tools/layout.ts";

describe("rows laid out as columns", () => {
  it("stand under each other, with several lines in a cell and no space at the end", () => {
    const rows = [
      ["rule", "ports", "to"],
      ["1", "53/UDP\n53/TCP", "a"],
      ["22", "", "b\nc"],
    ];
    expect(layout(rows, "> ").split("\n")).toEqual([
      "> rule  ports   to",
      "> 1     53/UDP  a",
      ">       53/TCP",
      "> 22            b",
      ">               c",
    ]);
  });

  it("may be none", () => {
    expect(layout([])).toBe("");
  });
});

describe("a list in lines", () => {
  it("breaks before it gets too wide, and shows that it goes on", () => {
    expect(wrapList(["10.0.0.0/8", "127.0.0.0/8", "0.0.0.0/8"], 24)).toBe("10.0.0.0/8, 127.0.0.0/8,\n0.0.0.0/8");
  });

  it("gives an item that is too wide a line of its own", () => {
    expect(wrapList(["aaaa", "b"], 2)).toBe("aaaa,\nb");
  });
});
