import { createNamespace } from "./cluster.ts";
import { Network, type NetworkOptions } from "./network.ts";
import { configFor, Project, Stack } from "./stack.ts";

/** The stacks of this repository, in the order in which they are deployed. */
export const STACK_NAMES = ["staging", "prod"] as const;

/** Name of a stack of this repository. */
export type StackName = (typeof STACK_NAMES)[number];

/** Both stacks in a copy of the project, each with a network, a namespace and the policy pack's settings of its own. */
export interface BothStacks {
  readonly project: Project;
  readonly networks: Readonly<Record<StackName, Network>>;
  readonly stacks: Readonly<Record<StackName, Stack>>;
}

/** A network and the namespace of the runners in the suite's one cluster. Default: named as the network. */
export type StackOptions = NetworkOptions & { readonly namespace?: string };

/** Makes what both stacks need and writes their config; the stacks themselves are still to be made. */
export async function configureBothStacks(options: Readonly<Record<StackName, StackOptions>>): Promise<BothStacks> {
  const project = await Project.copy();
  const configure = async (name: StackName) => {
    const { namespace = options[name].name, ...network } = options[name];
    const [made] = await Promise.all([Network.create(network), createNamespace(namespace)]);
    await made.recordFacts(project, name);
    const stack = new Stack(project, name);
    await stack.configure(configFor(made, namespace));
    return { network: made, stack };
  };
  const staging = await configure("staging");
  const prod = await configure("prod");
  return {
    project,
    networks: { staging: staging.network, prod: prod.network },
    stacks: { staging: staging.stack, prod: prod.stack },
  };
}

/** Makes both stacks; nothing is deployed, and nothing committed. */
export async function createBothStacks(options: Readonly<Record<StackName, StackOptions>>): Promise<BothStacks> {
  const both = await configureBothStacks(options);
  for (const name of STACK_NAMES) {
    await both.stacks[name].init();
  }
  return both;
}
