import {
  type AddressRange,
  contains,
  credentialEndpoints,
  type EgressAnalysis,
  formatAddress,
  overlaps,
  type PortRange,
  type Protocol,
  publicInternet,
  SPECIAL_PURPOSE_BLOCKS,
  verdict,
} from "../../analysis/index.ts";
import type { PlacedBlock } from "./networkFacts.ts";

/** Why a destination that becomes reachable matters to whoever answers for the network; the worst first. */
export const CONCERNS = ["credentials", "private", "pods", "internet"] as const;

/** See {@link CONCERNS}. */
export type Concern = (typeof CONCERNS)[number];

/** Blocks in which networks of one's own live: RFC 1918, RFC 6598 (EKS custom networking, transit networks), RFC 4193. */
const PRIVATE: readonly AddressRange[] = SPECIAL_PURPOSE_BLOCKS.filter(({ name }) =>
  ["private use", "shared address space", "unique local"].includes(name),
).map(({ cidr }) => cidr);

/** Concerns that a newly reachable range raises. */
export function concernsOf(
  { range, protocols, ports }: { range: AddressRange; protocols: readonly Protocol[]; ports: PortRange },
  blocks: readonly PlacedBlock[],
): Concern[] {
  const mine = blocks.filter(({ place }) => place !== undefined).map(({ cidr }) => cidr);
  const found: Readonly<Record<Concern, boolean>> = {
    credentials:
      protocols.includes("TCP") &&
      credentialEndpoints().some(({ cidr, port }) => contains(range, cidr) && ports.from <= port && port <= ports.to),
    private: [...mine, ...PRIVATE].some((block) => overlaps(block, range)),
    pods: false,
    internet: publicInternet(range.family, mine).some((block) => overlaps(block, range)),
  };
  return CONCERNS.filter((concern) => found[concern]);
}

/** Names of what hands out credentials to the pods, in the address families that the readings judge. */
export function openCredentials(analyses: readonly EgressAnalysis[]): string[] {
  const families = new Set(
    analyses.flatMap(({ semantics }) => (semantics.name === "vpc-cni" ? [semantics.ipFamily] : [])),
  );
  return credentialEndpoints()
    .filter(({ cidr }) => families.size === 0 || families.has(cidr.family))
    .filter(({ cidr, port }) =>
      analyses.some((analysis) => {
        const address = { family: cidr.family, value: cidr.first };
        return verdict(analysis, { address, protocol: "TCP", port }) !== "deny";
      }),
    )
    .map(({ cidr, name }) => `${name} ${formatAddress({ family: cidr.family, value: cidr.first })}`);
}

/** Those that a change opens under any reading. */
export function openedCredentials(
  comparisons: readonly { readonly before: EgressAnalysis; readonly after: EgressAnalysis }[],
): string[] {
  const opened = comparisons.flatMap(({ before, after }) => {
    const known = openCredentials([before]);
    return openCredentials([after]).filter((name) => !known.includes(name));
  });
  return [...new Set(opened)];
}
