/** One thing that is wrong with an input: where, what was found, what is allowed. */
export interface Problem {
  /** Path from the input's root, such as `spec.egress[4].to[0].ipBlock.except[2]`. */
  readonly path: string;
  /** The value found, as it would be written in JSON; `undefined` where something is missing. */
  readonly value: unknown;
  /** What is wrong and what is allowed. */
  readonly reason: string;
}

/** Input that nobody should act on. The message lists every problem on a line of its own. */
export class InvalidInputError extends Error {
  readonly problems: readonly Problem[];

  constructor(what: string, problems: readonly Problem[]) {
    super(`${what}\n${problems.map((problem) => `  - ${formatProblem(problem)}`).join("\n")}`);
    this.name = "InvalidInputError";
    this.problems = problems;
  }
}

/** `PATH: REASON (found VALUE)`. */
export function formatProblem({ path, value, reason }: Problem): string {
  const found = value === undefined ? "" : ` (found ${shorten(JSON.stringify(value) ?? String(value))})`;
  return `${path}: ${reason}${found}`;
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
