import { PreviewError, readPreview } from "../../tools/review/index.ts";
import type { StackPlan } from "../../tools/review/plan.ts";
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
  const plan = readable(stack, stdout);
  if (plan !== undefined && (status === 0 || plan.errors.length > 0 || plan.resources.length > 0)) {
    return { status, events: stdout, plan };
  }
  // It ended before the engine could say anything.
  const said = [stdout, stderr].map((text) => text.trim()).filter((text) => text !== "");
  const events = errorEvent(said.join("\n") || `pulumi preview ended with ${status} and said nothing`);
  return { status: status || 1, events, plan: readPreview({ name: `the preview of ${stack}`, text: events, stack }) };
}

function readable(stack: string, text: string): StackPlan | undefined {
  try {
    return readPreview({ name: `the preview of ${stack}`, text, stack });
  } catch (error) {
    if (error instanceof PreviewError) {
      return undefined;
    }
    throw error;
  }
}

/** An engine event for an error that the engine could not tell. */
export function errorEvent(message: string): string {
  return `${JSON.stringify({ sequence: 0, diagnosticEvent: { severity: "error", message } })}\n`;
}
