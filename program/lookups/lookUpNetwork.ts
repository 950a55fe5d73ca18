import type { Provider } from "@pulumi/aws/provider.js";
import { ProblemsError } from "../../analysis/problems.ts";
import type { NetworkFacts } from "../../runner/networkFacts.ts";
import type { StackConfig } from "../config/stackConfig.ts";
import { differencesFrom } from "../facts/differences.ts";
import { recordedFacts } from "../facts/recordAnswers.ts";
import type { RecordedFacts } from "../facts/recordedFacts.ts";
import { recordCommandOf } from "../facts/recordedFactsFile.ts";
import { askAws } from "./askAws.ts";
import { eksKubeconfig } from "./eksKubeconfig.ts";
import { type JudgedNetwork, judgeNetwork } from "./judgeNetwork.ts";
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
 * @throws {ProblemsError} with every problem, before anything is written.
 */
export async function lookUpNetwork(
  config: StackConfig,
  provider: Provider,
  { log, readRecorded }: Pick<Surroundings, "log" | "readRecorded">,
): Promise<Network> {
  const answers = await askAws(config, provider);
  const network = judgeNetwork(config, answers);
  const { facts, warnings, apiServer } = network;
  const stack = config.stack.slice(config.stack.lastIndexOf("/") + 1);
  const unrecorded = readRecorded === undefined ? [] : await recordWarnings(config, network, stack, readRecorded);
  for (const warning of [...warnings, ...unrecorded]) {
    await log.warn(warning);
  }
  return {
    facts,
    cluster: "context" in apiServer ? apiServer : { kubeconfig: eksKubeconfig(apiServer, config) },
  };
}

/** What the reviewed record does not say of the live network. A warning: the policy pack judges by the record and refuses. */
async function recordWarnings(
  config: StackConfig,
  network: JudgedNetwork,
  stack: string,
  readRecorded: NonNullable<Surroundings["readRecorded"]>,
): Promise<string[]> {
  const record = `run \`${recordCommandOf(stack)}\` and have the change of facts/${stack}.json reviewed`;
  let recorded: RecordedFacts;
  try {
    recorded = await readRecorded(stack);
  } catch (error) {
    if (error instanceof ProblemsError) {
      return [`${error.message}\nThe policy pack refuses a network that nobody recorded: ${record}`];
    }
    throw error;
  }
  const live = recordedFacts(config, network, recorded);
  const differences = differencesFrom(recorded, live).map((line) => `\n  - ${line}`);
  return [
    ...(recorded.placeholders.length === 0
      ? []
      : [`facts/${stack}.json has placeholders for ${recorded.placeholders.join(", ")}: ${record}`]),
    ...(differences.length === 0
      ? []
      : [
          `the network is not the one in facts/${stack}.json, by which the policy pack judges:${differences.join("")}\n` +
            `If that was meant, ${record} (docs/promotion.md, When the network changes)`,
        ]),
  ];
}
