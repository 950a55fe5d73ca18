/** Why a step of a workflow stops, in words for the person who reads its log. */
export class Refusal extends Error {
  /** @param reasons one sentence each */
  constructor(summary: string, reasons: readonly string[] = []) {
    super([summary, ...reasons.map((reason) => `  - ${reason}`)].join("\n"));
    this.name = "Refusal";
  }
}

/** Runs a step as a process: a refusal is printed without a stack and ends with `2`, else the step's own status. */
export async function runStep(step: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await step();
  } catch (error) {
    if (!(error instanceof Refusal)) {
      throw error;
    }
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}

/** The one stack that a step is about. */
export function stackArgument(positionals: readonly string[], usage: string): string {
  const [stack, ...others] = positionals;
  if (stack === undefined || others.length > 0 || !/^[A-Za-z0-9_.-]+$/.test(stack)) {
    throw new Refusal(`Give one stack, such as staging: ${usage}`);
  }
  return stack;
}
