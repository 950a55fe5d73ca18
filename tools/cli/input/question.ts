import {
  compile,
  type EgressAnalysis,
  type Inventory,
  parseInventory,
  SELECTED_BY_EVERY_POLICY,
  type Semantics,
} from "../../../analysis/index.ts";
import { chosenSemantics, type PolicyFlags, type SemanticsFlags } from "../options.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usageError.ts";
import { refuseForeign } from "./foreignPolicies.ts";
import { loadObjects } from "./objects.ts";
import { loadPolicyFiles, type PolicySet } from "./policySet.ts";
import { policiesFor, type Sender, senderOf } from "./sender.ts";

/** Policies compiled for one pod, once for each semantics that was asked for. */
export interface Question {
  readonly set: PolicySet;
  readonly sender: Sender;
  readonly inventory: Inventory | undefined;
  readonly analyses: readonly EgressAnalysis[];
}

/**
 * Loads what `--policy` or `--stack` names.
 *
 * @throws {UsageError} if neither is given.
 */
export async function loadPolicies(flags: PolicyFlags, terminal: Terminal): Promise<PolicySet> {
  if (flags.stack !== undefined) {
    return stackSet(flags.stack, terminal);
  }
  if (flags.policy === undefined) {
    throw new UsageError("say which policies are meant: --policy FILE..., or --stack NAME");
  }
  return loadPolicyFiles(flags.policy, flags.namespace, terminal);
}

/**
 * Loads one side of a comparison: a file, a folder, stdin (`-`) or `stack:NAME`.
 *
 * @throws {UsageError} if it cannot be read.
 */
export async function loadOperand(
  text: string,
  { namespace }: Pick<PolicyFlags, "namespace">,
  terminal: Terminal,
): Promise<PolicySet> {
  return text.startsWith(STACK_PREFIX)
    ? stackSet(text.slice(STACK_PREFIX.length), terminal)
    : loadPolicyFiles([text], namespace, terminal);
}

const STACK_PREFIX = "stack:";

/** The parts of the program are loaded only for a stack: files do not pay for them. */
async function stackSet(name: string, terminal: Terminal): Promise<PolicySet> {
  const { loadStack } = await import("./stack.ts");
  return loadStack(name, terminal);
}

/** Loads the objects of `--inventory`, if it is given. */
export async function loadInventory(
  flags: Pick<PolicyFlags, "inventory">,
  terminal: Terminal,
): Promise<Inventory | undefined> {
  return flags.inventory === undefined ? undefined : parseInventory(await loadObjects(flags.inventory, terminal));
}

/** Loads and compiles what the options name. */
export async function loadQuestion(flags: PolicyFlags & SemanticsFlags, terminal: Terminal): Promise<Question> {
  const set = await loadPolicies(flags, terminal);
  const sender = senderOf(set.policies, flags);
  refuseForeign(set.foreign, set.policies, sender);
  const inventory = await loadInventory(flags, terminal);
  const analyses = chosenSemantics(flags, set.cluster).map((semantics) =>
    compileFor(set, sender, semantics, inventory),
  );
  return { set, sender, inventory, analyses };
}

/** Compiles a set of policies for a pod. */
export function compileFor(
  { policies }: PolicySet,
  sender: Sender,
  semantics: Semantics,
  inventory: Inventory | undefined,
): EgressAnalysis {
  return compile(policiesFor(sender, policies), {
    semantics,
    source: sender.source ?? SELECTED_BY_EVERY_POLICY,
    ...(inventory === undefined ? {} : { inventory }),
  });
}
