/** What was given does not allow any verdict. It is shown without a stack, and the exit code is 2. */
export class InconclusiveError extends Error {
  constructor(reasons: readonly string[]) {
    super(reasons.join("\n"));
    this.name = "InconclusiveError";
  }
}
