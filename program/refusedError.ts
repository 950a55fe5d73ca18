/** The program refuses a stack: everything that it objects to, as a user of Pulumi reads it. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
}
