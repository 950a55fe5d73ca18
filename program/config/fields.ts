import type { Problem } from "../../analysis/problems.ts";
import { nearestName } from "./nearestName.ts";

/** See the constructor of {@link Fields}. */
export interface FieldsOptions {
  readonly hint?: string;
  readonly removable?: readonly string[];
}

/**
 * Reads the members of one config object and notes everything that is wrong with them in a shared list, so that a
 * single run reports every problem. After a problem the reader gets `undefined` and goes on.
 */
export class Fields {
  protected readonly path: string;
  private readonly members: Readonly<Record<string, unknown>>;
  private readonly problems: Problem[];
  /** Names that are written, but misspelt or without a value: that they are missing needs no second problem. */
  private readonly meant = new Set<string>();
  private readonly removed = new Set<string>();

  /**
   * @param path how the object is written in messages, such as `runner-egress:cluster`
   * @param members what the config holds there
   * @param allowed the names that may occur; any other is a problem, with the name that was probably meant
   * @param options.hint what else to say of a name that is not allowed
   * @param options.removable names that may have the value `null`, which takes away what is there by default
   */
  constructor(
    path: string,
    members: Readonly<Record<string, unknown>>,
    allowed: readonly string[],
    problems: Problem[],
    { hint = "", removable = [] }: FieldsOptions = {},
  ) {
    this.path = path;
    this.members = members;
    this.problems = problems;
    for (const [name, value] of Object.entries(members)) {
      if (!allowed.includes(name)) {
        const nearest = nearestName(name, allowed);
        if (nearest !== undefined) {
          this.meant.add(nearest);
        }
        const [object = ""] = name.split(/[.[]/);
        const reason =
          object !== name && allowed.includes(object)
            ? forgottenPath(object, this.where(name))
            : unknownName(nearest, allowed) + hint;
        problems.push({ where: this.where(name), value, reason });
      } else if (value === null && removable.includes(name)) {
        this.removed.add(name);
      } else if (value === null) {
        // What YAML makes of a key whose value is commented out. A default in its place would be a guess.
        this.meant.add(name);
        problems.push({ where: this.where(name), reason: "has no value; give one or remove the key" });
      }
    }
  }

  has(name: string): boolean {
    return this.members[name] !== undefined && this.members[name] !== null;
  }

  /** Whether a removable name is written with the value `null`. */
  isRemoved(name: string): boolean {
    return this.removed.has(name);
  }

  /** Whether a member is written as a string. */
  isText(name: string): boolean {
    return typeof this.members[name] === "string";
  }

  isObject(name: string): boolean {
    return isObject(this.members[name]);
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
  object(name: string, allowed: readonly string[], options?: FieldsOptions): Fields | undefined {
    const value = this.members[name];
    if (!this.has(name)) {
      return undefined;
    }
    return isObject(value)
      ? new Fields(this.where(name), value, allowed, this.problems, options)
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

  /** Notes that a member is missing, unless it is there in another spelling or without a value. */
  missing(name: string, reason: string): undefined {
    if (!this.meant.has(name)) {
      this.problems.push({ where: this.where(name), reason: `missing; give ${reason}` });
    }
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
    if (given.length === 0 && names.some((name) => this.meant.has(name))) {
      return undefined;
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

/** `pulumi config set` without `--path` makes a key of the whole path. */
function forgottenPath(object: string, key: string): string {
  return (
    `unknown key; a member of ${object} is set with --path: pulumi config rm '${key}', then ` +
    `pulumi config set --path '${key}' VALUE`
  );
}

function unknownName(nearest: string | undefined, allowed: readonly string[]): string {
  const choices = allowed.length === 0 ? "nothing is allowed here" : `allowed are ${allowed.join(", ")}`;
  return `unknown key; ${nearest === undefined ? choices : `did you mean ${nearest}? (${choices})`}`;
}
