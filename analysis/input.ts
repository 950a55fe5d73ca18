import { nearestName } from "./nearestName.ts";
import { isObject } from "./plainObject.ts";
import type { Problem } from "./problems.ts";

/** What {@link Input.object} lets pass, and what else it says. */
export interface ObjectOptions {
  /** What else to say of a name that is not known. */
  readonly hint?: string;
  /** Names that may have the value `null`, which takes away what is there by default. */
  readonly removable?: readonly string[];
}

/**
 * A value from outside and where it stands. Whatever is wrong is noted in a list that all values of one input share, so that
 * one pass finds everything; a reader gets `undefined` or nothing instead and goes on. What was read may be used only where
 * no problem was noted.
 *
 * What people write is read by `object`, `text` and their like, to which a `null` is a value that somebody forgot. Objects of
 * Kubernetes are read by `members`, `list` and `string`, to which `null` is the same as nothing.
 */
export class Input {
  readonly value: unknown;
  /** Such as `runner-egress:vpc.name` or `spec.egress[4].to[0]`; empty for an input as a whole. */
  readonly path: string;
  private readonly problems: Problem[];
  /** Whether it is written, but misspelt or without a value: that it is missing needs no second problem. */
  private readonly isMeant: boolean;
  private readonly meantMembers: string[] = [];

  /** @param path what its members are called by: `aws:` for `aws:region`, `a.yaml: ` for `a.yaml: spec` */
  constructor(value: unknown, path: string, problems: Problem[], isMeant = false) {
    this.value = value;
    this.path = path;
    this.problems = problems;
    this.isMeant = isMeant;
  }

