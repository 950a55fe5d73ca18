import type { Provider } from "@pulumi/aws/provider.js";
import type { NetworkFacts } from "../../runner/networkFacts.ts";
import { forUser } from "../config/forUser.ts";
import type { StackConfig } from "../config/stackConfig.ts";
import { askAws } from "./askAws.ts";
import { eksKubeconfig } from "./eksKubeconfig.ts";
import { judgeNetwork } from "./judgeNetwork.ts";
import type { Cluster } from "./livePolicy.ts";
import type { Surroundings } from "./surroundings.ts";

/** The live network and the way to its cluster. */
export interface Network {
  readonly facts: NetworkFacts;
  readonly cluster: Cluster;
}

/**
 * Looks up everything that the rules rest on and repeats the warnings of this network.
 *
 * @throws {pulumi.RunError} with every problem, before anything is written.
 */
export async function lookUpNetwork(
  config: StackConfig,
  provider: Provider,
  { log }: Pick<Surroundings, "log">,
): Promise<Network> {
  try {
    const { facts, warnings, apiServer } = judgeNetwork(config, await askAws(config, provider));
    for (const warning of warnings) {
      await log.warn(warning);
    }
    return {
      facts,
      cluster: "context" in apiServer ? apiServer : { kubeconfig: eksKubeconfig(apiServer, config) },
    };
  } catch (error) {
    throw forUser(error);
  }
}
