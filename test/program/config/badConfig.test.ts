import { describe, expect, it } from "vitest";
import { problemsOf, type Values } from "../../support/config.ts";

const ports = "each is PORT/PROTOCOL or FIRST-LAST/PROTOCOL, ports 1 to 65535, protocol TCP, UDP, SCTP";

describe("a bad config", () => {
  it.each<[string, Values, string[]]>([
    [
      "says nothing",
      {
        "aws:region": undefined,
        "runner-egress:cluster": undefined,
        "runner-egress:vpc": undefined,
        "runner-egress:databaseSubnets": undefined,
      },
      [
        "aws:region: missing; give the AWS region of the VPC, such as us-east-1",
        "runner-egress:cluster: missing; give {eks: NAME} or {context: NAME, ipFamily: ipv4}",
        "runner-egress:vpc: missing; give {id: ID}, {name: NAME-TAG} or {ofCluster: true}",
        "runner-egress:databaseSubnets: missing; give {subnetGroup: NAME}, {tags: {KEY: VALUE}} or {ids: [ID]}",
      ],
    ],
    [
      "misspells a key",
      { "runner-egress:adpot": true },
      [
        "runner-egress:adpot is true: unknown key; did you mean adopt? (allowed are vpc, databaseSubnets, cluster, " +
          "runner, destinations, mustReach, adopt, acknowledge)",
      ],
    ],
    [
      "was set without --path",
      { "runner-egress:runner.namespace": "jobs" },
      [
        'runner-egress:runner.namespace is "jobs": unknown key; a member of runner is set with --path: pulumi config rm ' +
          "'runner-egress:runner.namespace', then pulumi config set --path 'runner-egress:runner.namespace' VALUE",
      ],
    ],
    [
      "has a key that means nothing",
      { "runner-egress:zzzzzz": 1 },
      [
        'runner-egress:zzzzzz is "1": unknown key; allowed are vpc, databaseSubnets, cluster, runner, destinations, ' +
          "mustReach, adopt, acknowledge",
      ],
    ],
    [
      "misspells what has to be there, which is one problem",
      { "aws:region": undefined, "aws:regoin": "us-east-1", "runner-egress:databaseSubnets": { subnetgroup: "db" } },
      [
        'aws:regoin is "us-east-1": unknown key; did you mean region? (allowed are region, profile, allowedAccountIds); ' +
          "other settings of the AWS provider have no effect here",
        'runner-egress:databaseSubnets.subnetgroup is "db": unknown key; did you mean subnetGroup? (allowed are ' +
          "subnetGroup, tags, ids)",
      ],
    ],
    [
      "has keys without a value, which are no defaults",
      {
        "runner-egress:vpc": { name: null },
        "runner-egress:runner": { namespace: null },
        "runner-egress:destinations": {
          services: { web: null, api: { podLabels: null, ports: ["80/TCP"] } },
        },
      },
      ["vpc.name", "runner.namespace", "destinations.services.web"]
        .concat("destinations.services.api.podLabels")
        .map((key) => `runner-egress:${key}: has no value; give one or remove the key`),
    ],
    [
      "has keys that nothing reads, whose values may be secret",
      {
        "runer-egress:adopt": true,
        "kubernetes:kubeconfig": "token",
        "pulumi:tags": {},
        "gcp:project": "none of ours",
      },
      [
        "kubernetes:kubeconfig: has no effect here: the cluster is given by runner-egress:cluster. Remove it",
        "runer-egress:adopt: nothing reads this key; did you mean runner-egress:adopt?",
      ],
    ],
    [
      "adds a destination beside KeeperHub's own",
      { "runner-egress:destinations": { redis: {} } },
      [
        "runner-egress:destinations.redis is {}: unknown key; allowed are dns, sandbox, executor, database, internet, " +
          "services, cidrs; put further pods under destinations.services, further blocks under destinations.cidrs",
      ],
    ],
    [
      "selects by what EC2 takes for wildcards",
      {
        "runner-egress:vpc": { name: "techops-?taging" },
        "runner-egress:databaseSubnets": { tags: { Tier: "data*", Env: "s" } },
      },
      [
        'runner-egress:vpc.name is "techops-?taging"',
        'runner-egress:databaseSubnets.tags is {"Tier":"data*","Env":"s"}',
      ].map((what) => `${what}: *, ? and \\ would match other tag values, too; write the value out or give ids`),
    ],
    [
      "names blocks that are none, together with other problems",
      {
        "runner-egress:destinations": {
          services: { web: { podLabels: { "a b": "c" } } },
          cidrs: { dns: { cidrs: ["169.254.20.10/16"], ports: ["53/udp"] } },
        },
      },
      [
        "runner-egress:destinations.services.web.ports: missing; give container ports such as [8080/TCP]",
        `runner-egress:destinations.cidrs.dns.ports is ["53/udp"]: ${ports}`,
        'runner-egress:destinations.services.web.podLabels is "a b": not a label key, which is NAME or PREFIX/NAME',
        'runner-egress:destinations.cidrs.dns.cidrs: "169.254.20.10/16" has host bits set; the block is 169.254.0.0/16. ' +
          "A single address is ADDRESS/32, or /128 for IPv6",
      ],
    ],
    [
      "sets another option of the AWS provider",
      { "aws:skipRequestingAccountId": true },
      [
        "aws:skipRequestingAccountId is true: unknown key; allowed are region, profile, allowedAccountIds; other " +
          "settings of the AWS provider have no effect here",
      ],
    ],
    [
      "has account ids that lost a zero",
      { "aws:allowedAccountIds": [12345678901] },
      [
        "aws:allowedAccountIds is [12345678901]: must be a list of account ids, twelve digits each, such as " +
          '["123456789012"]',
      ],
    ],
    [
      "has a list that is none",
      { "aws:allowedAccountIds": "1" },
      ['aws:allowedAccountIds is "1": must be a list of account ids, twelve digits each, such as ["123456789012"]'],
    ],
    [
      "has an empty list of accounts",
      { "aws:allowedAccountIds": [] },
      ['aws:allowedAccountIds is []: must be a list of account ids, twelve digits each, such as ["123456789012"]'],
    ],
    [
      "names the VPC twice",
      { "runner-egress:vpc": { id: "vpc-1", name: "x" } },
      [
        'runner-egress:vpc is {"id":"vpc-1","name":"x"}: which VPC: give exactly one of id, name, ofCluster, not id and ' +
          "name",
      ],
    ],
    [
      "names no VPC",
      { "runner-egress:vpc": {} },
      ["runner-egress:vpc is {}: which VPC: give exactly one of id, name, ofCluster"],
    ],
    [
      "has text in place of an object",
      { "runner-egress:vpc": "techops" },
      ['runner-egress:vpc is "techops": must be an object with id, name, ofCluster'],
    ],
    [
      "says that the VPC is not the cluster's",
      { "runner-egress:vpc": { ofCluster: false } },
      ["runner-egress:vpc.ofCluster is false: must be true, or left out"],
    ],
    [
      "has a number where text belongs",
      { "runner-egress:vpc": { name: 12 } },
      ["runner-egress:vpc.name is 12: must be the Name tag of a VPC, as text (in quotes where it looks like a number)"],
    ],
    [
      "has blanks where text belongs",
      { "runner-egress:vpc": { name: " " } },
      [
        'runner-egress:vpc.name is " ": must be the Name tag of a VPC, as text (in quotes where it looks like a number)',
      ],
    ],
    [
      "wants the VPC of a cluster that EKS does not know",
      { "runner-egress:cluster": { context: "c", ipFamily: "ipv4" }, "runner-egress:vpc": { ofCluster: true } },
      ["runner-egress:vpc.ofCluster is true: only EKS tells the VPC of its cluster; give vpc.id or vpc.name"],
    ],
    [
      "has a context without a family",
      { "runner-egress:cluster": { context: "c" } },
      [
        "runner-egress:cluster.ipFamily: missing; give the pods' address family, which a kubeconfig does not tell: ipv4 or ipv6",
      ],
    ],
    [
      "has a family that is none",
      { "runner-egress:cluster": { context: "c", ipFamily: "dual" } },
      ['runner-egress:cluster.ipFamily is "dual": must be one of ipv4, ipv6'],
    ],
    [
      "tells EKS its family",
      { "runner-egress:cluster": { eks: "a", ipFamily: "ipv4" } },
      ['runner-egress:cluster.ipFamily is "ipv4": EKS knows the family of its cluster; drop this key or cluster.eks'],
    ],
    [
      "has a role that a context would not use",
      { "runner-egress:cluster": { eks: "a", context: "c", roleArn: "r" } },
      [
        'runner-egress:cluster.roleArn is "r": the kubeconfig context brings its own credentials; drop this key or ' +
          "cluster.context",
      ],
    ],
    [
      "has a role without EKS",
      { "runner-egress:cluster": { context: "c", ipFamily: "ipv4", roleArn: "r" } },
      ['runner-egress:cluster.roleArn is "r": only for a cluster that is given by cluster.eks'],
    ],
    [
      "names no cluster",
      { "runner-egress:cluster": {} },
      ["runner-egress:cluster.eks: missing; give the name of the EKS cluster, or cluster.context and cluster.ipFamily"],
    ],
    [
      "misspells a key of the cluster",
      { "runner-egress:cluster": { eks: "a", contxt: "b" } },
      [
        'runner-egress:cluster.contxt is "b": unknown key; did you mean context? (allowed are eks, roleArn, context, ' +
          "ipFamily)",
      ],
    ],
    [
      "has no subnets",
      { "runner-egress:databaseSubnets": { ids: [] } },
      ["runner-egress:databaseSubnets.ids is []: must be a list of subnet ids, with at least one"],
    ],
    [
      "has a tag that is a number",
      { "runner-egress:databaseSubnets": { tags: { Tier: 3 } } },
      [
        'runner-egress:databaseSubnets.tags is {"Tier":3}: must be tags of the database subnets, such as {app: web}, ' +
          "values in quotes where they look like numbers",
      ],
    ],
    [
      "has a switch that is none",
      { "runner-egress:adopt": "yes" },
      ['runner-egress:adopt is "yes": must be true or false'],
    ],
    [
      "acknowledges something else",
      { "runner-egress:acknowledge": { everything: "please" } },
      [
        'runner-egress:acknowledge.everything is "please": unknown key; allowed are network-policy-disabled, ' +
          "agent-too-old, vpc-cni-not-managed, policy-identity-change, deployment-not-reviewed, widening",
      ],
    ],
    [
      "acknowledges without a reason",
      { "runner-egress:acknowledge": { "agent-too-old": true } },
      [
        "runner-egress:acknowledge.agent-too-old is true: must be the reason why this stack accepts it, or " +
          "{reason: WHY, expires: YYYY-MM-DD}",
      ],
    ],
    [
      "has bad ports",
      { "runner-egress:destinations": { sandbox: { ports: ["8787"] }, database: { ports: [5432] } } },
      [
        `runner-egress:destinations.sandbox.ports is ["8787"]: ${ports}`,
        "runner-egress:destinations.database.ports is [5432]: must be a list of ports such as 5432/TCP or " +
          "8000-8999/TCP, with at least one",
      ],
    ],
    [
      "has half a service and half a block",
      { "runner-egress:destinations": { services: { web: {} }, cidrs: { dns: {} } } },
      [
        "runner-egress:destinations.services.web.podLabels: missing; give labels of the pods, such as {app: web}",
        "runner-egress:destinations.services.web.ports: missing; give container ports such as [8080/TCP]",
        "runner-egress:destinations.cidrs.dns.cidrs: missing; give blocks such as [169.254.20.10/32]",
        "runner-egress:destinations.cidrs.dns.ports: missing; give ports such as [53/UDP, 53/TCP]",
      ],
    ],
    [
      "adds a service under a known name",
      { "runner-egress:destinations": { services: { dns: { podLabels: { a: "b" }, ports: ["53/UDP"] } } } },
      [
        'runner-egress:destinations.services.dns is {"podLabels":{"a":"b"},"ports":["53/UDP"]}: dns is a destination of ' +
          "its own; set destinations.dns",
      ],
    ],
    [
      "has a list of services",
      { "runner-egress:destinations": { services: ["web"] } },
      ['runner-egress:destinations.services is ["web"]: must map names of your choice to objects'],
    ],
    [
      "breaks the contract",
      {
        "runner-egress:runner": { policyName: "A", namespace: "B", podLabels: { "c d": "x" } },
        "runner-egress:destinations": {
          executor: { namespace: "C" },
          services: { web: { namespace: "D", podLabels: { app: "w" }, ports: ["80/TCP"] } },
        },
      },
      [
        'runner-egress:runner.policyName is "A": lower-case letters, digits, inner dashes and dots only',
        'runner-egress:runner.namespace is "B": a namespace has 1 to 63 lower-case letters, digits and inner dashes',
        'runner-egress:runner.podLabels is "c d": not a label key, which is NAME or PREFIX/NAME',
        'runner-egress:destinations.executor.namespace is "C": a namespace has 1 to 63 lower-case letters, digits and ' +
          "inner dashes",
        'runner-egress:destinations.services.web.namespace is "D": a namespace has 1 to 63 lower-case letters, digits ' +
          "and inner dashes",
      ],
    ],
  ])("that %s", (_, changes, problems) => {
    expect(problemsOf(changes)).toEqual(problems);
  });

  it("is reported whole", () => {
    expect(
      problemsOf({
        "aws:region": undefined,
        "runner-egress:vpc": {},
        "runner-egress:adopt": "yes",
        "runner-egress:runner": { policyName: "A" },
      }),
    ).toHaveLength(4);
  });
});
