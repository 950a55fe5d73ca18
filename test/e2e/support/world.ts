import { createNamespace } from "./cluster.ts";
import { Network, type NetworkOptions } from "./network.ts";
import { configFor, type Project, type Stack } from "./stack.ts";

/** One environment: a network on AWS, a namespace on the cluster and a stack for both, all of one name. */
export interface World {
  readonly namespace: string;
  readonly network: Network;
  readonly stack: Stack;
}

/** Makes an environment of its own for a case. */
export async function createWorld(project: Project, options: NetworkOptions): Promise<World> {
  const { name } = options;
  const [network] = await Promise.all([Network.create(options), createNamespace(name)]);
  await network.recordFacts(project, name);
  return { namespace: name, network, stack: await project.stack(name, configFor(network, name)) };
}
