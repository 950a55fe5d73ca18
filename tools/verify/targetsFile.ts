import { Input } from "../../analysis/input.ts";
import type { Point } from "../../analysis/normalForm.ts";
import { formatPoint, parsePoint } from "../../analysis/point.ts";
import { type Problem, throwIfWrong } from "../../analysis/problems.ts";
import type { ProbeKind } from "./targets.ts";

/** A destination that somebody named. */
export interface NamedTarget {
  readonly name: string;
  readonly point: Point;
  /** What its author expects; compared with the analysis before anything is sent. */
  readonly expect?: "allow" | "deny";
}

/** A target whose proof somebody does without. */
export interface Accepted {
  readonly point: Point;
  readonly reason: string;
}

/** What the targets file says: hosts that really listen, what may stay unproved, and where the probes' image is. */
export interface NamedTargets {
  readonly targets: readonly NamedTarget[];
  readonly accepted: readonly Accepted[];
  /** Reference of an image that the nodes can pull. */
  readonly image?: string;
}

export const NO_NAMED_TARGETS: NamedTargets = { targets: [], accepted: [] };

/** Finds the addresses of a host name. */
type Resolve = (host: string) => Promise<readonly string[]>;

/** A name with a dot and a letter, and what follows its colon. */
const HOST_NAME = /^(?<host>(?=[^:]*[a-z])[a-z0-9-]+(?:\.[a-z0-9-]+)+):(?<rest>.+)$/i;

/**
 * Reads a targets file, already parsed as YAML. A host name becomes one target for each of its addresses now, so that
 * the probes try addresses, and a name that does not resolve is not mistaken for a denial.
 *
 * @throws {ProblemsError} with every problem.
 */
export async function readNamedTargets(input: unknown, resolve: Resolve): Promise<NamedTargets> {
  const problems: Problem[] = [];
  const file = new Input(input ?? {}, "", problems);
  file.object(["targets", "accepted", "image"]);
  const targets: NamedTarget[] = [];
  for (const entry of file.at("targets").list()) {
    entry.object(["name", "to", "expect"]);
    const name = readSentence(entry.at("name"), "what the destination is, such as database");
    const expect = entry.at("expect").choice(["allow", "deny"]);
    const points = await readPoints(entry.at("to"), resolve);
    targets.push(...points.map((point) => ({ name, point, ...(expect && { expect }) })));
  }
  const accepted: Accepted[] = [];
  for (const entry of file.at("accepted").list()) {
    entry.object(["to", "reason"]);
    const reason = readSentence(entry.at("reason"), "why this may stay unproved");
    accepted.push(...(await readPoints(entry.at("to"), resolve)).map((point) => ({ point, reason })));
  }
  const image = file.at("image").string();
  if (image !== undefined && !/^[\w./:@-]+$/.test(image)) {
    file.at("image").wrong("must be the reference of an image, such as registry.example/agnhost:2.53");
  }
  throwIfWrong("The targets file can't be used:", problems);
  return { targets, accepted, ...(image !== undefined && { image }) };
}

/** Why a destination has no {@link probeKindOf}. */
export const UNTRIABLE = "can't be tried: only TCP, and UDP on port 53, surely answer when allowed";

/** How a destination can be tried, if at all. */
export function probeKindOf({ protocol, port }: Pick<Point, "protocol" | "port">): ProbeKind | undefined {
  return protocol === "TCP" ? "tcp" : protocol === "UDP" && port === 53 ? "dns" : undefined;
}

function readSentence(input: Input, meaning: string): string {
  const text = input.string();
  if (!text) {
    input.refuse(`must say ${meaning}`);
  }
  return text ?? "";
}

async function readPoints(input: Input, resolve: Resolve): Promise<Point[]> {
  const text = input.string();
  if (text === undefined) {
    input.refuse("must be ADDRESS:PORT/PROTOCOL or HOST:PORT/PROTOCOL, such as 10.1.100.10:5432/tcp");
    return [];
  }
  const { host, rest } = HOST_NAME.exec(text)?.groups ?? {};
  if (host === undefined) {
    return readPoint(input, text);
  }
  try {
    const addresses = [...(await resolve(host))].sort();
    return addresses.flatMap((address) =>
      readPoint(input, `${address.includes(":") ? `[${address}]` : address}:${rest}`),
    );
  } catch (error) {
    input.wrong(`the name does not resolve here (${(error as Error).message}); give its address`);
    return [];
  }
}

function readPoint(input: Input, text: string): Point[] {
  const point = input.parsed(text, parsePoint);
  if (point !== undefined && probeKindOf(point) === undefined) {
    input.wrong(UNTRIABLE, formatPoint(point));
  }
  return point === undefined ? [] : [point];
}
