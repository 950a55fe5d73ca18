/** Gap between two columns. */
const GAP = "  ";

/**
 * Rows as text, one column under the other. A cell may have several lines; the last column is as wide as it likes.
 *
 * @param rows all of the same length
 * @param indent what every line starts with
 */
export function layout(rows: readonly (readonly string[])[], indent = ""): string {
  const cells = rows.map((row) => row.map((cell) => cell.split("\n")));
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.flatMap((row) => (row[column] ?? []).map((line) => line.length))),
  );
  return cells
    .flatMap((row) => {
      const height = Math.max(...row.map((lines) => lines.length));
      return Array.from({ length: height }, (_, line) =>
        (indent + row.map((lines, column) => (lines[line] ?? "").padEnd(widths[column] ?? 0)).join(GAP)).trimEnd(),
      );
    })
    .join("\n");
}

/** Items in lines of at most `width` characters, separated by commas; an item longer than that gets its own line. */
export function wrapList(items: readonly string[], width: number): string {
  const lines: string[] = [];
  for (const item of items) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + item.length + 2 <= width) {
      lines[lines.length - 1] = `${last}, ${item}`;
    } else {
      lines.push(item);
    }
  }
  return lines.join(",\n");
}
