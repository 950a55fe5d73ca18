import type * as pulumi from "@pulumi/pulumi";
import { RunnerEgress } from "./components/runnerEgress.ts";
import { loadConfig } from "./program/config/loadConfig.ts";
import { lookUpNetwork } from "./program/lookups/lookUpNetwork.ts";
import { lookUpPolicy } from "./program/lookups/lookUpPolicy.ts";
import { awsProvider, kubernetesProvider } from "./program/lookups/providers.ts";

const config = loadConfig();

const aws = awsProvider(config.aws);

const network = await lookUpNetwork(config, aws);
const takeover = await lookUpPolicy(config, network);

const kubernetes = kubernetesProvider(config, network.cluster);

const egress = new RunnerEgress(
  "runner-egress",
  {
    contract: config.contract,
    facts: network.facts,
    annotations: takeover.annotations,
    adopt: takeover.adopt,
  },
  // The rules rest on what that provider found; so a destroy that protection refuses leaves the provider alone, too.
  { providers: [kubernetes], protect: !takeover.replaces, dependsOn: [aws] },
);

export const policyName: pulumi.Output<string> = egress.policyName;
export const namespace: pulumi.Output<string> = egress.namespace;
export const facts = network.facts;
