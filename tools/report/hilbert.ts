/** A cell of the map: column from the left, row from the top. */
export interface GridCell {
  readonly x: number;
  readonly y: number;
}

/**
 * Where the `index`th cell of a Hilbert curve lies on a grid of `side` × `side` cells, `side` a power of two. Neighbours on
 * the curve are neighbours on the grid, and every block of addresses with an even prefix length is a square.
 */
export function hilbertCell(side: number, index: number): GridCell {
  let [x, y, rest] = [0, 0, index];
  for (let size = 1; size < side; size *= 2) {
    const right = 1 & (rest >> 1);
    const down = 1 & (rest ^ right);
    [x, y] = rotate(size, x, y, right, down);
    x += size * right;
    y += size * down;
    rest >>= 2;
  }
  return { x, y };
}

/** The inverse of {@link hilbertCell}. */
export function hilbertIndex(side: number, { x, y }: GridCell): number {
  let index = 0;
  let [column, row] = [x, y];
  for (let size = side / 2; size >= 1; size /= 2) {
    const right = (column & size) > 0 ? 1 : 0;
    const down = (row & size) > 0 ? 1 : 0;
    index += size * size * ((3 * right) ^ down);
    [column, row] = rotate(side, column, row, right, down);
  }
  return index;
}

function rotate(size: number, x: number, y: number, right: number, down: number): [number, number] {
  if (down === 1) {
    return [x, y];
  }
  return right === 1 ? [size - 1 - y, size - 1 - x] : [y, x];
}
