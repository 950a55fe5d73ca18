import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { egress } from "./support/cli.ts";
import { ROOT } from "./support/fixtureProject.ts";

/**
 * Inputs after public reports and real files, each of which was once answered wrongly or refused. The right answers come from
 * the API reference, the API server (1.34.0), the AWS controller's resolver and the agent's source.
 */
interface Trial {
  /** The public report that it is like. */
  readonly after: string;
  /** The command; a file is one of `test/fixtures/trials/`. */
  readonly ask: string;
  readonly code: number;
  readonly says: readonly string[];
  readonly neverSays?: readonly string[];
}

const TRIALS: readonly Trial[] = [
  {
    after: "containers-roadmap#2440",
    ask: "explain -f v6cluster.yaml 169.254.169.254:80 --ip-family ipv6",
    code: 2,
    says: [
      "DISAGREE  169.254.169.254:80",
      "vpc-cni: 169.254.169.254:80/tcp (EC2 instance metadata (IMDS)) is allowed",
      "kubernetes: 169.254.169.254:80/tcp (EC2 instance metadata (IMDS)) is denied",
    ],
  },
  {
    after: "aws-network-policy-agent#572: the Service whose selector lacks the label, and no other",
    ask: "divergences -f npa572.yaml --inventory npa572-inv.yaml",
    code: 1,
    says: ["over-deny  service-selector-lacks-label  172.20.44.5/32 TCP 9080", "1 divergence."],
    neverSays: ["unclassified", "over-allow"],
  },
  {
    after: "aws-network-policy-agent#460: a ClusterIP is its Service",
    ask: "explain -f npa572.yaml --inventory npa572-inv.yaml 172.20.0.10:53/udp service/kube-system/kube-dns:53/udp",
    code: 0,
    says: ["ALLOW  172.20.0.10:53/udp", "ALLOW  service/kube-system/kube-dns:53/udp"],
  },
  {
    after: "cilium#19601: host bits in another policy's block",
    ask: "explain -f live-hostbits.yaml 169.254.169.254:80 --namespace keeperhub",
    code: 1,
    says: ["DENY  169.254.169.254:80", "it is read as 203.0.113.0/24"],
  },
  {
    after: "network-policy-recipes#98 and calico#5170, with the inventory",
    ask: "check -f recipes98-or.yaml dns-assert.yaml --inventory inv-nslabel.yaml",
    code: 0,
    says: ["2 checks: 2 holds"],
  },
  {
    after: "network-policy-recipes#98 and calico#5170, without one",
    ask: "check -f recipes98-or.yaml dns-assert.yaml",
    code: 2,
    says: ["2 checks: 2 inconclusive", "only an inventory tells"],
  },
  {
    after: "amazon-network-policy-controller-k8s pull request 229",
    ask: "divergences -f ingress-only-egress-ipblock.yaml",
    code: 1,
    says: ["over-deny  policy-types-ignored"],
    neverSays: ["unclassified", "shared-first-address"],
  },
  {
    after: "vault-helm#662, without an inventory",
    ask: "explain -f ingress-only-egress-dns.yaml 8.8.8.8:443",
    code: 2,
    says: ["its policyTypes leaves out Egress", "kubernetes: 8.8.8.8:443/tcp is allowed", "Only an inventory tells."],
  },
  {
    after: "vault-helm#662, with one",
    ask: "explain -f ingress-only-egress-dns.yaml 8.8.8.8:443 --inventory npa572-inv.yaml",
    code: 2,
    says: ["DISAGREE  8.8.8.8:443", "vpc-cni: 8.8.8.8:443/tcp is denied", "kubernetes: 8.8.8.8:443/tcp is allowed"],
  },
  {
    after: "netpol-analyzer#456",
    ask: "explain -f npa456.yaml --inventory npa572-inv.yaml pod/workers/worker-7c:9080 --no-ip-block-pods --semantics kubernetes",
    code: 1,
    says: [
      "is denied because a block doesn't match pods here (--no-ip-block-pods), and no rule names this pod by label",
    ],
    neverSays: ["is denied by ."],
  },
  {
    after: "amazon-network-policy-controller-k8s pull request 210",
    ask: "explain -f npc210-mix.yaml --inventory npc210-inv.yaml service/shop/srv:80 --semantics vpc-cni",
    code: 1,
    says: ["DENY  service/shop/srv:80", "emits no rule for the ClusterIP"],
  },
  {
    after: "names and labels that the API server refuses",
    ask: "explain -f bad-name.yaml 8.8.8.8:443",
    code: 3,
    says: ['metadata.name is "runner_egress"', "metadata.labels.app.kubernetes.io/version is 1.1: must be a string"],
  },
  {
    after: "a null rule, which allows everything",
    ask: "explain -f null-rule.yaml 8.8.8.8:443",
    code: 0,
    says: ["ALLOW  8.8.8.8:443"],
  },
  {
    after: "netpol-analyzer's own tests: only another kind in the file",
    ask: "explain -f nad.yaml 8.8.8.8:443",
    code: 3,
    says: ["2 NetworkAttachmentDefinition", "there is no NetworkPolicy"],
  },
  {
    after: "PowerShell's byte order mark",
    ask: "explain -f bom.json 8.8.8.8:443",
    code: 1,
    says: ["DENY  8.8.8.8:443"],
  },
  {
    after: "jq's stream of objects",
    ask: "explain -f stream.json 8.8.8.8:443",
    code: 1,
    says: ["(2 policies apply)", "DENY  8.8.8.8:443"],
  },
  {
    after: "an ApplicationNetworkPolicy and a Cilium policy of another namespace",
    ask: "explain -f other-ns-anp.yaml 8.8.8.8:443 --namespace keeperhub",
    code: 0,
    says: ["ALLOW  8.8.8.8:443"],
  },
];

describe("trials", () => {
  it.each(TRIALS)("$after", async ({ ask, code, says, neverSays = [] }) => {
    const words = ask
      .split(" ")
      .map((word) => (/\.(ya?ml|json)$/.test(word) ? join(ROOT, "test/fixtures/trials", word) : word));
    const answer = await egress(words);
    const printed = `${answer.stdout}\n${answer.stderr}`;
    for (const text of says) {
      expect(printed).toContain(text);
    }
    for (const text of neverSays) {
      expect(printed).not.toContain(text);
    }
    expect(answer.code).toBe(code);
  });
});
