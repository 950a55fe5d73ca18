import { describe, expect, it } from "vitest";
import { isRead, readPolicy } from "../../guardrails/plannedPolicy.ts";
import { block, policy } from "../support/policies.ts";

const read = (object: unknown, unknownPaths: string[] = []) => readPolicy({ resource: "0", object, unknownPaths });

describe("reading a planned policy", () => {
  it("passes over what the provider and the API server add, and what is unknown but irrelevant", () => {
    const object = {
      ...policy([block("10.0.0.0/8")]),
      __fieldManager: "x",
      id: "keeperhub/runner",
      urn: "urn:pulumi:x",
      status: {},
    };
    expect(isRead(read(object, ["metadata.uid", "metadata.annotations.a", "status", "spec.ingress[0]"]))).toBe(true);
  });

  it("takes host bits for what the API server takes them for, and says where", () => {
    const found = read(policy([block("10.1.2.3/16", { except: ["10.1.9.9/24"] })]));
    expect(isRead(found) && found.policy.warnings.map(({ where, value }) => [where, value])).toEqual([
      ["spec.egress[0].to[0].ipBlock.cidr", "10.1.2.3/16"],
      ["spec.egress[0].to[0].ipBlock.except[0]", "10.1.9.9/24"],
    ]);
  });

  it.each(["10.0.0.0/33", "10.0.0.0", "all"])("does not guess what %s means", (cidr) => {
    expect(read(policy([block(cidr)]))).toMatchObject({ reason: expect.stringContaining("spec.egress[0].to[0]") });
  });

  it("keeps whom it selects where only rules are unknown or wrong", () => {
    const shell = { policy: { name: "runner", namespace: "keeperhub", isolatesEgress: true, egress: [] } };
    expect(read(policy(undefined), ["spec.egress"])).toMatchObject({
      shell,
      reason: "spec.egress is unknown until up",
    });
    expect(read(policy([block("x")]))).toMatchObject({ shell });
  });

  it("tells the default of policyTypes by whether there are rules, unknown ones included", () => {
    const isolates = (egress: unknown, unknown: string[]) => {
      const found = read(policy(egress, { spec: { policyTypes: undefined } }), unknown);
      return isRead(found) ? found.policy.isolatesEgress : found.shell?.policy.isolatesEgress;
    };
    expect(isolates([], [])).toBe(false);
    expect(isolates([block("10.0.0.0/8")], [])).toBe(true);
    expect(isolates([{}], ["spec.egress[0].to"])).toBe(true);
  });

  it.each([["spec.podSelector.matchLabels.app"], ["spec"], ["metadata.name"], ["metadata"], ["spec.policyTypes[0]"]])(
    "knows nothing where %s is unknown",
    (path) => {
      expect(read(policy([]), [path])).toMatchObject({ shell: undefined });
    },
  );

  it("knows nothing of what is no policy", () => {
    expect(read("x")).toMatchObject({ shell: undefined });
    expect(read({ ...policy([]), spec: { podSelector: { matchLabel: {} } } })).toMatchObject({ shell: undefined });
  });
});
