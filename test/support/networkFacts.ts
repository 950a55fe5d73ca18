import type { AddressFamily } from "../../analysis/address.ts";
import type { NetworkFacts } from "../../runner/networkFacts.ts";

/** The facts of KeeperHub's staging as its pull request 1430 has them; `network` is the first two bytes of the VPC. */
export function keeperhubFacts(network: "10.0" | "10.1" = "10.1"): NetworkFacts {
  return networkFacts({
    ipv4Cidrs: [`${network}.0.0/16`],
    databaseCidrs: [`${network}.100.0/24`, `${network}.101.0/24`, `${network}.102.0/24`],
  });
}

/** Facts with the parts that a test cares about; one subnet for each database block. */
export function networkFacts({
  ipv4Cidrs = ["10.1.0.0/16"],
  ipv6Cidrs = [],
  databaseCidrs = ["10.1.100.0/24"],
  ipFamily = "ipv4",
}: {
  ipv4Cidrs?: readonly string[];
  ipv6Cidrs?: readonly string[];
  databaseCidrs?: readonly string[];
  ipFamily?: AddressFamily;
} = {}): NetworkFacts {
  return {
    vpc: { id: "vpc-1", region: "us-east-1", ipv4Cidrs, ipv6Cidrs },
    databaseSubnets: databaseCidrs.map((cidr, index) => ({ id: `subnet-${index}`, cidrs: [cidr] })),
    cluster: { name: "techops-staging", ipFamily, serviceCidr: "172.20.0.0/16" },
    addOn: { version: "v1.21.1-eksbuild.1", agentVersion: "1.3.1", networkPolicyEnabled: true, acknowledged: [] },
  };
}
