import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hilbertCell, hilbertIndex, hilbertSquare } from "../../../tools/report/hilbert.ts";

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
      const { x, y, edge } = hilbertSquare(256, octet * 256, 256);
      expect(edge).toBe(16);
      for (let index = octet * 256; index < (octet + 1) * 256; index++) {
        const cell = hilbertCell(256, index);
        expect([cell.x >= x, cell.x < x + edge, cell.y >= y, cell.y < y + edge]).toEqual([true, true, true, true]);
      }
    }
  });
});
