import {
  type AddressRange,
  contains,
  credentialEndpoints,
  type NamedAddresses,
  overlaps,
  type PortRange,
  type Protocol,
  publicInternet,
  SPECIAL_PURPOSE_BLOCKS,
} from "../../analysis/index.ts";

/** Why a destination that becomes reachable matters to whoever answers for the network; the worst first. */
export const CONCERNS = ["credentials", "private", "pods", "internet"] as const;

/** See {@link CONCERNS}. */
export type Concern = (typeof CONCERNS)[number];

/** Blocks in which networks of one's own live: RFC 1918, RFC 6598 (EKS custom networking, transit networks), RFC 4193. */
const PRIVATE: readonly AddressRange[] = SPECIAL_PURPOSE_BLOCKS.filter(({ name }) =>
  ["private use", "shared address space", "unique local"].includes(name),
).map(({ cidr }) => cidr);

/** Concerns that a newly reachable range raises; `own` are the blocks of the VPC and the cluster. */
export function concernsOf(
  { range, protocols, ports }: { range: AddressRange; protocols: readonly Protocol[]; ports: PortRange },
  own: readonly NamedAddresses[],
): Concern[] {
  const mine = own.map(({ cidr }) => cidr);
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
