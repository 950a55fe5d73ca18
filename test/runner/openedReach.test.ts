import { describe, expect, it } from "vitest";
import type { AnySpec } from "../../runner/drift.ts";
import { describeOpenedReach } from "../../runner/openedReach.ts";
import { keeperhubManifest } from "../support/keeperhubManifest.ts";

const desired = keeperhubManifest("10.1").spec as AnySpec;
const withRule = (rule: object): AnySpec => ({ ...desired, egress: [...(desired.egress ?? []), rule] });

describe("describeOpenedReach", () => {
  it.each<[string, AnySpec, string]>([
    ["the same", desired, "It lets through nothing more."],
    [
      "a rule that says it again",
      withRule({ to: [{ ipBlock: { cidr: "10.1.100.0/25" } }], ports: [{ port: 5432 }] }),
      "It lets through nothing more.",
    ],
    [
      "the metadata service",
      withRule({ to: [{ ipBlock: { cidr: "169.254.169.254/32" } }], ports: [{ port: 80 }] }),
      "In all it lets through 169.254.169.254/32 on TCP 80 (169.254.0.0/16, link-local (RFC 3927); EC2 instance metadata (IMDS) 169.254.169.254).",
    ],
    [
      "around the databases",
      withRule({ to: [{ ipBlock: { cidr: "10.1.100.0/24" } }], ports: [{ port: 5431, endPort: 5433 }] }),
      "In all it lets through 10.1.100.0/24 on TCP 5431 (10.0.0.0/8, private use (RFC 1918)), 10.1.100.0/24 on TCP 5433 (10.0.0.0/8, private use (RFC 1918)).",
    ],
    [
      "pods",
      withRule({ to: [{ podSelector: { matchLabels: { app: "db" } } }], ports: [{ port: "psql" }, { port: 1 }] }),
      'In all it lets through pods app=db in namespace keeperhub on TCP 1, pods app=db in namespace keeperhub on TCP port "psql".',
    ],
    [
      "what it cannot read",
      withRule({ to: [{ ipBlock: { cidr: "10.0.0.0/33" } }] }),
      'What it lets through cannot be told. Not a NetworkPolicy that the API server would accept:\n  - spec.egress[5].to[0].ipBlock.cidr: "10.0.0.0/33" has prefix length 33; ipv4 allows 0 to 32',
    ],
  ])("%s", (_, live, text) => {
    expect(describeOpenedReach(live, desired, "keeperhub")).toBe(text);
  });

  it("counts what would be too long a list", () => {
    const many = Array.from({ length: 9 }, (_, index) => ({ port: 10 + 2 * index }));
    expect(
      describeOpenedReach(withRule({ to: [{ ipBlock: { cidr: "10.9.0.0/16" } }], ports: many }), desired, "keeperhub"),
    ).toMatch(/ and 3 more\.$/);
  });
});
