import { membersOf } from "../../analysis/plainObject.ts";
import {
  isObject,
  type Judging,
  type PackFinding,
  type PlannedResource,
  type Properties,
  type ResourceState,
  type StackPlan,
  stackOfUrn,
  text,
} from "./plan.ts";

const REMOVALS: readonly string[] = ["delete", "delete-replaced", "discard", "discard-replaced"];

/** Steps that only look at what is there; what the program wants comes with another step. */
const READINGS: readonly string[] = ["refresh", "remove-pending-replace"];

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

  /** Takes a step of the engine, with the resource as it is (`old`) and as it will be (`new`). */
  addStep({ op, urn: name, type, old, new: fresh }: Properties): void {
    const [operation, urn] = [text(op), text(name)];
    const [before, after] = [stateOf(old), stateOf(fresh)];
    const known = this.resources.get(urn);
    if (READINGS.includes(operation) && known !== undefined) {
      return;
    }
    const isRefined = known?.operations.every((earlier) => READINGS.includes(earlier));
    this.resources.set(urn, {
      urn,
      type: text(membersOf(fresh).type ?? membersOf(old).type ?? type),
      operations: [...(isRefined ? [] : (known?.operations ?? [])), operation],
      before: isRefined ? before : (known?.before ?? before),
      after: REMOVALS.includes(operation) ? known?.after : (after ?? known?.after),
    });
  }

  /** Takes what the provider answered to the planned state of a resource. */
  addOutputs({ urn, new: fresh }: Properties): void {
    const known = this.resources.get(text(urn));
    const { outputs } = membersOf(fresh);
    if (known !== undefined && isObject(outputs)) {
      this.resources.set(known.urn, { ...known, answered: outputs });
    }
  }

  /** @param isComplete see {@link StackPlan}; only then there are policy results, too */
  finish(named: string | undefined, isComplete: boolean): StackPlan {
    const resources = [...this.resources.values()].sort((a, b) => (a.urn < b.urn ? -1 : 1));
    return {
      stack: named ?? resources.flatMap(({ urn }) => stackOfUrn(urn) ?? [])[0] ?? "unknown stack",
      resources,
      isComplete,
      changes: this.changes,
      findings: isComplete ? this.findings : undefined,
      packs: [...this.packs].sort(),
      judged: this.judged,
      errors: this.distinctErrors(isComplete),
      warnings: [...new Set(this.warnings)],
    };
  }

  /** The engine closes with "preview failed", which says something only when nothing else does. */
  private distinctErrors(isComplete: boolean): string[] {
    const errors = [...new Set(this.errors)];
    const telling = errors.filter((error) => error !== "preview failed");
    // A violation fails the preview, but the whole program was evaluated.
    return telling.length > 0 || errors.length === 0 || this.findings.some(({ severity }) => severity === "mandatory")
      ? telling
      : [isComplete ? "no reason is given" : NO_REASON_IN_DIGEST];
  }
}

function stateOf(state: unknown): ResourceState | undefined {
  return isObject(state) ? { inputs: membersOf(state.inputs), outputs: membersOf(state.outputs) } : undefined;
}
