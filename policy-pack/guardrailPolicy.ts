import { flushCompileCache } from "node:module";
import type {
  PolicyConfigSchema,
  ReportViolation,
  ResourceValidationPolicy,
  Severity,
  StackValidationPolicy,
} from "@pulumi/policy";
import type { GuardrailName } from "../guardrails/violation.ts";
import type { Verdicts } from "./verdicts.ts";

/** A policy that looks at each resource before it is written, and at the whole plan at the end. */
export type PackPolicy = ResourceValidationPolicy & StackValidationPolicy;

/** What a guardrail is as a policy of the pack. */
export interface GuardrailPolicyArgs {
  readonly name: GuardrailName;
  readonly displayName: string;
  readonly severity: Severity;
  readonly description: string;
  readonly remediationSteps: string;
  /** Default: the policy has no config of its own. */
  readonly configSchema?: PolicyConfigSchema;
}

/** The first resource of every plan. Config is read when it comes, before anything else happens. */
export const ROOT_STACK = "pulumi:pulumi:Stack";

/** Where the docs have a section for each policy, within the repository. */
export const DOCS = "docs/guardrails.md";

let loading: Promise<Verdicts> | undefined;

/**
 * The part of the pack that does the work. It loads when the program is already running, so that the engine does not wait
 * for it.
 */
export function verdicts(): Promise<Verdicts> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Verdicts> {
  const { createVerdicts } = await import("./verdicts.ts");
  // The engine ends a pack by a signal, upon which Node.js would not write what it has compiled (preload.cjs).
  flushCompileCache();
  return createVerdicts();
}

/** Makes a guardrail a policy. */
export function guardrailPolicy({ name, ...args }: GuardrailPolicyArgs): PackPolicy {
  return {
    name,
    ...args,
    enforcementLevel: "mandatory",
    url: `${DOCS}#${name}`,
    validateResource: async (resource, report) => {
      const engine = await verdicts();
      if (resource.type === ROOT_STACK) {
        reportAll(engine.checkConfig(name, resource.getConfig()), report);
      } else if (engine.judgesAlone(name, resource.type)) {
        reportAll(engine.judgeResource(name, resource, resource.getConfig()), report);
      } else {
        resource.notApplicable("it judges NetworkPolicies, or the plan as a whole");
      }
    },
    validateStack: async (stack, report) => {
      const engine = await verdicts();
      const reports = engine.judgePlan(name, stack.resources, stack.getConfig());
      if (reports.length === 0 && engine.isIdle(name)) {
        stack.notApplicable("it compares the plan with what is deployed, and declaration.deployed is not given");
      }
      reportAll(reports, report);
    },
  };
}

/** A message, and the resource that it is about. */
export interface Report {
  readonly message: string;
  readonly urn: string | undefined;
}

export function reportAll(reports: readonly Report[], report: ReportViolation): void {
  for (const { message, urn } of reports) {
    report(message, urn);
  }
}
