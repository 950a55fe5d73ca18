import {
  type AddressRange,
  AWS_ENDPOINTS,
  contains,
  type NamedAddresses,
  overlaps,
  type PortRange,
  type Protocol,
  SPECIAL_PURPOSE_BLOCKS,
  specialPurposeBlockOf,
} from "../../analysis/index.ts";

/** Why a destination that becomes reachable matters to whoever answers for the network; the worst first. */
export const CONCERNS = ["credentials", "private", "pods", "internet"] as const;

/** See {@link CONCERNS}. */
export type Concern = (typeof CONCERNS)[number];

/** Services that hand out AWS credentials to whoever asks, on TCP 80 (EC2, ECS and EKS user guides, as of 2026-07). */
const CREDENTIALS: readonly AddressRange[] = AWS_ENDPOINTS.filter(({ givesCredentials }) => givesCredentials).map(
  ({ cidr }) => cidr,
);
/** The port of those services. */
export const CREDENTIALS_PORT = 80;

/** Blocks in which networks of one's own live: RFC 1918, RFC 6598 (EKS custom networking, transit networks), RFC 4193. */
const PRIVATE: readonly AddressRange[] = SPECIAL_PURPOSE_BLOCKS.filter(({ name }) =>
  ["private use", "shared address space", "unique local"].includes(name),
).map(({ cidr }) => cidr);

/** What is to be thought of when a box of addresses becomes reachable; `own` are the blocks of the VPC and the cluster. */
export function concernsOf(
  { range, protocols, ports }: { range: AddressRange; protocols: readonly Protocol[]; ports: PortRange },
  own: readonly NamedAddresses[],
): Concern[] {
  const hasCredentials =
    protocols.includes("TCP") &&
    ports.from <= CREDENTIALS_PORT &&
    CREDENTIALS_PORT <= ports.to &&
    CREDENTIALS.some((address) => contains(range, address));
  const mine = own.map(({ cidr }) => cidr);
  const isPrivate = [...mine, ...PRIVATE].some((block) => overlaps(block, range));
  const isInternet =
    (specialPurposeBlockOf(range)?.globallyReachable ?? "yes") === "yes" &&
    !mine.some((block) => contains(block, range));
  return CONCERNS.filter(
    (concern) => ({ credentials: hasCredentials, private: isPrivate, pods: false, internet: isInternet })[concern],
  );
}
