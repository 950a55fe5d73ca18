import type { StackConfig } from "../../program/config/stackConfig.ts";
import type { AwsAnswers, SubnetAnswer } from "../../program/lookups/awsAnswers.ts";
import { KEEPERHUB_CONTRACT } from "../../runner/contract.ts";

/** The config of a staging stack, with the parts that a test changes. */
export function stackConfig(changes: Partial<StackConfig> = {}): StackConfig {
  return {
    stack: "runner-egress/staging",
    aws: { region: "us-east-1" },
    cluster: { eks: "techops-staging" },
    vpc: { name: "techops-staging" },
    databaseSubnets: { subnetGroup: "techops-staging-db" },
    contract: KEEPERHUB_CONTRACT,
    adopt: false,
    mustReach: { endpoints: [] },
    acknowledge: new Map(),
    acknowledgedReach: [],
    ...changes,
  };
}

/** What AWS answers for staging when all is well, with the answers that a test changes; `undefined` takes one away. */
export function awsAnswers(changes: { [Name in keyof AwsAnswers]?: AwsAnswers[Name] | undefined } = {}): AwsAnswers {
  const answers = {
    cluster: {
      found: {
        endpoint: "https://eks.example",
        certificateAuthorities: [{ data: "Q0E=" }],
        vpcConfig: { vpcId: "vpc-1" },
        kubernetesNetworkConfigs: [{ ipFamily: "ipv4", serviceIpv4Cidr: "172.20.0.0/16", serviceIpv6Cidr: "" }],
      },
    },
    addOn: { found: { addonVersion: "v1.21.1-eksbuild.1", configurationValues: '{"enableNetworkPolicy":"true"}' } },
    vpc: {
      found: {
        id: "vpc-1",
        cidrBlockAssociations: [{ cidrBlock: "10.1.0.0/16", state: "associated" }],
        ipv6CidrBlockAssociations: [],
      },
    },
    subnetGroup: { found: { vpcId: "vpc-1", subnetIds: ["subnet-a"] } },
    subnets: subnets({ "subnet-a": { cidrBlock: "10.1.100.0/24" } }),
    ...changes,
  };
  return Object.fromEntries(
    Object.entries(answers).filter(([, answer]) => answer !== undefined),
  ) as unknown as AwsAnswers;
}

/** Subnets that were found, by id; in the VPC unless they say otherwise. */
export function subnets(found: Readonly<Record<string, SubnetAnswer>>): AwsAnswers["subnets"] {
  return new Map(
    Object.entries(found).map(([id, subnet]) => [id, { found: { id, vpcId: "vpc-1", ipv6CidrBlock: "", ...subnet } }]),
  );
}
