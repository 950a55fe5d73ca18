import type { Readable } from "node:stream";
import {
  ADDRESS_FAMILIES,
  type AddressFamily,
  type CompileOptions,
  describeProblem,
  Input,
  isObject,
  type NetworkPolicy,
  type Problem,
  ProblemsError,
  parseAddress,
  readInventory,
  readNetworkPolicy,
  SELECTED_BY_EVERY_POLICY,
  type Source,
  throwIfWrong,
} from "../../analysis/index.ts";
import { CLEAN, type ExitCode, USAGE_ERROR } from "../exitCodes.ts";
import { plural } from "../words.ts";
import { chosenSemantics, kubernetesSemantics, type SemanticsFlags, vpcCniSemantics } from "./options.ts";
import type { Json } from "./render/json.ts";
import { note, print, type Terminal } from "./terminal.ts";

/** What one kind of line is, and how it is answered. */
export interface LineKind {
  /** Members besides those of every line. */
  readonly members: readonly string[];
  /** `Not a line to evaluate:` */
  readonly notOne: string;
  /** Reads a line and gives what answers it, which is called only if nothing is wrong with the line. */
  readonly read: (line: Input, setting: CompileOptions) => () => Readonly<Record<string, Json>>;
}

/**
 * Answers JSON lines one by one, in order: an object with an `id` becomes an object with the same `id`. A line that is
 * wrong is answered with `{"id", "error"}`, and the next one is read; only a line that is no JSON object makes the exit
 * code 3, because then the input as a whole is something else. Members that nobody knows are carried along by whoever wrote
 * the line and ignored, unless they differ from a known one only in case: `nodeIP` would else be a silent mistake.
 *
 * @throws {UsageError} for flags that are wrong, before the first line is read.
 */
export async function answerLines(
  { members, notOne, read }: LineKind,
  flags: SemanticsFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const settled = { ...flags, semantics: flags.semantics ?? "kubernetes" } as const;
  chosenSemantics(settled);
  let foreign = 0;
  for await (const batch of lineBatches(terminal.stdin())) {
    const answers = batch.map(({ number, text }) => {
      const fields = parseLine(text);
      if (typeof fields === "string") {
        foreign += 1;
        return { id: null, error: `line ${number}: ${fields}` };
      }
      const id = (fields.id ?? null) as Json;
      try {
        const problems: Problem[] = [];
        const line = new Input(fields, "", problems);
        const twice = repeatedKey(text);
        if (twice !== undefined) {
          line.refuse(`has the key ${twice} twice in one object, of which only one would count`);
        }
        refuseLookalikes(line, [...SETTING_MEMBERS, ...members]);
        const answer = read(line, readSetting(line, problems, settled));
        throwIfWrong(notOne, problems);
        return { id, ...answer() };
      } catch (error) {
        return { id, error: describe(error) };
      }
    });
    if (answers.length > 0) {
      const isRead = await print(terminal, answers.map((line) => `${JSON.stringify(line)}\n`).join(""));
      if (!isRead) {
        break;
      }
    }
  }
  if (foreign > 0) {
    note(terminal, `${plural(foreign, "line is", "lines are")} no JSON object`);
  }
  return foreign > 0 ? USAGE_ERROR : CLEAN;
}

/** The members of the object, or what is wrong. */
function parseLine(text: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : "is no JSON object";
  } catch (error) {
    return `is no JSON: ${(error as Error).message}`;
  }
}

/** A key that an object of a valid JSON text has twice, of which `JSON.parse` keeps the last in silence. */
function repeatedKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [, key, bracket] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|([{}])/g)) {
    const keys = open.at(-1);
    if (bracket === "{") {
      open.push(new Set());
    } else if (bracket === "}") {
      open.pop();
    } else if (key !== undefined && keys?.size === keys?.add(JSON.parse(key)).size) {
      return key;
    }
  }
  return undefined;
}

