import { askQuestions } from "../lookups/askQuestions.ts";
import { type JudgedNetwork, judgeNetwork } from "../lookups/judgeNetwork.ts";
import type { StackFiles } from "../stackFiles.ts";
import { recordedLookups } from "./recordedLookups.ts";

/**
 * The network that is recorded of a stack, judged as a live one is.
 *
 * @throws {ProblemsError} with everything for which the program would refuse it
 */
export async function recordedNetwork({ config, facts }: Pick<StackFiles, "config" | "facts">): Promise<JudgedNetwork> {
  return judgeNetwork(config, await askQuestions(config, recordedLookups(facts)));
}
