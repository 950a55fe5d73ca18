import type { Problem } from "../analysis/problems.ts";
import { nearestName } from "./nearestName.ts";

/**
 * Reads the members of one config object and notes everything that is wrong with them in a shared list, so that a
 * single run reports every problem. After a problem the reader gets `undefined` and goes on.
 */
export class Fields {
  protected readonly path: string;
  private readonly members: Readonly<Record<string, unknown>>;
  private readonly problems: Problem[];

  /**
   * @param path how the object is written in messages, such as `runner-egress:cluster`
   * @param members what the config holds there
   * @param allowed the names that may occur; any other is a problem, with the name that was probably meant
   */
  constructor(
    path: string,
    members: Readonly<Record<string, unknown>>,
    allowed: readonly string[],
    problems: Problem[],
  ) {
    this.path = path;
    this.members = members;
    this.problems = problems;
    for (const name of Object.keys(members).filter((name) => !allowed.includes(name))) {
      problems.push({ where: this.where(name), value: members[name], reason: unknownName(name, allowed) });
    }
  }

  has(name: string): boolean {
    return this.members[name] !== undefined && this.members[name] !== null;
  }

  /** A string with at least one character. */
  text(name: string, what: string): string | undefined {
    const value = this.members[name];
    if (!this.has(name)) {
      return undefined;
    }
    // The config file reads 012 or 1.10 as a number; guessing the digits back would be worse than asking for quotes.
    return typeof value === "string" && value.trim() !== ""
      ? value
      : this.wrong(name, `must be ${what}, as text (in quotes where it looks like a number)`);
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const value = this.members[name];
    return !this.has(name) || choices.includes(value as Choice)
      ? (value as Choice | undefined)
      : this.wrong(name, `must be one of ${choices.join(", ")}`);
  }

  flag(name: string): boolean | undefined {
    const value = this.members[name];
    return !this.has(name) || typeof value === "boolean"
      ? (value as boolean | undefined)
      : this.wrong(name, "must be true or false");
  }

  /** A list of anything. */
  list(name: string): unknown[] | undefined {
    const value = this.members[name];
    return !this.has(name) || Array.isArray(value)
      ? (value as unknown[] | undefined)
      : this.wrong(name, "must be a list");
  }

  /** A list of strings, at least one. */
  texts(name: string, what: string): string[] | undefined {
    const value = this.members[name];
    if (!this.has(name)) {
      return undefined;
    }
    return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string" && item !== "")
      ? (value as string[])
      : this.wrong(name, `must be a list of ${what}, with at least one`);
  }

  /** A map of strings, at least one. */
  textMap(name: string, what: string): Record<string, string> | undefined {
    const value = this.members[name];
    if (!this.has(name)) {
      return undefined;
    }
    return isObject(value) &&
      Object.keys(value).length > 0 &&
      Object.values(value).every((item) => typeof item === "string")
      ? (value as Record<string, string>)
      : this.wrong(name, `must be ${what}, such as {app: web}, values in quotes where they look like numbers`);
  }

  /** A nested object. */
  object(name: string, allowed: readonly string[]): Fields | undefined {
    const value = this.members[name];
    if (!this.has(name)) {
      return undefined;
    }
    return isObject(value)
      ? new Fields(this.where(name), value, allowed, this.problems)
      : this.wrong(name, `must be an object with ${allowed.join(", ")}`);
  }

  /** The members of a map whose names the user chooses, each an object. */
  named(name: string, allowed: readonly string[]): [string, Fields][] {
    const value = this.members[name];
    if (!this.has(name)) {
      return [];
    }
    if (!isObject(value)) {
      this.wrong(name, "must map names of your choice to objects");
      return [];
    }
    const map = new Fields(this.where(name), value, Object.keys(value), this.problems);
    return Object.keys(value)
      .sort()
      .flatMap((key) => {
        const fields = map.object(key, allowed);
        return fields === undefined ? [] : [[key, fields] as [string, Fields]];
      });
  }

  /** Notes that a member is missing. */
  missing(name: string, reason: string): undefined {
    this.problems.push({ where: this.where(name), reason: `missing; give ${reason}` });
    return undefined;
  }

  /** Notes that a member is not as it should be. */
  wrong(name: string, reason: string): undefined {
    this.problems.push({ where: this.where(name), value: this.members[name], reason });
    return undefined;
  }

  /** Notes that the object as a whole is not as it should be. */
  refuse(reason: string): undefined {
    this.problems.push({ where: this.path, value: this.members, reason });
    return undefined;
  }

  /** The one of several members that must be there alone. */
  onlyOf<Name extends string>(names: readonly Name[], what: string): Name | undefined {
    const given = names.filter((name) => this.has(name));
    if (given.length === 1) {
      return given[0];
    }
    return this.refuse(
      `${what}: give exactly one of ${names.join(", ")}${given.length > 1 ? `, not ${given.join(" and ")}` : ""}`,
    );
  }

  protected where(name: string): string {
    return `${this.path}.${name}`;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What to say of a name that is not allowed. */
export function unknownName(name: string, allowed: readonly string[]): string {
  const nearest = nearestName(name, allowed);
  const choices = allowed.length === 0 ? "nothing is allowed here" : `allowed are ${allowed.join(", ")}`;
  return `unknown key; ${nearest === undefined ? choices : `did you mean ${nearest}? (${choices})`}`;
}
