import * as pulumi from "@pulumi/pulumi";
import { ProblemsError } from "../../analysis/problems.ts";

/**
 * What a step throws for its user: problems as the one error that the SDK prints without a stack trace and without
 * "unhandled exception" (@pulumi/pulumi cmd/run, 3.270); any other error as it is, because it is a bug.
 */
export function forUser(error: unknown): unknown {
  return error instanceof ProblemsError ? new pulumi.RunError(error.message) : error;
}
