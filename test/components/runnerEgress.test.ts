import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RunnerEgressArgs } from "../../components/runnerEgress.ts";
import { KEEPERHUB_CONTRACT } from "../../runner/contract.ts";
import { buildRunnerPolicy } from "../../runner/runnerPolicy.ts";
import { keeperhubFacts } from "../support/networkFacts.ts";

interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  readonly id: string | undefined;
}

const registered: Registered[] = [];
const ARGS: RunnerEgressArgs = { contract: KEEPERHUB_CONTRACT, facts: keeperhubFacts() };

beforeEach(() => {
  registered.length = 0;
});

// Each test has a monitor of its own, so nothing may still be on its way to an earlier one.
afterEach(() => pulumi.runtime.disconnect());

async function create(
  args: RunnerEgressArgs,
  { preview = false, options = {} as pulumi.ComponentResourceOptions } = {},
) {
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, id }) => {
        registered.push({ type, name, inputs, id });
        return { id: id ?? `${name}-id`, state: inputs };
      },
      call: ({ token }) => {
        throw new Error(`the component asks nobody, but called ${token}`);
      },
    },
    "runner-egress",
    "staging",
    preview,
  );
  const { RunnerEgress } = await import("../../components/runnerEgress.ts");
  return new RunnerEgress("egress", args, options);
}

/** The value of an output, once everything is registered. */
const resolved = <Value>(output: pulumi.Output<Value>) => new Promise<Value>((resolve) => output.apply(resolve));

async function policyOf(component: Awaited<ReturnType<typeof create>>) {
  await resolved(component.policyName);
  return registered.find(({ type }) => type === "kubernetes:networking.k8s.io/v1:NetworkPolicy");
}

describe.each([{ preview: true }, { preview: false }])("with plain facts (preview: $preview)", ({ preview }) => {
  it("registers itself with its inputs, and one policy below it that says what the rules say", async () => {
    const component = await create(ARGS, { preview });
    const policy = await policyOf(component);
    const { metadata, spec } = buildRunnerPolicy(KEEPERHUB_CONTRACT, keeperhubFacts()).policy;
    expect(registered.map(({ type, name }) => [type, name])).toEqual([
      ["runner-egress:index:RunnerEgress", "egress"],
      ["kubernetes:networking.k8s.io/v1:NetworkPolicy", "egress-policy"],
    ]);
    expect(registered[0]?.inputs).toEqual({ contract: KEEPERHUB_CONTRACT, facts: keeperhubFacts() });
    expect(policy?.inputs).toMatchObject({ metadata: { ...metadata, annotations: {} }, spec });
    expect(policy?.id ?? "").toBe("");
    expect(await resolved(component.policyName)).toBe("workflow-runner-block-imds");
    expect(await resolved(component.namespace)).toBe("keeperhub");
    expect(await resolved(component.urn)).toContain("::runner-egress:index:RunnerEgress::egress");
  });

  it("imports the live policy when it adopts, and does not tell that as an input", async () => {
    const policy = await policyOf(await create({ ...ARGS, adopt: true }, { preview }));
    expect(policy?.id).toBe("keeperhub/workflow-runner-block-imds");
    expect(registered[0]?.inputs).not.toHaveProperty("adopt");
  });

  it("writes the annotations it is given", async () => {
    const policy = await policyOf(await create({ ...ARGS, annotations: { a: "b" } }, { preview }));
    expect(policy?.inputs.metadata).toMatchObject({ annotations: { a: "b" } });
  });

  it("takes known outputs for facts", async () => {
    const facts = { ...keeperhubFacts(), databaseSubnets: pulumi.output(keeperhubFacts().databaseSubnets) };
    const policy = await policyOf(await create({ ...ARGS, facts: pulumi.output(facts) }, { preview }));
    expect(policy?.inputs.spec).toEqual(buildRunnerPolicy(KEEPERHUB_CONTRACT, keeperhubFacts()).policy.spec);
  });

  it("reports everything that is wrong with plain arguments at once, and registers nothing, not even itself", async () => {
    const facts = { ...keeperhubFacts(), databaseSubnets: [] };
    const failure = await create({ contract: { ...KEEPERHUB_CONTRACT, policyName: "A" }, facts }, { preview }).catch(
      (error: unknown) => error,
    );
    expect(pulumi.InputPropertiesError.isInstance(failure)).toBe(true);
    expect((failure as pulumi.InputPropertiesError).errors).toEqual([
      { propertyPath: "contract.policyName", reason: expect.stringMatching(/^"A": lower-case letters/) },
      { propertyPath: "facts.databaseSubnets", reason: "[]: no block of the cluster's family ipv4 to allow" },
    ]);
    // What the SDK prints without a stack trace, and then nothing but the message.
    expect(pulumi.RunError.isInstance(failure)).toBe(true);
    expect((failure as Error).message).toMatch(
      /^The runner's egress policy is refused:\n {2}- contract\.policyName is "A": .*\n {2}- facts\.databaseSubnets is \[\]: .*$/,
    );
    expect(registered).toEqual([]);
  });
});

