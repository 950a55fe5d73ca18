import { capture } from "../command.ts";
import { NotFound, send } from "../github.ts";
import { Refusal } from "../refusal.ts";

/** Something to ask or to do that a reader could type: a command, or a request to GitHub, which is `gh api` when it is printed. */
export type Call =
  | { readonly run: readonly string[]; readonly env?: Readonly<Record<string, string>>; readonly input?: string }
  | {
      readonly github: "GET" | "POST" | "PUT" | "PATCH";
      readonly path: string;
      readonly body?: object;
      readonly pick?: string;
    };

/** What is only known once it is looked up, by the name that stands for it in a {@link Call}. */
export type Values = Readonly<Record<string, string>>;

/** Where calls are made. */
export interface Surroundings {
  /** The project's folder. */
  readonly cwd: string;
  /** Such as `https://api.github.com`. */
  readonly github: string;
  readonly token: string;
}

/** How AWS's command line names what is not there: `(NoSuchBucket)`, `(ResourceNotFoundException)`, `(404)`. */
const ABSENT = /\((NoSuch\w+|\w*NotFound\w*|404)\)/;

/**
 * Makes a call.
 *
 * @returns what it answers, read as JSON where it is JSON; `undefined`: what it asks for is not there
 * @throws {Refusal} when the command can't be run or refuses.
 */
export async function make(call: Call, values: Values, { cwd, github, token }: Surroundings): Promise<unknown> {
  const known = fill(call, values);
  if ("github" in known) {
    try {
      const answer = await send({ token }, known.github, `${github}/${known.path}`, known.body);
      return (known.pick ?? "").split(".").reduce((part, key) => (key === "" ? part : member(part, key)), answer);
    } catch (error) {
      if (known.github === "GET" && error instanceof NotFound) {
        return undefined;
      }
      throw error;
    }
  }
  const [command = "", ...args] = known.run;
  const { status, stdout, stderr } = await capture(command, command === "aws" ? [...args, "--output", "json"] : args, {
    cwd,
    isQuiet: true,
    env: { AWS_PAGER: "", ...known.env },
    ...(known.input !== undefined && { input: known.input }),
  });
  if (status !== 0) {
    if (command === "aws" && ABSENT.test(stderr)) {
      return undefined;
    }
    throw new Refusal(`${known.run.join(" ")} ended with ${status}: ${stderr.trim() || stdout.trim()}`);
  }
  return stdout.trim() === "" ? {} : parsed(stdout);
}

/** Where a value stands: `{{NAME}}`, or `"{{#NAME}}"` for a number in JSON. */
const PLACE = /\{\{(\w+)\}\}/g;

/** A call or an expectation with the values that are known so far in their places. */
export function fill<T>(template: T, values: Values): T {
  const text = JSON.stringify(template)
    .replace(/"\{\{#(\w+)\}\}"/g, (place, name: string) => values[name] ?? place)
    .replace(PLACE, (place, name: string) => values[name] ?? place);
  return JSON.parse(text) as T;
}

/** A call as a line of a shell script, in which {@link Values} are variables. */
export function shell(call: Call, sets?: string): string {
  let line: string;
  if ("github" in call) {
    const { github, path, body, pick } = call;
    const method = github === "GET" ? [] : ["--method", github];
    line = ["gh", "api", ...method, path, ...(pick === undefined ? [] : ["--jq", `.${pick}`])].map(quote).join(" ");
    const json = body && JSON.stringify(body).replace(/"\{\{#(\w+)\}\}"/g, "{{$1}}");
    line = json === undefined ? line : `${line} --input - <<< ${quote(json)}`;
  } else {
    const { run, env = {}, input } = call;
    const before = Object.entries(env).map(([name, value]) => `${name}=${quote(value)} `);
    const text = sets !== undefined && run[0] === "aws" ? ["--output", "text"] : [];
    line = `${before.join("")}${[...run, ...text].map(quote).join(" ")}`;
    line = input === undefined ? line : `${line} <<< ${quote(input)}`;
  }
  return sets === undefined ? line : `${sets}=$(${line})`;
}

/** A word for the shell: bare where it may be, else in single quotes, between which variables stand in double ones. */
function quote(word: string): string {
  const isBare = /^[\w@%+=:,./-]*$/.test(word.replace(PLACE, ""));
  return isBare ? word.replace(PLACE, '"$$$1"') : `'${word.replaceAll("'", "'\\''").replace(PLACE, `'"$$$1"'`)}'`;
}

/** A command of AWS's command line; what may have spaces in it stands in `more`. */
export function aws(region: string, words: string, ...more: readonly string[]): Call {
  return { run: ["aws", ...words.split(" "), ...more, "--region", region] };
}

/** A question to GitHub; `pick`: the part of the answer that counts. */
export function github(path: string, pick?: string): Call {
  return { github: "GET", path, ...(pick !== undefined && { pick }) };
}

function member(value: unknown, key: string): unknown {
  return (value as Record<string, unknown> | null | undefined)?.[key];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
