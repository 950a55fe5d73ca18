import { type Problem, ProblemsError } from "./problems.ts";

/** The members of an object from outside. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads values from outside. A value that cannot be used is noted as a problem and replaced by a harmless one, so that
 * one pass finds everything that is wrong; nothing that was read may be used before {@link throwIfWrong}.
 */
export class InputReader {
  private readonly problems: Problem[] = [];

  /** Notes a problem; see {@link Problem}. */
  report(where: string, value: unknown, reason: string): void {
    this.problems.push({ where, value, reason });
  }

  /** @throws {ProblemsError} with all problems noted so far, if there are any. */
  throwIfWrong(what: string): void {
    if (this.problems.length > 0) {
      throw new ProblemsError(what, this.problems);
    }
  }

  /** The members of an object; a member that is not among `known` is a problem. */
  fields(input: unknown, path: string, known?: readonly string[]): Fields {
    if (typeof input !== "object" || input === null || Array.isArray(input)) {
      this.report(path, input, "must be an object");
      return {};
    }
    for (const [key, value] of Object.entries(input)) {
      if (known !== undefined && !known.includes(key)) {
        this.report(`${path}.${key}`, value, `is not a field here; known are ${known.join(", ")}`);
      }
    }
    return input as Fields;
  }

  /** The same where a missing object means an empty one, as `null` does in the API. */
  optionalFields(input: unknown, path: string, known?: readonly string[]): Fields {
    return input === undefined || input === null ? {} : this.fields(input, path, known);
  }

  /** The elements of a list; none where it is missing. */
  list(input: unknown, path: string): readonly unknown[] {
    if (input === undefined || input === null) {
      return [];
    }
    if (!Array.isArray(input)) {
      this.report(path, input, "must be a list");
      return [];
    }
    return input;
  }

  /** A string, or `undefined` where it is missing. */
  text(input: unknown, path: string): string | undefined {
    if (input === undefined || input === null || typeof input === "string") {
      return input ?? undefined;
    }
    this.report(path, input, "must be a string");
    return undefined;
  }

  /** A port that an object of Kubernetes can name. */
  portNumber(input: unknown, path: string): number {
    if (typeof input === "number" && Number.isInteger(input) && input >= 1 && input <= 65535) {
      return input;
    }
    this.report(path, input, "must be a number from 1 to 65535");
    return 1;
  }
}