  get isGiven(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  /** A member of an object or an element of a list, whether it is there or not. */
  at(key: string | number): Input {
    const value = this.isGiven ? (this.value as Readonly<Record<string | number, unknown>>)[key] : undefined;
    const joint = typeof key === "number" ? `[${key}]` : /^$|: ?$/.test(this.path) ? key : `.${key}`;
    return new Input(value, this.path + joint, this.problems, this.meantMembers.includes(String(key)));
  }

  /** Whether a member is there. */
  has(name: string): boolean {
    return this.at(name).isGiven;
  }

  /** Notes that the value is not as it should be. */
  wrong(reason: string, value: unknown = this.value): undefined {
    this.problems.push({ where: this.path || "input", value, reason });
    return undefined;
  }

  /** The same for a reason that quotes the value, or needs none. */
  refuse(reason: string): undefined {
    this.problems.push({ where: this.path || "input", reason });
    return undefined;
  }

  /** Notes that the value is missing, unless it is there in another spelling or without a value. */
  missing(what: string): undefined {
    return this.isMeant ? undefined : this.refuse(`missing; give ${what}`);
  }

  /** The same value, which has to be there. */
  required(what: string): this {
    if (!this.isGiven) {
      this.missing(what);
    }
    return this;
  }

  /** The result of reading the value, where the reader throws a `RangeError` that quotes it. */
  parsed<Value, Result>(value: Value, parse: (value: Value) => Result): Result | undefined {
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof RangeError)) {
        throw error;
      }
      return this.refuse(error.message);
    }
  }

  // What people write.

  /** An object with members of these names only; `undefined` where there is none. */
  object(known: readonly string[], { hint = "", removable = [] }: ObjectOptions = {}): Input | undefined {
    if (!this.isGiven) {
      return undefined;
    }
    if (!isObject(this.value)) {
      return this.wrong(`must be an object with ${known.join(", ")}`);
    }
    for (const [name, value] of Object.entries(this.value)) {
      if (!known.includes(name)) {
        this.unknown(name, known, hint);
      } else if (value === null && !removable.includes(name)) {
        // What YAML makes of a key whose value is commented out. A default in its place would be a guess.
        this.meantMembers.push(name);
        this.at(name).refuse("has no value; give one or remove the key");
      }
    }
    return this;
  }

  private unknown(name: string, known: readonly string[], hint: string): void {
    const nearest = nearestName(name, known);
    const member = this.at(name);
    const [object = ""] = name.split(/[.[]/);
    if (nearest !== undefined) {
      this.meantMembers.push(nearest);
    }
    if (object !== name && known.includes(object)) {
      // `pulumi config set` without `--path` makes a key of the whole path.
      member.wrong(
        `unknown key; a member of ${object} is set with --path: pulumi config rm '${member.path}', then ` +
          `pulumi config set --path '${member.path}' VALUE`,
      );
    } else {
      const choices = known.length === 0 ? "nothing is allowed here" : `allowed are ${known.join(", ")}`;
      member.wrong(`unknown key; ${nearest === undefined ? choices : `did you mean ${nearest}? (${choices})`}${hint}`);
    }
  }

  /** The members of a map whose names the user chooses, each an object. */
  named(known: readonly string[]): [name: string, value: Input][] {
    if (!this.isGiven) {
      return [];
    }
    if (!isObject(this.value)) {
      this.wrong("must map names of your choice to objects");
      return [];
    }
    const names = Object.keys(this.value).sort();
    const map = this.object(names);
    return names.flatMap((name): [string, Input][] => {
      const value = map?.at(name).object(known);
      return value === undefined ? [] : [[name, value]];
    });
  }

  /** A string with at least one character. */
  text(what: string): string | undefined {
    if (!this.isGiven) {
      return undefined;
    }
    // A config file reads 012 or 1.10 as a number; guessing the digits back would be worse than asking for quotes.
    return typeof this.value === "string" && this.value.trim() !== ""
      ? this.value
      : this.wrong(`must be ${what}, as text (in quotes where it looks like a number)`);
  }

  choice<Choice extends string>(choices: readonly Choice[]): Choice | undefined {
    return !this.isGiven || choices.includes(this.value as Choice)
      ? ((this.value ?? undefined) as Choice | undefined)
      : this.wrong(`must be one of ${choices.join(", ")}`);
  }

  flag(): boolean | undefined {
    return !this.isGiven || typeof this.value === "boolean"
      ? ((this.value ?? undefined) as boolean | undefined)
      : this.wrong("must be true or false");
  }

  /** A list of strings, at least one. */
  texts(what: string): string[] | undefined {
    const { value } = this;
    if (!this.isGiven) {
      return undefined;
    }
    return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string" && item !== "")
      ? value
      : this.wrong(`must be a list of ${what}, with at least one`);
  }

  /** A list of strings, at least one, each read by a function that throws a `RangeError` for what it can't read. */
  parsedTexts<Result>(what: string, parse: (text: string) => Result): Result[] | undefined {
    const wrong: string[] = [];
    const results = this.texts(what)?.flatMap((text) => {
      try {
        return [parse(text)];
      } catch (error) {
        wrong.push((error as RangeError).message);
        return [];
      }
    });
    return wrong.length === 0 ? results : this.wrong(wrong.join("; "));
  }

  /** A map of strings, at least one. */
  textMap(what: string): Record<string, string> | undefined {
    const { value } = this;
    if (!this.isGiven) {
      return undefined;
    }
    return isObject(value) &&
      Object.keys(value).length > 0 &&
      Object.values(value).every((item) => typeof item === "string")
      ? (value as Record<string, string>)
      : this.wrong(`must be ${what}, such as {app: web}, values in quotes where they look like numbers`);
  }

  /** The one of several members that must be there alone. */
  onlyOf<Name extends string>(names: readonly Name[], what: string): Name | undefined {
    const given = names.filter((name) => this.has(name));
    if (given.length === 1 || (given.length === 0 && names.some((name) => this.meantMembers.includes(name)))) {
      return given[0];
    }
    const others = given.length > 1 ? `, not ${given.join(" and ")}` : "";
    return this.wrong(`${what}: give exactly one of ${names.join(", ")}${others}`);
  }

  // Objects of Kubernetes.

  /** An object, empty where it is none; a member that is not among `known` is a problem. */
  members(known?: readonly string[]): Input {
    if (!isObject(this.value)) {
      this.wrong("must be an object");
      return new Input({}, this.path, this.problems);
    }
    for (const name of known === undefined ? [] : Object.keys(this.value)) {
      if (!known?.includes(name)) {
        this.at(name).wrong(`is not a field here; known are ${known?.join(", ")}`);
      }
    }
    return this;
  }

  /** The same where a missing object is an empty one. */
  optionalMembers(known?: readonly string[]): Input {
    return this.isGiven ? this.members(known) : new Input({}, this.path, this.problems);
  }

  /** The members of a map by name; none where it is missing. */
  entries(): [name: string, value: Input][] {
    const map = this.optionalMembers();
    return Object.keys(map.value as object).map((name) => [name, map.at(name)]);
  }

  /** The elements of a list; none where it is missing. */
  list(): Input[] {
    if (this.isGiven && !Array.isArray(this.value)) {
      this.wrong("must be a list");
    }
    return Array.isArray(this.value) ? this.value.map((_, index) => this.at(index)) : [];
  }

  /** A string, perhaps an empty one; `undefined` where it is missing. */
  string(): string | undefined {
    return !this.isGiven || typeof this.value === "string"
      ? ((this.value ?? undefined) as string | undefined)
      : this.wrong("must be a string");
  }

  /** A port that an object of Kubernetes can name. */
  portNumber(): number {
    const { value } = this;
    if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65535) {
      return value;
    }
    this.wrong("must be a number from 1 to 65535");
    return 1;
  }
}

/** The members that have a value. */
export function defined<Members extends object>(
  members: Members,
): { [Name in keyof Members]?: Exclude<Members[Name], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never;
}
