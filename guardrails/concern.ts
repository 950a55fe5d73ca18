import {
  type AddressFamily,
  AWS_ENDPOINTS,
  type Cidr,
  contains,
  leastSet,
  NAT64_PREFIX,
  nat64Image,
  notGloballyReachable,
  parseCidr,
} from "../analysis/index.ts";
import type { Declaration } from "./declaration.ts";

/**
 * What counts as private in the family that the cluster's pods do not have. Nothing there can be reached or enforced, but
 * a policy that opens it is a mistake all the same. It is no longer list because it cannot be: the AWS agent writes
 * `except`s of the other family into its own map, where an IPv6 one longer than /32 freezes it and a shorter one denies
 * public IPv4 addresses (aws-network-policy-agent #631, seen in its compiler 2026-11). These fall into reserved space.
 */
const OTHER_FAMILY: Readonly<Record<AddressFamily, readonly Cidr[]>> = {
  ipv4: ["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"].map(
    parseCidr,
  ),
  ipv6: ["fc00::/7", "fe80::/10"].map(parseCidr),
};

/** Where public hosts are: all of IPv4, global unicast of IPv6 (RFC 4291) and the public images behind NAT64. */
const PUBLIC_SPACE: Readonly<Record<AddressFamily, readonly Cidr[]>> = {
  ipv4: [parseCidr("0.0.0.0/0")],
  ipv6: [NAT64_PREFIX, parseCidr("2000::/3")],
};

/** Where IPv6 hosts are at all; what the agent denies elsewhere is nobody's loss. */
const INHABITED_IPV6 = [...PUBLIC_SPACE.ipv6, parseCidr("fc00::/7")];

/**
 * Everything that is not public: in the cluster's own family every special-purpose block that is not globally
 * reachable, the VPC's blocks, and behind NAT64 the images of both; in the other family the blocks that can be excepted.
 * Disjoint, in address order.
 */
export function privateSpace({ cluster, vpcCidrs }: Pick<Declaration, "cluster" | "vpcCidrs">): Cidr[] {
  const { ipFamily } = cluster;
  const ipv4 = [...notGloballyReachable("ipv4"), ...vpcCidrs.filter(({ family }) => family === "ipv4")];
  const own =
    ipFamily === "ipv4"
      ? ipv4
      : [
          ...notGloballyReachable("ipv6"),
          ...vpcCidrs.filter(({ family }) => family === "ipv6"),
          ...leastSet(ipv4).map(nat64Image),
        ];
  return leastSet([...own, ...OTHER_FAMILY[otherFamily(ipFamily)]]);
}

/** Where the public internet of the cluster's family is, and what of it is private after all or not meant to be reached. */
export function publicInternet(declaration: Declaration): { readonly cidr: Cidr; readonly excepts: Cidr[] }[] {
  const { publicReach } = declaration;
  if (publicReach === "none") {
    return [];
  }
  const concern = leastSet([...privateSpace(declaration), ...(publicReach?.except ?? [])]);
  return (publicReach?.blocks ?? publicSpace(declaration)).map((cidr) => ({
    cidr,
    excepts: concern.filter((block) => contains(cidr, block)),
  }));
}

/** Where public hosts of the cluster's family are, private blocks included. */
export function publicSpace({ cluster }: Pick<Declaration, "cluster">): readonly Cidr[] {
  return PUBLIC_SPACE[cluster.ipFamily];
}

/** Space in which a denial can be felt. */
export function inhabitedSpace(): Cidr[] {
  return [...PUBLIC_SPACE.ipv4, ...INHABITED_IPV6];
}

/** A metadata or credential service of AWS. */
export interface CredentialEndpoint {
  readonly name: string;
  /** The single address. */
  readonly cidr: Cidr;
  /** EKS Pod Identity: a runner may need it, and then declares it. */
  readonly declarable: boolean;
}

/** The endpoints that hand out credentials, and in an IPv6 cluster the NAT64 images of the IPv4 ones. */
export function credentialEndpoints(ipFamily: AddressFamily): CredentialEndpoint[] {
  return AWS_ENDPOINTS.filter(({ givesCredentials }) => givesCredentials).flatMap(({ cidr, name }) => {
    const endpoint = { name, cidr, declarable: name.includes("Pod Identity") };
    return cidr.family === "ipv4" && ipFamily === "ipv6"
      ? [endpoint, { ...endpoint, name: `${name} behind NAT64`, cidr: nat64Image(cidr) }]
      : [endpoint];
  });
}

export function otherFamily(family: AddressFamily): AddressFamily {
  return family === "ipv4" ? "ipv6" : "ipv4";
}
