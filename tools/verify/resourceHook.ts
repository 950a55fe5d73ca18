import * as pulumi from "@pulumi/pulumi";
import type { NetworkPolicy } from "../../analysis/networkPolicy.ts";
import { parseNetworkPolicies } from "../../analysis/parseNetworkPolicy.ts";
import { runVerify, type VerifyOptions } from "./run.ts";

/** What a hook verifies with; the policy is the resource's own. */
export type VerifyHookOptions = Omit<VerifyOptions, "policy" | "dryRun">;

const NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";

/** Longer than any run with the default times; a hook must not hold an update for ever. */
const PATIENCE_MILLISECONDS = 10 * 60 * 1000;

/**
 * A transform for `RunnerEgress` (or any component) that verifies each NetworkPolicy in it right after it was created or
 * updated, as `egress verify` does. Anything but "verified" fails the update (engines of 3.238 and later); the policy
 * stays as it was applied, because what is applied can't be taken back by a hook.
 *
 * @example
 * new RunnerEgress("runner-egress", args, { transforms: [verifyAfterwards({ context: "staging" })] });
 */
export function verifyAfterwards(options: VerifyHookOptions = {}): pulumi.ResourceTransform {
  const hook = new pulumi.ResourceHook("egress-verify", (args) => verifyResource(args, options));
  return ({ custom, type, props, opts }) =>
    custom && type === NETWORK_POLICY
      ? { props, opts: { ...opts, hooks: { afterCreate: [hook], afterUpdate: [hook] } } }
      : undefined;
}

/**
 * What the hook does.
 *
 * @throws {Error} unless the policy is verified.
 */
export async function verifyResource(
  { newInputs }: Pick<pulumi.ResourceHookArgs, "newInputs">,
  options: VerifyHookOptions,
): Promise<void> {
  const [policy] = parseNetworkPolicies([newInputs]) as [NetworkPolicy];
  const messages: Promise<void>[] = [];
  const notes: string[] = [];
  const code = await runVerify(
    { ...options, policy },
    {
      write: (text) => messages.push(pulumi.log.info(text)),
      note: (line) => notes.push(line),
      signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
    },
  );
  await Promise.all(messages);
  if (code !== 0) {
    const how = code === 1 ? "contradicted" : code === 2 ? "not proved" : `not run (${notes.at(-1)})`;
    throw new Error(`the policy is applied, but egress verify was ${how}; the report is above (docs/verify.md)`);
  }
}