it.each([{ preview: true }, { preview: false }])(
  "refuses a destination that breaks a guardrail, whatever the rules say (preview: $preview)",
  async ({ preview }) => {
    const metadata = {
      name: "metadata",
      cidrs: ["169.254.169.254/32"],
      ports: [{ protocol: "TCP" as const, port: 80 }],
    };
    const contract = { ...KEEPERHUB_CONTRACT, cidrs: [metadata] };
    const failure = await create({ ...ARGS, contract }, { preview }).catch((error: unknown) => error);
    expect((failure as pulumi.InputPropertiesError).errors).toEqual([
      {
        propertyPath: "contract.cidrs.metadata",
        reason: expect.stringMatching(
          /^it breaks the guardrail metadata-endpoints: 169\.254\.169\.254:80\/tcp .*is allowed by rule 4 of .*\n {4}Fix: take it out of the blocks of cidrs\.metadata;/,
        ),
      },
    ]);
    expect(registered).toEqual([]);
  },
);

describe("with facts that are not known yet", () => {
  it("plans a policy whose rules are unknown, not empty", async () => {
    const facts = pulumi.output(pulumi.unknown as ReturnType<typeof keeperhubFacts>);
    await create({ ...ARGS, facts }, { preview: true });
    await vi.waitFor(() => expect(registered).toHaveLength(2));
    const { spec, metadata } = registered[1]?.inputs ?? {};
    expect(pulumi.isUnknown(spec)).toBe(true);
    expect(pulumi.isUnknown((metadata as { name: unknown }).name)).toBe(true);
  });

  it("can't adopt, because the object's id would be unknown", async () => {
    const contract = pulumi.output(KEEPERHUB_CONTRACT);
    const failure = await create({ ...ARGS, contract, adopt: true }).catch((error: unknown) => error);
    expect(pulumi.RunError.isInstance(failure)).toBe(true);
    expect(failure).toMatchObject({
      errors: [{ propertyPath: "adopt", reason: "needs a contract of plain values" }],
    });
  });
});

// Mocks see no options, but a transformation of the component sees those of everything below it.
describe("the options of the policy", () => {
  async function optionsOf(args: RunnerEgressArgs, options: pulumi.ComponentResourceOptions = {}) {
    const seen: pulumi.CustomResourceOptions[] = [];
    const watch: pulumi.ResourceTransformation = ({ type, opts }) => {
      if (type === "kubernetes:networking.k8s.io/v1:NetworkPolicy") {
        seen.push(opts);
      }
      return undefined;
    };
    const component = await create(args, { options: { ...options, transformations: [watch] } });
    return { component, opts: seen[0], count: seen.length };
  }

  it("make it a child of the component", async () => {
    const { component, opts, count } = await optionsOf(ARGS);
    expect(count).toBe(1);
    expect(opts?.parent).toBe(component);
  });

  it("protect it, through the component, unless that is told otherwise", async () => {
    const protectOf = (component: object) => (component as { __protect?: boolean }).__protect;
    expect(protectOf((await optionsOf(ARGS)).component)).toBe(true);
    expect(protectOf((await optionsOf(ARGS, { protect: false })).component)).toBe(false);
    // What a caller passes on without having it is no choice.
    const nothing = { protect: undefined } as unknown as pulumi.ComponentResourceOptions;
    expect(protectOf((await optionsOf(ARGS, nothing)).component)).toBe(true);
  });

  it("import it only when it is adopted", async () => {
    expect((await optionsOf(ARGS)).opts?.import).toBeUndefined();
    expect((await optionsOf({ ...ARGS, adopt: true })).opts?.import).toBe("keeperhub/workflow-runner-block-imds");
  });
});
