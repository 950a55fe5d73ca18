import { existsSync } from "node:fs";
import { capture } from "../../tools/command.ts";
import { Refusal } from "../../tools/refusal.ts";
import { readPreview } from "../../tools/review/index.ts";
import type { StackPlan } from "../../tools/review/plan.ts";

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
  requireSurroundings();
  const { status, stdout, stderr } = await capture("pulumi", ["preview", "--json", ...stackArguments(stack), ...more], {
    env: { PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "1" },
  });
  // An engine that stops early says why on stderr alone: a pack or a plugin that can't be had, a config that can't be read.
  const isCutOff = status !== 0 && !stdout.includes('"summaryEvent":');
  const reason = stderr.trim().replace(/^error: /, "") || `pulumi preview ended with ${status} and said nothing`;
  const events = isCutOff ? `${stdout.trim()}\n${errorEvent(reason)}`.trimStart() : stdout;
  return { status, events, plan: readPreview({ name: `the preview of ${stack}`, text: events, stack }) };
}

/** GitHub makes an environment that nobody has set up, with no rules and no variables, for a job that names it. */
function requireSurroundings(): void {
  const missing = ["AWS_ACCESS_KEY_ID", "AWS_REGION", "PULUMI_BACKEND_URL"].filter((name) => !process.env[name]);
  if (process.env.GITHUB_ACTIONS === "true" && missing.length > 0) {
    throw new Refusal(
      "This job has no role or no state, which come from variables of its environment and its repository:",
      [
        `not set: ${missing.join(", ")}`,
        "the variables are missing, or the environment was renamed; runner-egress setup --check says which (docs/promotion.md)",
      ],
    );
  }
}

/** An engine event for an error that the engine could not tell. */
export function errorEvent(message: string): string {
  return `${JSON.stringify({ sequence: 0, diagnosticEvent: { severity: "error", message } })}\n`;
}
