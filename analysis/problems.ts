/** One thing that is wrong with what somebody wrote, or with what a lookup found. */
export interface Problem {
  /**
   * Where, as its reader knows it: a path in the input such as `spec.egress[4].to[0].ipBlock.except[2]`, a config key such
   * as `runner-egress:vpc.name`, an argument or a lookup.
   */
  readonly where: string;
  /** The value found there, as it would be written in JSON; left out where nothing was found. */
  readonly value?: unknown;
  /** What is wrong, what is allowed and what to do. */
  readonly reason: string;
}

/** Everything that is wrong at once, so that nobody repairs it one run at a time; nothing read may be acted on. */
export class ProblemsError extends Error {
  readonly problems: readonly Problem[];

  /** @param heading What the problems are about; each follows on a line of its own. */
  constructor(heading: string, problems: readonly Problem[]) {
    super(describeProblems(heading, problems));
    this.name = "ProblemsError";
    this.problems = problems;
  }
}

/** A heading and one line for each problem. */
export function describeProblems(heading: string, problems: readonly Problem[]): string {
  return [heading, ...problems.map((problem) => `  - ${describeProblem(problem)}`)].join("\n");
}

/** `WHERE is VALUE: REASON`, or `WHERE: REASON` without a value. */
export function describeProblem({ where, value, reason }: Problem): string {
  return value === undefined
    ? `${where}: ${reason}`
    : `${where} is ${shorten(JSON.stringify(value) ?? String(value))}: ${reason}`;
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** @throws {ProblemsError} if there are any. */
export function throwIfWrong(heading: string, problems: readonly Problem[]): void {
  if (problems.length > 0) {
    throw new ProblemsError(heading, problems);
  }
}
