import { readProject } from "../../../../tools/offline/engine/project.ts";
import type { Run } from "../../../../tools/offline/engine/run.ts";
import { type ConfigValues, readStackConfig } from "../../../../tools/offline/engine/stackConfig.ts";
import type { Invocation, Registration } from "../../../../tools/offline/engine/transcript.ts";
import { messages } from "../../../../tools/offline/report/stackReport.ts";
import { type OfflineStack, runStack } from "../../../../tools/offline/runStack.ts";

/** The repository's own project. */
export const project = await readProject(".");

export const COMPONENT = "runner-egress:index:RunnerEgress";
export const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";

/** Runs the real program for a stack; `config` is set on top of what the stack's file says. */
export async function run(
  stack: string,
  { config = {}, ...world }: Partial<Omit<OfflineStack, "config">> & { config?: ConfigValues } = {},
): Promise<Run> {
  const own = await readStackConfig(project, stack);
  return runStack({ project, stack, config: { ...own, ...config }, ...world });
}

/** The only resource of a type. */
export function only({ registrations }: Pick<Run, "registrations">, type: string): Registration {
  const [found, ...others] = registrations.filter((registration) => registration.type === type);
  if (found === undefined || others.length > 0) {
    throw new Error(`expected one ${type}, got ${others.length + 1}`);
  }
  return found;
}

/** What a user sees as errors, in one text. */
export function errorsOf({ diagnostics }: Run): string {
  return messages(diagnostics, "error").join("\n");
}

/** What a user sees as warnings, in one text. */
export function warningsOf({ diagnostics }: Run): string {
  return messages(diagnostics, "warning").join("\n");
}

/** Calls by token and arguments, in an order of their own: the program makes them in parallel. */
export function callsOf(invocations: readonly Invocation[]): string[] {
  return invocations.map(({ token, args }) => `${token} ${JSON.stringify(args)}`).sort();
}
