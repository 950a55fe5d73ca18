import { existsSync } from "node:fs";
import { readPreview } from "../../tools/review/index.ts";
import type { StackPlan } from "../../tools/review/plan.ts";
import { capture } from "./command.ts";

/** A preview: the engine's events and what they say. */
export interface Preview {
  readonly status: number;
  /** One event a line. */
  readonly events: string;
  readonly plan: StackPlan;
}

/**
 * Arguments that every engine run of a stack has. The policy pack reads the stack's own files; `policy-pack/config.STACK.json`
 * is there only where a stack has other enforcement levels, or a deployed state.
 */
export function stackArguments(stack: string): string[] {
  const config = `policy-pack/config.${stack}.json`;
  return [
    ...["--stack", stack, "--non-interactive", "--refresh", "--policy-pack", "policy-pack"],
    ...(existsSync(config) ? ["--policy-pack-config", config] : []),
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
  // An engine that stops early says why on stderr alone: a pack or a plugin that can't be had, a config that can't be read.
  const isCutOff = status !== 0 && !stdout.includes('"summaryEvent":');
  const reason = stderr.trim().replace(/^error: /, "") || `pulumi preview ended with ${status} and said nothing`;
  const events = isCutOff ? `${stdout.trim()}\n${errorEvent(reason)}`.trimStart() : stdout;
  return { status, events, plan: readPreview({ name: `the preview of ${stack}`, text: events, stack }) };
}

/** An engine event for an error that the engine could not tell. */
export function errorEvent(message: string): string {
  return `${JSON.stringify({ sequence: 0, diagnosticEvent: { severity: "error", message } })}\n`;
}
