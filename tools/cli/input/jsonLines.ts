import type { Readable } from "node:stream";

/** The lines of a stream as they arrive, in batches; empty lines are left out. Numbers count from 1. */
export async function* lineBatches(stream: Readable): AsyncGenerator<readonly { number: number; text: string }[]> {
  stream.setEncoding("utf8");
  let number = 0;
  const numbered = (texts: readonly string[]) =>
    texts.map((text) => ({ number: ++number, text })).filter(({ text }) => text.trim() !== "");
  const unfinished: string[] = [];
  for await (const chunk of stream as AsyncIterable<string>) {
    const parts = chunk.split("\n");
    const rest = parts.pop() ?? "";
    if (parts.length > 0) {
      parts[0] = unfinished.join("") + (parts[0] ?? "");
      unfinished.length = 0;
      yield numbered(parts);
    }
    unfinished.push(rest);
  }
  yield numbered([unfinished.join("")]);
}
