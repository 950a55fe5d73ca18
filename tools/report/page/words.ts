import { tableChanges } from "../../../analysis/boxes.ts";
import {
  type Cidr,
  cidrKey,
  formatCidr,
  type NamedAddresses,
  namesIn,
  PROTOCOLS,
  SPECIAL_PURPOSE_BLOCKS,
  type Verdict,
} from "../../../analysis/index.ts";
import { type PortTable, uniformTable } from "../../../analysis/ports.ts";
import { formatRowPorts } from "../../review/rows.ts";
import { shortName } from "../../review/wording.ts";
import type { Tone } from "../tones.ts";

/** What a tone means, for the legend and for readers who can't see it. */
export const TONE_WORDS: Readonly<Record<Tone, string>> = {
  open: "allowed",
  ports: "some ports allowed",
  closed: "denied",
  random: "allowed or denied at random",
  gained: "newly allowed",
  lost: "no longer allowed",
  narrowed: "partly closed",
  both: "partly opened, partly closed",
};

/** The tone of one verdict. */
export const VERDICT_TONES: Readonly<Record<Verdict, Tone>> = {
  allow: "open",
  deny: "closed",
  "order-dependent": "random",
};

const NOTHING = uniformTable("deny", PROTOCOLS);

/** What a table allows: `nothing`, `every protocol and port`, `TCP 5432, UDP 53`. */
export function allowedPorts(table: PortTable): string {
  const spans = Object.values(table.spans).flat();
  if (spans.every(({ verdict }) => verdict === "allow")) {
    return formatRowPorts({ protocols: "all", ports: { from: 0, to: 65535 } });
  }
  const allowed = tableChanges(NOTHING, table).map(
    ({ after, ...change }) => `${formatRowPorts(change)}${after === "allow" ? "" : " (at random)"}`,
  );
  return allowed.join(", ") || "nothing";
}

/** The name of exactly this block where somebody gave it one, else what is known about its surroundings. */
export function nameOfBlock(cidr: Cidr, names: readonly NamedAddresses[]): string {
  const key = cidrKey(cidr);
  const registry = SPECIAL_PURPOSE_BLOCKS.find((row) => cidrKey(row.cidr) === key);
  const name =
    names.find((known) => cidrKey(known.cidr) === key)?.name ??
    (registry === undefined ? namesIn(cidr, names)[0] : `${registry.name} (${registry.reference})`) ??
    "";
  return shortName(name, formatCidr(cidr));
}
