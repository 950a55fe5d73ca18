import { NetworkPolicy, type NetworkPolicyArgs } from "@pulumi/kubernetes/networking/v1/networkPolicy.js";
import * as pulumi from "@pulumi/pulumi";
import { describeProblems, type Problem, ProblemsError } from "../analysis/problems.ts";
import { guardedPolicy } from "../program/plannedPolicy.ts";
import type { RunnerContract } from "../runner/contract.ts";
import type { NetworkFacts } from "../runner/networkFacts.ts";
import type { EgressNetworkPolicy } from "../runner/networkPolicy.ts";

/** The SDK's type of a spec, whose lists are not readonly as those of the rules are. */
type PolicySpec = pulumi.Unwrap<NonNullable<NetworkPolicyArgs["spec"]>>;

/** What a {@link RunnerEgress} is made from. */
export interface RunnerEgressArgs {
  /** The runner and its destinations. */
  readonly contract: pulumi.Input<RunnerContract>;
  /** The network as it was looked up. */
  readonly facts: pulumi.Input<NetworkFacts>;
  /** Annotations of the policy. Default: none. */
  readonly annotations?: pulumi.Input<Readonly<Record<string, string>>>;
  /**
   * Take over the policy of that name that is live already, in place, instead of creating one. A plain value, like the
   * contract then has to be: the engine needs the object's id before any output is known. Default: false.
   */
  readonly adopt?: boolean;
}

/**
 * The egress NetworkPolicy of the workflow runners: DNS, the in-cluster services of the contract, the database's
 * subnets and the public internet; nothing else, and above all no private address and no metadata service.
 *
 * Protected unless the options say otherwise, because without the policy the runners may reach everything.
 *
 * @throws {pulumi.InputPropertiesError} with every problem of plain arguments, at once; of outputs, when they are known.
 * It is a `pulumi.RunError` as well, so that a program shows the list and no stack trace.
 */
export class RunnerEgress extends pulumi.ComponentResource {
  /** Name of the NetworkPolicy. */
  declare readonly policyName: pulumi.Output<string>;
  /** Its namespace. */
  declare readonly namespace: pulumi.Output<string>;

  constructor(name: string, args: RunnerEgressArgs, opts?: pulumi.ComponentResourceOptions) {
    // Without `adopt`, which says how this run gets there, not what the component is.
    const { adopt = false, ...inputs } = args;
    const { contract, facts, annotations = {} } = inputs;
    // Before the component is registered: what is refused must not get into the state.
    const policy =
      isPlain(contract) && isPlain(facts)
        ? pulumi.output(desiredPolicy(contract, facts))
        : pulumi.all([contract, facts]).apply(([contract, facts]) => desiredPolicy(contract, facts));
    const adopted = adopt ? { import: importId(contract) } : {};

    super("runner-egress:index:RunnerEgress", name, inputs, { ...opts, protect: opts?.protect ?? true });
    const networkPolicy = new NetworkPolicy(
      `${name}-policy`,
      {
        metadata: {
          name: policy.apply(({ metadata }) => metadata.name),
          namespace: policy.apply(({ metadata }) => metadata.namespace),
          annotations,
        },
        spec: policy.apply(({ spec }) => spec as unknown as PolicySpec),
      },
      { parent: this, ...adopted },
    );
    this.policyName = networkPolicy.metadata.name;
    this.namespace = networkPolicy.metadata.namespace;
    this.registerOutputs({ policyName: this.policyName, namespace: this.namespace });
  }
}

/** The policy, checked. Every check of a plain policy belongs here: it runs in a preview as well as in an update. */
function desiredPolicy(contract: RunnerContract, facts: NetworkFacts): EgressNetworkPolicy {
  try {
    return guardedPolicy(contract, facts, argumentPath).policy;
  } catch (error) {
    throw error instanceof ProblemsError ? refusal(error.problems) : error;
  }
}

/** The rules know the members of contract and facts, a user of the component its arguments. */
function argumentPath(member: string): string {
  const argument = /^(vpc|databaseSubnets)\b/.test(member) ? "facts" : "contract";
  return member === "" ? argument : `${argument}.${member}`;
}

function importId(contract: pulumi.Input<RunnerContract>): string {
  if (!isPlain(contract)) {
    throw refusal([{ where: "adopt", reason: "needs a contract of plain values" }]);
  }
  return `${contract.namespace}/${contract.policyName}`;
}

/**
 * The error that a host of components reads property by property. The SDK prints only a `RunError` without a stack trace
 * and without the error's own members (@pulumi/pulumi cmd/run, 3.270), so it is one of those, too.
 */
function refusal(problems: readonly Problem[]): pulumi.InputPropertiesError & pulumi.RunError {
  const message = describeProblems("The runner's egress policy is refused:", problems);
  const errors = problems.map(({ where, value, reason }) => ({
    propertyPath: where,
    reason: value === undefined ? reason : `${JSON.stringify(value)}: ${reason}`,
  }));
  return Object.assign(new pulumi.InputPropertiesError({ message, errors }), new pulumi.RunError(message));
}

/** Whether a value holds no output or promise at any depth. */
function isPlain<Value>(value: pulumi.Input<Value>): value is Value {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) {
    return false;
  }
  return typeof value !== "object" || value === null || Object.values(value).every((member) => isPlain(member));
}
