import { expect } from "vitest";
import type { StackConfig } from "../../program/config/stackConfig.ts";
import type { AwsAnswers } from "../../program/lookups/awsAnswers.ts";
import { judgeNetwork } from "../../program/lookups/judgeNetwork.ts";
import { awsAnswers, stackConfig } from "./awsAnswers.ts";

/** Answers that differ from good ones. */
export type Answers = Parameters<typeof awsAnswers>[0];

/** What is found in answers that differ from good ones. */
export const judge = (answers: Answers = {}, config: Partial<StackConfig> = {}) =>
  judgeNetwork(stackConfig(config), awsAnswers(answers));

/** The problems of such answers, as their reader sees them. */
export function problemsOf(answers: Answers, config: Partial<StackConfig> = {}): string[] {
  try {
    judge(answers, config);
  } catch (error) {
    const [heading, ...lines] = (error as Error).message.split("\n");
    expect(heading).toBe("The network can't be relied on; nothing was written:");
    return lines.map((line) => line.slice(4));
  }
  return [];
}

/** The answer for an add-on with network policy on. */
export const addOn = (
  addonVersion?: string,
  configurationValues = '{"enableNetworkPolicy":"true"}',
): AwsAnswers["addOn"] => ({
  found: { ...(addonVersion !== undefined && { addonVersion }), configurationValues },
});