function refuseLookalikes(line: Input, known: readonly string[]): void {
  for (const [key, value] of line.entries()) {
    const meant = known.find((name) => name !== key && name.toLowerCase() === key.toLowerCase());
    if (meant !== undefined) {
      value.wrong(`is not a field; ${meant} is`);
    }
  }
}

function describe(error: unknown): string {
  if (error instanceof ProblemsError) {
    return error.problems.map(describeProblem).join("; ");
  }
  throw error;
}

/** Members of every line. */
const SETTING_MEMBERS: readonly string[] = ["id", "pod", "ipFamily", "nodeIp", "inventory"];

/**
 * Reads `pod`, `inventory`, `ipFamily` and `nodeIp` of a line. Without `pod` every policy is taken to select the sender.
 * The last two say how the AWS agent enforces and have no effect under `kubernetes`.
 */
function readSetting(line: Input, problems: Problem[], flags: SemanticsFlags): CompileOptions {
  const ipFamily = ADDRESS_FAMILIES.find((family) => family === line.at("ipFamily").value);
  if (line.at("ipFamily").value !== undefined && ipFamily === undefined) {
    line.at("ipFamily").wrong("must be ipv4 or ipv6");
  }
  const common: Omit<CompileOptions, "semantics"> = {
    source: line.at("pod").value === undefined ? SELECTED_BY_EVERY_POLICY : readPod(line.at("pod")),
    ...(line.has("inventory") && { inventory: readInventory(line.at("inventory").list(), problems) }),
  };
  const family = ipFamily ?? flags.ipFamily ?? "ipv4";
  const nodeIp = readNodeIp(line.at("nodeIp"), flags.nodeIp, family);
  if (flags.semantics !== "vpc-cni") {
    return { ...common, semantics: kubernetesSemantics(flags) };
  }
  const { nodeIp: _, ...rest } = flags;
  const semantics = vpcCniSemantics({ ...rest, ipFamily: family });
  return { ...common, semantics: nodeIp === undefined ? semantics : { ...semantics, nodeIp } };
}

/**
 * Reads a list of NetworkPolicies. Their `apiVersion`, `kind` and `metadata` may be missing; one without a namespace is in
 * `default`, as when it is applied.
 */
export function readPolicies(input: Input): readonly NetworkPolicy[] {
  if (input.value === undefined) {
    input.refuse("is missing; it is a list of NetworkPolicies");
  }
  return input.list().map((policy) => readNetworkPolicy(policy));
}

function readPod(input: Input): Source {
  const pod = input.members(["namespace", "labels"]);
  const labels = pod
    .at("labels")
    .entries()
    .map(([key, value]) => [key, value.string() ?? ""]);
  return { namespace: pod.at("namespace").string() ?? "default", labels: Object.fromEntries(labels) };
}

function readNodeIp(input: Input, byDefault: string | undefined, ipFamily: AddressFamily) {
  const value = input.value ?? byDefault;
  if (value === undefined) {
    return undefined;
  }
  const address = typeof value === "string" ? parseAddress(value) : undefined;
  if (address === undefined) {
    input.wrong("must be an address", value);
  } else if (address.family !== ipFamily) {
    input.wrong(`must be of the cluster's family, ${ipFamily} (ipFamily; default ipv4)`, value);
  }
  return address;
}

/** The lines of a stream as they arrive, in batches; empty lines are left out. Numbers count from 1. */
async function* lineBatches(stream: Readable): AsyncGenerator<readonly { number: number; text: string }[]> {
  stream.setEncoding("utf8");
  let number = 0;
  const numbered = (texts: readonly string[]) =>
    texts.map((text) => ({ number: ++number, text })).filter(({ text }) => text.trim() !== "");
  const unfinished: string[] = [];
  for await (const chunk of stream as AsyncIterable<string>) {
    const parts = chunk.split("\n");
    const rest = parts.pop() ?? "";
    if (parts.length > 0) {
      parts[0] = unfinished.join("") + (parts[0] ?? "");
      unfinished.length = 0;
      yield numbered(parts);
    }
    unfinished.push(rest);
  }
  yield numbered([unfinished.join("")]);
}
