import {
  compile,
  type EgressAnalysis,
  type Inventory,
  parseInventory,
  SELECTED_BY_EVERY_POLICY,
  type Semantics,
} from "../../../analysis/index.ts";
import { UsageError } from "../errors.ts";
import { chosenSemantics, type PolicyFlags, type SemanticsFlags } from "../options.ts";
import type { Terminal } from "../terminal.ts";
import { isPolicyKind, refuseForeign } from "./foreignPolicies.ts";
import type { LiveCluster } from "./live.ts";
import { loadObjects } from "./objects.ts";
import { loadPolicyFiles, type PolicySet, policySetOf } from "./policySet.ts";
import { type NamedPod, namedPod, policiesFor, type Sender, senderOf } from "./sender.ts";

/** What runs in the cluster around the policies, and the pod that is named; `undefined`: not told. */
interface Surroundings {
  readonly inventory: Inventory | undefined;
  readonly pod: NamedPod | undefined;
}

/** Policies compiled for one pod, once for each semantics that was asked for. */
export interface Question extends Surroundings {
  readonly set: PolicySet;
  readonly sender: Sender;
  readonly analyses: readonly EgressAnalysis[];
}

/**
 * Loads what `--policy` or `--stack` names.
 *
 * @throws {UsageError} if neither is given.
 */
export async function loadPolicies(flags: PolicyFlags, terminal: Terminal): Promise<PolicySet> {
  const { stack, policy, namespace } = flags;
  if (stack === undefined && policy === undefined) {
    throw new UsageError("say which policies are meant: --policy FILE, --stack NAME or --context NAME");
  }
  return stack === undefined
    ? loadPolicyFiles(policy ?? [], namespace, terminal)
    : loadOperand(`stack:${stack}`, flags, terminal);
}

/**
 * Loads one side of a comparison: a file, a folder, stdin (`-`), `stack:NAME` or `context:NAME`. What a stack or a cluster
 * needs is loaded only for those: files do not pay for it.
 *
 * @throws {UsageError} if it cannot be read.
 */
export async function loadOperand(
  text: string,
  { namespace }: PolicyFlags,
  terminal: Terminal,
  clusters: ClusterReader = clusterReader(),
): Promise<PolicySet> {
  const [, kind, name = ""] = /^(stack|context):(.*)$/s.exec(text) ?? [];
  switch (kind) {
    case "stack":
      return (await import("./stack.ts")).loadStack(name, terminal);
    case "context": {
      const { objects, ipFamily } = await clusters(name);
      const policies = objects.filter(({ object }) => isPolicyKind(String(object.kind)));
      return policySetOf(policies, { label: text, cluster: { ipFamily, agentVersion: undefined } }, terminal);
    }
    default:
      return loadPolicyFiles([text], namespace, terminal);
  }
}

/** Reads clusters by their contexts, each only once. */
type ClusterReader = (context: string) => Promise<LiveCluster>;

/** A reader for one command. */
export function clusterReader(): ClusterReader {
  const read = new Map<string, Promise<LiveCluster>>();
  return (context) => {
    const cluster = read.get(context) ?? import("./live.ts").then(({ loadLive }) => loadLive(context));
    read.set(context, cluster);
    return cluster;
  };
}

/** Loads what `--context` or `--inventory`, and `--pod`, name. */
export async function loadSurroundings(
  { context, inventory, pod }: PolicyFlags,
  terminal: Terminal,
  clusters: ClusterReader,
): Promise<Surroundings> {
  const live = context === undefined ? undefined : (await clusters(context)).objects;
  const objects = live ?? (inventory === undefined ? undefined : await loadObjects(inventory, terminal));
  return {
    inventory: objects && parseInventory(objects),
    pod: pod === undefined ? undefined : namedPod(pod, objects),
  };
}

/** Loads and compiles what the options name. */
export async function loadQuestion(flags: PolicyFlags & SemanticsFlags, terminal: Terminal): Promise<Question> {
  const { context } = flags;
  const clusters = clusterReader();
  const set =
    context === undefined
      ? await loadPolicies(flags, terminal)
      : await loadOperand(`context:${context}`, {}, terminal, clusters);
  const { inventory, pod } = await loadSurroundings(flags, terminal, clusters);
  const sender = pod?.sender ?? senderOf(set.policies, flags);
  refuseForeign(set, sender);
  const analyses = chosenSemantics(flags, set.cluster, pod).map((semantics) =>
    compileFor(set, sender, semantics, inventory),
  );
  return { set, sender, inventory, pod, analyses };
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
