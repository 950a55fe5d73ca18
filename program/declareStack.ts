import * as pulumi from "@pulumi/pulumi";
import { ProblemsError } from "../analysis/problems.ts";
import { RunnerEgress } from "../components/runnerEgress.ts";
import type { NetworkFacts } from "../runner/networkFacts.ts";
import { loadConfig } from "./config/loadConfig.ts";
import { lookUpNetwork } from "./lookups/lookUpNetwork.ts";
import { lookUpPolicy } from "./lookups/lookUpPolicy.ts";
import { awsProvider, kubernetesProvider } from "./lookups/providers.ts";
import { LIVE, type Surroundings } from "./lookups/surroundings.ts";

/** The outputs of a stack. */
export interface StackOutputs {
  readonly policyName: pulumi.Output<string>;
  readonly namespace: pulumi.Output<string>;
  readonly facts: NetworkFacts;
}

/**
 * The whole program: reads the config of the stack that runs, looks up its network and the live policy, and registers
 * the policy that follows.
 *
 * @throws {pulumi.RunError} with every problem of a step, before anything is registered that could be written.
 */
export async function declareStack(surroundings: Surroundings = LIVE): Promise<StackOutputs> {
  try {
    return await declare(surroundings);
  } catch (error) {
    // The one error that the SDK prints without a stack trace and without "unhandled exception" (@pulumi/pulumi cmd/run, 3.270).
    throw error instanceof ProblemsError ? new pulumi.RunError(error.message) : error;
  }
}

async function declare(surroundings: Surroundings): Promise<StackOutputs> {
  const config = loadConfig();
  const aws = awsProvider(config.aws);
  const network = await lookUpNetwork(config, aws, surroundings);
  const takeover = await lookUpPolicy(config, network, surroundings);
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
  return { policyName: egress.policyName, namespace: egress.namespace, facts: network.facts };
}
