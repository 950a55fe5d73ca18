import { readPreview } from "../../review/index.ts";
import type { StackPlan } from "../../review/plan.ts";
import { capture } from "./command.ts";

/** A preview: the engine's events and what they say. */
export interface Preview {
  readonly status: number;
  /** One event a line. */
  readonly events: string;
  readonly plan: StackPlan;
}

/** Arguments that every engine run of a stack has, the policy pack with the stack's own settings among them. */
export function stackArguments(stack: string): string[] {
  return [
    ...["--stack", stack, "--non-interactive", "--refresh"],
    ...["--policy-pack", "policy-pack", "--policy-pack-config", `policy-pack/config.${stack}.json`],
  ];
}

/**
 * Previews a stack with the policy pack, against the cluster as it is now. A preview that fails is an answer too: its
 * plan has errors.
 */
export async function previewStack(stack: string, ...more: readonly string[]): Promise<Preview> {
  const { status, stdout, stderr } = await capture("pulumi", ["preview", "--json", ...stackArguments(stack), ...more], {
    PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "1",
  });
  const read = (events: string) => readPreview({ name: `the preview of ${stack}`, text: events, stack });
  if (stdout.trim() !== "") {
    const plan = read(stdout);
    if (status === 0 || plan.errors.length > 0 || plan.resources.length > 0) {
      return { status, events: stdout, plan };
    }
  }
  const events = stdout + errorEvent(stderr.trim() || `pulumi preview ended with ${status} and said nothing`);
  return { status, events, plan: read(events) };
}

/** An engine event for an error that the engine could not tell. */
export function errorEvent(message: string): string {
  return `${JSON.stringify({ diagnosticEvent: { severity: "error", message } })}\n`;
}
