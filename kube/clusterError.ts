import type { ApiAnswer } from "./apiServer.ts";

/** The API server answered with something else than success. */
export class ClusterError extends Error {
  override readonly name = "ClusterError";
  readonly status: number;

  constructor(what: string, { status, body }: ApiAnswer) {
    const { message = "no reason given" } = (body ?? {}) as { message?: string };
    super(`can't ${what}: the API server answered ${status}: ${message}`);
    this.status = status;
  }
}

/**
 * The body of an answer.
 *
 * @param what what was asked for, as the object of "can't"
 * @throws {ClusterError} for any status but success.
 */
export function expectSuccess(what: string, answer: ApiAnswer): unknown {
  if (answer.status < 200 || answer.status > 299) {
    throw new ClusterError(what, answer);
  }
  return answer.body;
}

/** Why asking failed, for a person: a connection that fails on several addresses carries its reasons in its parts. */
export function reasonOf(error: unknown): string {
  return error instanceof AggregateError && error.errors.length > 0
    ? reasonOf(error.errors[0])
    : (error as Error).message;
}
