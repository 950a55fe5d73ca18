import { flushCompileCache } from "node:module";
import type { ReportViolation, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import type { GuardrailName } from "../guardrails/violation.ts";
import type { Report, Verdicts } from "./verdicts.ts";

/** A policy that looks at each resource before it is written, and at the whole plan at the end. */
export type PackPolicy = ResourceValidationPolicy & StackValidationPolicy;

/** What a person is shown of a policy, and the config that it has of its own. */
export type PolicyText = Required<Pick<PackPolicy, "displayName" | "severity" | "description" | "remediationSteps">> &
  Pick<PackPolicy, "configSchema">;

/** The first resource of every plan. Config is read when it comes, before anything else happens. */
const ROOT_STACK = "pulumi:pulumi:Stack";

let loading: Promise<Verdicts> | undefined;

/**
 * The part of the pack that does the work. It loads when the program is already running, so that the engine does not wait
 * for it.
 */
function verdicts(): Promise<Verdicts> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Verdicts> {
  const { createVerdicts } = await import("./verdicts.ts");
  // The engine ends a pack by a signal, upon which Node.js would not write what it has compiled (preload.cjs).
  flushCompileCache();
  return createVerdicts();
}

/** The policy that reads what all others rest on, before anything else. */
export function declarationPolicy(text: PolicyText): PackPolicy {
  return {
    ...common("declaration", text),
    validateResource: async (resource, report) => {
      if (resource.type !== ROOT_STACK) {
        resource.notApplicable("it reads the pack's config once, with the stack itself");
      }
      reportAll(await (await verdicts()).declare(resource.getConfig(), resource.urn), report);
    },
    validateStack: async (stack, report) => {
      reportAll(await (await verdicts()).declareUnlessDone(stack.getConfig(), stack.resources[0]?.urn), report);
    },
  };
}

/** A guardrail as a policy. */
export function guardrailPolicy(name: GuardrailName, text: PolicyText): PackPolicy {
  return {
    ...common(name, text),
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

function common(name: string, text: PolicyText) {
  return { name, ...text, enforcementLevel: "mandatory", url: `docs/guardrails.md#${name}` } as const;
}

function reportAll(reports: readonly Report[], report: ReportViolation): void {
  for (const { message, urn } of reports) {
    report(message, urn);
  }
}
