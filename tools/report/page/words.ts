import {
  type Cidr,
  cidrKey,
  formatCidr,
  formatPorts,
  type NamedAddresses,
  namesIn,
  SPECIAL_PURPOSE_BLOCKS,
  type Verdict,
} from "../../../analysis/index.ts";
import type { PortTable } from "../../../analysis/ports.ts";
import type { ReportReading } from "../reportData.ts";
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

export const READING_WORDS: Readonly<Record<ReportReading["name"], string>> = {
  "vpc-cni": "as the VPC CNI enforces it",
  kubernetes: "as Kubernetes specifies it",
};

export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  allow: "allowed",
  deny: "denied",
  "order-dependent": "at random",
};

/** What a table allows: `nothing`, `all ports`, `TCP 5432, UDP 53`. */
export function allowedPorts(table: PortTable): string {
  const parts: string[] = [];
  let isAll = true;
  for (const [protocol, spans] of Object.entries(table.spans)) {
    for (const { from, to, verdict } of spans) {
      isAll &&= verdict === "allow";
      if (verdict !== "deny") {
        const isPortless = protocol === "ICMP" || protocol === "ICMPv6" || protocol === "GRE";
        parts.push(
          `${protocol}${isPortless ? "" : ` ${formatPorts({ from, to })}`}${verdict === "allow" ? "" : " (at random)"}`,
        );
      }
    }
  }
  return parts.length === 0 ? "nothing" : isAll ? "every protocol and port" : parts.join(", ");
}

/** The name of exactly this block where somebody gave it one, else what is known about its surroundings. */
export function nameOfBlock(cidr: Cidr, names: readonly NamedAddresses[]): string {
  const own = names.find((known) => cidrKey(known.cidr) === cidrKey(cidr))?.name;
  const registry = SPECIAL_PURPOSE_BLOCKS.find((row) => cidrKey(row.cidr) === cidrKey(cidr));
  const text = formatCidr(cidr);
  return own !== undefined
    ? own.replace(` (${text})`, "")
    : registry !== undefined
      ? `${registry.name} (${registry.reference})`
      : (namesIn(cidr, names)[0] ?? "").replace(`${text}, `, "");
}
