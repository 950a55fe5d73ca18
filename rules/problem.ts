/** One thing that is wrong with what somebody wrote or with what a lookup found. */
export interface Problem {
  /** The config key, argument or lookup it is about, as its reader knows it: `runner-egress:vpc.name`. */
  readonly where: string;
  /** The value found there; left out where nothing was found. */
  readonly value?: unknown;
  /** What is wrong, what is allowed and what to do. */
  readonly reason: string;
}

/** Every problem of one step at once, so that nobody repairs them one run at a time. */
export class ProblemsError extends Error {
  readonly problems: readonly Problem[];

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

/** One problem as text: where, the value if there is one, and the reason. */
export function describeProblem({ where, value, reason }: Problem): string {
  return value === undefined ? `${where}: ${reason}` : `${where} is ${JSON.stringify(value)}: ${reason}`;
}
