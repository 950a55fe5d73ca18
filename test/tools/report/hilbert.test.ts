import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hilbertCell, hilbertIndex } from "../../../tools/report/hilbert.ts";

const power = fc.integer({ min: 0, max: 8 }).map((exponent) => 2 ** exponent);
const cell = power.chain((side) => fc.record({ side: fc.constant(side), index: fc.nat(side * side - 1) }));

describe("the curve", () => {
  it("begins at the upper left and ends at the upper right", () => {
    expect(hilbertCell(256, 0)).toEqual({ x: 0, y: 0 });
    expect(hilbertCell(256, 65535)).toEqual({ x: 255, y: 0 });
  });

  it("visits every cell once", () => {
    const cells = Array.from({ length: 1024 }, (_, index) => hilbertCell(32, index));
    expect(new Set(cells.map(({ x, y }) => `${x},${y}`)).size).toBe(1024);
    expect(cells.every(({ x, y }) => x >= 0 && x < 32 && y >= 0 && y < 32)).toBe(true);
  });

  it("is undone by its inverse", () => {
    fc.assert(fc.property(cell, ({ side, index }) => hilbertIndex(side, hilbertCell(side, index)) === index));
  });

  it("moves by one cell at a time", () => {
    fc.assert(
      fc.property(cell, ({ side, index }) => {
        const [a, b] = [hilbertCell(side, index), hilbertCell(side, Math.min(index + 1, side * side - 1))];
        return Math.abs(a.x - b.x) + Math.abs(a.y - b.y) <= 1;
      }),
    );
  });

  it("fills squares with blocks: a /8 is 16 × 16 cells of /16s", () => {
    for (const octet of [0, 10, 100, 127, 224, 255]) {
      const cells = Array.from({ length: 256 }, (_, index) => hilbertCell(256, octet * 256 + index));
      for (const values of [cells.map(({ x }) => x), cells.map(({ y }) => y)]) {
        expect(Math.min(...values) % 16).toBe(0);
        expect(Math.max(...values) - Math.min(...values)).toBe(15);
      }
    }
  });
});
