import { InputReader } from "../../analysis/inputReader.ts";
import { formatPoint, type Point, parsePoint } from "../../analysis/point.ts";
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
export type Resolve = (host: string) => Promise<readonly string[]>;

/** A name with a dot and a letter, and what follows its colon. */
const HOST_NAME = /^(?<host>(?=[^:]*[a-z])[a-z0-9-]+(?:\.[a-z0-9-]+)+):(?<rest>.+)$/i;

/**
 * Reads a targets file, already parsed as YAML. A host name becomes one target for each of its addresses now, so that
 * the probes try addresses, and a name that does not resolve is not mistaken for a denial.
 *
 * @throws {ProblemsError} with every problem.
 */
export async function readNamedTargets(input: unknown, resolve: Resolve): Promise<NamedTargets> {
  const reader = new TargetsReader(resolve);
  const { targets, accepted, image } = reader.fields(input ?? {}, "targets file", ["targets", "accepted", "image"]);
  const named: NamedTarget[] = [];
  for (const [index, entry] of reader.list(targets, "targets").entries()) {
    named.push(...(await reader.target(entry, `targets[${index}]`)));
  }
  const waived: Accepted[] = [];
  for (const [index, entry] of reader.list(accepted, "accepted").entries()) {
    waived.push(...(await reader.accepted(entry, `accepted[${index}]`)));
  }
  const reference = reader.image(image, "image");
  reader.throwIfWrong("The targets file can't be used:");
  return { targets: named, accepted: waived, ...(reference !== undefined && { image: reference }) };
}

/** Why a destination has no {@link probeKindOf}. */
export const UNTRIABLE = "can't be tried: only TCP, and UDP on port 53, surely answer when allowed";

/** How a destination can be tried, if at all. */
export function probeKindOf({ protocol, port }: Pick<Point, "protocol" | "port">): ProbeKind | undefined {
  return protocol === "TCP" ? "tcp" : protocol === "UDP" && port === 53 ? "dns" : undefined;
}

class TargetsReader extends InputReader {
  private readonly resolve: Resolve;

  constructor(resolve: Resolve) {
    super();
    this.resolve = resolve;
  }

  async target(input: unknown, path: string): Promise<NamedTarget[]> {
    const { name, to, expect } = this.fields(input, path, ["name", "to", "expect"]);
    const text = this.sentence(name, `${path}.name`, "what the destination is, such as database");
    if (expect !== undefined && expect !== "allow" && expect !== "deny") {
      this.report(`${path}.expect`, expect, "must be allow or deny, or left out");
    }
    const expected: Pick<NamedTarget, "expect"> = expect === "allow" || expect === "deny" ? { expect } : {};
    return (await this.points(to, `${path}.to`)).map((point) => ({ name: text, point, ...expected }));
  }

  async accepted(input: unknown, path: string): Promise<Accepted[]> {
    const { to, reason } = this.fields(input, path, ["to", "reason"]);
    const text = this.sentence(reason, `${path}.reason`, "why this may stay unproved");
    return (await this.points(to, `${path}.to`)).map((point) => ({ point, reason: text }));
  }

  image(input: unknown, path: string): string | undefined {
    const text = this.text(input, path);
    if (text !== undefined && !/^[\w./:@-]+$/.test(text)) {
      this.report(path, text, "must be the reference of an image, such as registry.example/agnhost:2.53");
    }
    return text;
  }

  private sentence(input: unknown, path: string, meaning: string): string {
    const text = this.text(input, path);
    if (text === undefined || text === "") {
      this.report(path, undefined, `must say ${meaning}`);
    }
    return text ?? "";
  }

  private async points(input: unknown, path: string): Promise<Point[]> {
    const text = this.text(input, path);
    if (text === undefined) {
      this.report(path, undefined, "must be ADDRESS:PORT/PROTOCOL or HOST:PORT/PROTOCOL, such as 10.1.100.10:5432/tcp");
      return [];
    }
    const { host, rest } = HOST_NAME.exec(text)?.groups ?? {};
    if (host === undefined) {
      return this.point(text, path);
    }
    try {
      const addresses = [...(await this.resolve(host))].sort();
      return addresses.flatMap((address) =>
        this.point(`${address.includes(":") ? `[${address}]` : address}:${rest}`, path),
      );
    } catch (error) {
      this.report(path, text, `the name does not resolve here (${(error as Error).message}); give its address`);
      return [];
    }
  }

  private point(text: string, path: string): Point[] {
    try {
      const point = parsePoint(text);
      if (probeKindOf(point) !== undefined) {
        return [point];
      }
      this.report(path, formatPoint(point), UNTRIABLE);
    } catch (error) {
      this.report(path, undefined, (error as RangeError).message);
    }
    return [];
  }
}
