import { beforeAll, describe, expect, it } from "vitest";
import type { Run } from "../../../tools/offline/engine/run.ts";
import { COMPONENT, callsOf, only, POLICY, run } from "./support/runs.ts";

const STACKS = [
  { stack: "staging", region: "us-east-1", network: "10.1", subnets: "1" },
  { stack: "prod", region: "us-east-2", network: "10.0", subnets: "2" },
];
const MODES = [
  { mode: "preview", dryRun: true },
  { mode: "update", dryRun: false },
];

describe.each(STACKS)("the program for $stack", ({ stack, region, network, subnets }) => {
  const runs = new Map<string, Run>();
  beforeAll(async () => {
    const all = await Promise.all(MODES.map(({ dryRun }) => run(stack, { dryRun })));
    MODES.forEach(({ mode }, index) => void runs.set(mode, all[index] as Run));
  }, 60_000);

  const urn = (qualifiedType: string, name: string) => `urn:pulumi:${stack}::runner-egress::${qualifiedType}::${name}`;
  const stackUrn = urn("pulumi:pulumi:Stack", `runner-egress-${stack}`);
  const awsUrn = urn("pulumi:providers:aws", "aws");
  const kubernetesUrn = urn("pulumi:providers:kubernetes", "kubernetes");
  const componentUrn = urn(COMPONENT, "runner-egress");
  const policyUrn = urn(`${COMPONENT}$${POLICY}`, "runner-egress-policy");

  it("registers the same in a preview and in an update", () => {
    expect(runs.get("update")?.registrations).toEqual(runs.get("preview")?.registrations);
    expect(runs.get("update")?.stackOutputs).toEqual(runs.get("preview")?.stackOutputs);
  });

  describe.each(MODES)("during $mode", ({ mode }) => {
    const current = () => runs.get(mode) as Run;

    it("succeeds and has nothing to say", () => {
      expect(current().diagnostics).toEqual([]);
      expect(current().succeeded).toBe(true);
    });

    it("registers two providers, the component and its one policy, in this tree", () => {
      const tree = current().registrations.map(({ urn, parent }) => [urn, parent]);
      expect(tree).toEqual([
        [stackUrn, undefined],
        [awsUrn, stackUrn],
        [kubernetesUrn, stackUrn],
        [componentUrn, stackUrn],
        [policyUrn, componentUrn],
      ]);
    });

    it("names the provider of every resource and every lookup on AWS", () => {
      expect(only(current(), COMPONENT).providers).toEqual({ kubernetes: kubernetesUrn });
      // So that a destroy that protection refuses leaves the provider alone.
      expect(only(current(), COMPONENT).dependencies).toEqual([awsUrn]);
      expect(only(current(), POLICY).provider).toBe(kubernetesUrn);
      const lookups = current().invocations.filter(({ token }) => token.startsWith("aws:"));
      expect(new Set(lookups.map(({ provider }) => provider))).toEqual(new Set([awsUrn]));
    });

    it("looks up this network and no other", () => {
      const group = `techops-${stack}-db`;
      expect(callsOf(current().invocations)).toEqual(
        [
          `aws:ec2/getVpc:getVpc {"tags":{"Name":"techops-${stack}"}}`,
          `aws:rds/getSubnetGroup:getSubnetGroup {"name":"${group}"}`,
          ...[0, 1, 2].map((n) => `aws:ec2/getSubnet:getSubnet {"id":"subnet-00000000000000${subnets}0${n}"}`),
          `aws:eks/getCluster:getCluster {"name":"techops-${stack}"}`,
          `aws:eks/getAddon:getAddon {"addonName":"vpc-cni","clusterName":"techops-${stack}"}`,
          `pulumi:pulumi:readStackOutputs {"name":"organization/runner-egress/${stack}"}`,
        ].sort(),
      );
    });

    it("protects the policy and imports nothing", () => {
      expect(only(current(), COMPONENT).protect).toBe(true);
      expect(only(current(), POLICY)).toMatchObject({ protect: true, ignoreChanges: [], replaceOnChanges: [] });
      expect(only(current(), POLICY).importId).toBeUndefined();
      expect(only(current(), POLICY).retainOnDelete).toBeUndefined();
    });

    it("configures the providers with plain values of this stack", () => {
      expect(only(current(), "pulumi:providers:aws").inputs).toMatchObject({ region });
      const { inputs } = only(current(), "pulumi:providers:kubernetes");
      expect(inputs.clusterIdentifier).toBe(`eks/${region}/techops-${stack}`);
      const kubeconfig = JSON.parse(String(inputs.kubeconfig));
      expect(kubeconfig.users[0].user.exec.command).toBe("aws");
      expect(kubeconfig.users[0].user.exec.args).toEqual(
        expect.arrayContaining(["get-token", "--region", region, "--cluster-name", `techops-${stack}`]),
      );
      expect(JSON.stringify(kubeconfig)).not.toContain('token":');
    });

    it("leaves none of the Kubernetes provider's switches to the environment", async () => {
      const environment = {
        PULUMI_K8S_DELETE_UNREACHABLE: "true",
        PULUMI_K8S_ENABLE_PATCH_FORCE: "true",
        PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY: "false",
        PULUMI_K8S_SKIP_UPDATE_UNREACHABLE: "true",
        PULUMI_K8S_UPSERT_EXISTING_OBJECTS: "true",
      };
      const elsewhere = await run(stack, { dryRun: mode === "preview", environment });
      expect(elsewhere.registrations).toEqual(current().registrations);
    }, 60_000);

    it("hands the component's arguments to the engine, so that a preview shows them", () => {
      expect(only(current(), COMPONENT).inputs).toMatchObject({
        facts: { vpc: { ipv4Cidrs: [`${network}.0.0/16`] } },
      });
    });

    it("allows the database's subnets of this stack on 5432 only", () => {
      expect(only(current(), POLICY).inputs).toMatchObject({
        metadata: { name: "workflow-runner-block-imds", namespace: "keeperhub" },
        spec: {
          podSelector: { matchLabels: { app: "workflow-runner" } },
          policyTypes: ["Egress"],
          egress: expect.arrayContaining([
            {
              ports: [{ port: 5432, protocol: "TCP" }],
              to: [100, 101, 102].map((n) => ({ ipBlock: { cidr: `${network}.${n}.0/24` } })),
            },
          ]),
        },
      });
    });

    it("puts the policy and the facts into the stack's outputs", () => {
      expect(current().stackOutputs).toEqual({
        policyName: "workflow-runner-block-imds",
        namespace: "keeperhub",
        facts: {
          vpc: { id: `vpc-0000000000000000${subnets}`, region, ipv4Cidrs: [`${network}.0.0/16`], ipv6Cidrs: [] },
          databaseSubnets: [0, 1, 2].map((n) => ({
            id: `subnet-00000000000000${subnets}0${n}`,
            cidrs: [`${network}.10${n}.0/24`],
          })),
          cluster: { name: `techops-${stack}`, ipFamily: "ipv4", serviceCidr: "172.20.0.0/16" },
          addOn: {
            version: "v1.21.1-eksbuild.1",
            agentVersion: "1.3.1",
            networkPolicyEnabled: true,
            acknowledged: [],
          },
        },
      });
    });

    it("registers the component's outputs once", () => {
      expect(current().outputs.get(componentUrn)).toEqual({
        policyName: "workflow-runner-block-imds",
        namespace: "keeperhub",
      });
    });
  });
});
