/** Why a provider refuses a function call. */
export class InvocationError extends Error {
  override readonly name = "InvocationError";
}
