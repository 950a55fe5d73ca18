/** A mistake in the command line or in the input. It is shown without a stack, and the exit code is 3. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** Runs a parser of the analysis, whose `RangeError` is about what the user wrote. */
export function reading<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof RangeError) {
      throw new UsageError(`${what}: ${error.message}`);
    }
    throw error;
  }
}

/** What was given does not allow any verdict. It is shown without a stack, and the exit code is 2. */
export class InconclusiveError extends Error {
  constructor(reasons: readonly string[]) {
    super(reasons.join("\n"));
    this.name = "InconclusiveError";
  }
}
