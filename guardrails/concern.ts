import {
  type AddressFamily,
  type Cidr,
  contains,
  leastSet,
  parseCidr,
  privateSpace as privateSpaceOf,
  UNICAST_SPACE,
} from "../analysis/index.ts";
import type { Declaration } from "./declaration.ts";

export { type CredentialEndpoint, credentialEndpoints } from "../analysis/index.ts";

/** Where IPv6 hosts are at all; what the agent denies elsewhere is nobody's loss. */
const INHABITED_IPV6 = [...UNICAST_SPACE.ipv6, parseCidr("fc00::/7")];

/** Everything that is not public for a cluster, as {@link privateSpaceOf} has it. */
export function privateSpace({ cluster, vpcCidrs }: Pick<Declaration, "cluster" | "vpcCidrs">): Cidr[] {
  return privateSpaceOf(cluster.ipFamily, vpcCidrs);
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
  return UNICAST_SPACE[cluster.ipFamily];
}

/** Space in which a denial can be felt. */
export function inhabitedSpace(): Cidr[] {
  return [...UNICAST_SPACE.ipv4, ...INHABITED_IPV6];
}

export function otherFamily(family: AddressFamily): AddressFamily {
  return family === "ipv4" ? "ipv6" : "ipv4";
}
