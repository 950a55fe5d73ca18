import { getSubnet } from "@pulumi/aws/ec2/getSubnet.js";
import { getSubnets } from "@pulumi/aws/ec2/getSubnets.js";
import { getVpc } from "@pulumi/aws/ec2/getVpc.js";
import { getAddon } from "@pulumi/aws/eks/getAddon.js";
import { getCluster } from "@pulumi/aws/eks/getCluster.js";
import type { Provider } from "@pulumi/aws/provider.js";
import { getSubnetGroup } from "@pulumi/aws/rds/getSubnetGroup.js";
import type { StackConfig } from "../config/stackConfig.ts";
import { askQuestions } from "./askQuestions.ts";
import type { AwsAnswers } from "./awsAnswers.ts";

/** Asks AWS everything that the rules rest on. Never throws. */
export function askAws(config: StackConfig, provider: Provider): Promise<AwsAnswers> {
  const from = { provider };
  return askQuestions(config, {
    getCluster: (args) => getCluster(args, from),
    getAddon: (args) => getAddon(args, from),
    getVpc: (args) => getVpc(args, from),
    getSubnetGroup: (args) => getSubnetGroup(args, from),
    getSubnets: (args) => getSubnets(args, from),
    getSubnet: (args) => getSubnet(args, from),
  });
}
