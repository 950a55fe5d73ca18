import { readFileSync } from "node:fs";
import type { ResourceValidationArgs } from "@pulumi/policy";
import { describe, expect, it } from "vitest";
import { policies } from "../../policy-pack/policies/index.ts";
import { networkPolicy, type Plain, packConfig, runnerPolicy, runPack } from "../support/policyPack.ts";

const GOOD = () => [networkPolicy(runnerPolicy("staging"))];
const BAD = () => {
  const policy = runnerPolicy("staging");
  policy.spec.egress[4].to[0].ipBlock.except.splice(1, 1);
  return [networkPolicy(policy)];
};

describe.each(policies)("$name", (policy) => {
  it("has all that a person is shown, and is mandatory by default", () => {
    expect(policy).toMatchObject({
      displayName: expect.stringMatching(/^[A-Z].{10,60}$/),
      description: expect.stringMatching(/^[A-Z].{20,140}\.$/),
      remediationSteps: expect.stringMatching(/\.$/),
      severity: expect.stringMatching(/^(critical|high)$/),
      enforcementLevel: "mandatory",
    });
    expect(policy.name).not.toBe("all");
  });

  it("links to a section of the docs that is there", () => {
    const [file, anchor] = (policy.url ?? "").split("#");
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
      heading.toLowerCase().replaceAll(" ", "-"),
    );
    expect(anchors).toContain(anchor);
  });

  it("has a schema for each key that it reads", () => {
    const keys = Object.keys(policy.configSchema?.properties ?? {});
    expect(keys).not.toContain("enforcementLevel");
    expect(policy.configSchema?.required ?? []).toEqual([]);
  });

  it("does not apply to a resource that is no NetworkPolicy", async () => {
    const validate = policy.validateResource as (args: ResourceValidationArgs, report: () => void) => Promise<void>;
    const args = {
      type: "aws:ec2/vpc:Vpc",
      getConfig: () => ({}),
      notApplicable: (reason: string) => {
        throw new Error(`not applicable: ${reason}`);
      },
    };
    await expect(validate(args as unknown as ResourceValidationArgs, () => {})).rejects.toThrow(/^not applicable: /);
  });
});

describe("a run of the pack", () => {
  it("passes a good plan and says that widening had nothing to compare with", async () => {
    const { messages, notApplicable } = await runPack(GOOD(), packConfig("staging"));
    expect(messages).toEqual({});
    expect(notApplicable).toEqual({ widening: expect.stringContaining("declaration.deployed is not given") });
  });

  it("finds a bad policy before it is written, and says so once", async () => {
    const early = await runPack(BAD(), packConfig("staging"), { stack: false });
    expect(early.fired).toEqual(["private-reach"]);
    const whole = await runPack(BAD(), packConfig("staging"));
    expect(whole.messages).toEqual(early.messages);
  });

  it("finds it in the whole plan too, where resources were not judged as they came", async () => {
    const late = await runPack(BAD(), packConfig("staging"), { resources: false });
    expect(late.fired).toEqual(["private-reach"]);
  });

  it("takes the declaration with the whole plan where no resource came before", async () => {
    const only = { root: false, resources: false, project: "another" };
    await runPack(GOOD(), packConfig("staging"));
    expect((await runPack(BAD(), packConfig("staging"), only)).fired).toEqual(["private-reach"]);
    expect((await runPack(GOOD(), packConfig("staging"), only)).fired).toEqual([]);
    expect((await runPack(GOOD(), {}, only)).messages.declaration).toHaveLength(3);
  });

  it("starts afresh with each run", async () => {
    const first = await runPack(BAD(), packConfig("staging"));
    expect(await runPack(BAD(), packConfig("staging"))).toEqual(first);
    expect((await runPack(GOOD(), packConfig("staging"))).messages).toEqual({});
  });

  it("concludes nothing without a declaration: no policy passes", async () => {
    const { fired, messages } = await runPack(GOOD(), {}, { project: "another" });
    expect(fired).toEqual(policies.map(({ name }) => name));
    expect(messages.union).toEqual([
      'cannot conclude: the policy "declaration" is disabled, or its config has problems.',
    ]);
    expect(messages.declaration).toHaveLength(3);
  });

  it("does not judge a resource without a declaration either", async () => {
    const { messages } = await runPack(GOOD(), {}, { stack: false, project: "another" });
    expect(messages["private-reach"]).toEqual([expect.stringContaining("cannot conclude")]);
  });

  it("works on another team's stack, with labels and namespaces of its own", async () => {
    const config = {
      declaration: {
        runner: { namespaces: ["ci", "ci-eu"], labels: { "app.kubernetes.io/component": "job" } },
        cluster: { ipFamily: "ipv4" },
        vpcCidrs: ["10.64.0.0/12"],
        destinations: {
          registry: { pods: { namespace: "infra", labels: { app: "registry" } }, ports: ["5000/TCP"] },
          cache: { cidrs: ["10.64.9.0/28"], ports: ["6379-6380/TCP"], required: false },
        },
        internet: ["443/TCP"],
        endpoints: ["https://api.example.com"],
      },
    };
    const policy = (namespace: string, egress: Plain[]) =>
      networkPolicy(
        {
          metadata: { name: "jobs", namespace },
          spec: {
            podSelector: { matchLabels: { "app.kubernetes.io/component": "job" } },
            policyTypes: ["Egress"],
            egress,
          },
        },
        { name: `jobs-${namespace}`, protect: false },
      );
    const registry = {
      to: [
        {
          namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "infra" } },
          podSelector: { matchLabels: { app: "registry" } },
        },
      ],
      ports: [{ port: 5000, protocol: "TCP" }],
    };
    const { to } = runnerPolicy("staging").spec.egress[4];
    const internet = { to, ports: [{ port: 443, protocol: "TCP" }] };
    const good = [policy("ci", [registry, internet]), policy("ci-eu", [registry, internet])];
    expect((await runPack(good, config)).messages).toEqual({});

    const { messages } = await runPack([policy("ci", [registry, internet])], config);
    expect(messages.isolation).toEqual([expect.stringContaining("in namespace ci-eu")]);
  });
});
