/** Members of an object; none of anything else. */
export type Members = Readonly<Record<string, unknown>>;

/** Whether a value is an object and no list. */
export function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The members of a value that should be an object; nothing where it is not. */
export function membersOf(value: unknown): Members {
  return isObject(value) ? value : {};
}
