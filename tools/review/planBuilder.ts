import type { Judging, PackFinding, PlannedResource, Properties, ResourceState, StackPlan } from "./plan.ts";
import { isObject, stackOfUrn } from "./plan.ts";

/** One step of the engine, from either source. */
export interface Step {
  readonly operation: string;
  readonly urn: string;
  readonly type: string;
  readonly before: ResourceState | undefined;
  readonly after: ResourceState | undefined;
}

const REMOVALS: ReadonlySet<string> = new Set(["delete", "delete-replaced", "discard", "discard-replaced"]);

/** Steps that only look at what is there; what the program wants comes with another step. */
const READINGS: ReadonlySet<string> = new Set(["refresh", "remove-pending-replace"]);

/** Stands for the error of a digest that only says that the preview failed. */
export const NO_REASON_IN_DIGEST = "no reason is given; a policy pack's findings are only in the engine's events";

/** Collects what a preview says, in its order, into one plan for one stack. */
export class PlanBuilder {
  readonly findings: PackFinding[] = [];
  readonly packs = new Set<string>();
  readonly judged = new Map<string, Judging>();
  readonly errors: string[] = [];
  readonly warnings: string[] = [];
  changes: Readonly<Record<string, number>> = {};
  private readonly resources = new Map<string, PlannedResource>();

  add({ operation, urn, type, before, after }: Step): void {
    const known = this.resources.get(urn);
    if (READINGS.has(operation) && known !== undefined) {
      return;
    }
    const isRemoval = REMOVALS.has(operation);
    const isRefined = known?.operations.every((earlier) => READINGS.has(earlier));
    this.resources.set(urn, {
      urn,
      type,
      operations: [...(isRefined ? [] : (known?.operations ?? [])), operation],
      before: isRefined ? before : (known?.before ?? before),
      after: isRemoval ? known?.after : (after ?? known?.after),
    });
  }

  /** Takes what the provider answered to the planned state of a resource. */
  addOutputs({ urn, new: fresh }: Properties): void {
    const known = this.resources.get(String(urn));
    if (known !== undefined && isObject(fresh) && isObject(fresh.outputs)) {
      this.resources.set(known.urn, { ...known, answered: fresh.outputs });
    }
  }

  /** @param isComplete see {@link StackPlan} */
  finish(named: string | undefined, isComplete: boolean, hasFindings: boolean): StackPlan {
    const resources = [...this.resources.values()].sort((a, b) => (a.urn < b.urn ? -1 : 1));
    return {
      stack: named ?? resources.flatMap(({ urn }) => stackOfUrn(urn) ?? [])[0] ?? "unknown stack",
      resources,
      isComplete,
      changes: this.changes,
      findings: hasFindings ? this.findings : undefined,
      packs: [...this.packs].sort(),
      judged: this.judged,
      errors: this.distinctErrors(hasFindings),
      warnings: [...new Set(this.warnings)],
    };
  }

  /** The engine closes with "preview failed", which says something only when nothing else does. */
  private distinctErrors(hasFindings: boolean): string[] {
    const errors = [...new Set(this.errors)];
    const telling = errors.filter((error) => error !== "preview failed");
    if (telling.length > 0 || errors.length === 0) {
      return telling;
    }
    // A violation fails the preview, but the whole program was evaluated.
    return this.findings.some(({ severity }) => severity === "mandatory")
      ? []
      : [hasFindings ? "no reason is given" : NO_REASON_IN_DIGEST];
  }
}
