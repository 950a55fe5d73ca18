import { loadAll } from "js-yaml";
import { describe, expect, it } from "vitest";
import { allows, type IamPolicy } from "../e2e-cluster/pipeline/iamPolicy.ts";
import { readDocument } from "../support/markdown.ts";

const documentation = readDocument("docs/permissions.md");
const [aws = "", kubernetes = ""] = documentation.split("## Kubernetes");

/** Actions that a cell, or a text, names. */
const actionsIn = (text: string) => [...text.matchAll(/`(\w+:\w+)`/g)].map(([, action]) => action as string);

/** The row of a table that begins with this cell. */
function row(text: string, first: string): string {
  const found = text.split("\n").find((line) => line.startsWith(`| ${first} `));
  if (found === undefined) throw new Error(`docs/permissions.md has no row ${first}`);
  return found;
}

interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
}
const statementsOf = (file: string) =>
  (JSON.parse(readDocument(file)) as { Statement: readonly Statement[] }).Statement;

describe.each(["preview", "deploy"])("access/aws-%s.json", (role) => {
  const statements = statementsOf(`access/aws-${role}.json`);

  it("has exactly the documented actions", () => {
    const lookups = aws
      .split("\n")
      .filter((line) => /^\| `(ec2|rds|eks):/.test(line))
      .flatMap(actionsIn);
    const wanted = [...lookups, ...actionsIn(row(aws, role))];
    expect(new Set(statements.flatMap(({ Action }) => Action))).toEqual(new Set(wanted));
  });

  it("allows each on named resources, as far as AWS knows them", () => {
    const everywhere = statements.filter(({ Resource }) => Resource === "*");
    expect(everywhere.flatMap(({ Action }) => Action).every((action) => action.startsWith("ec2:Describe"))).toBe(true);
    expect(statements.map(({ Effect }) => Effect)).toEqual(statements.map(() => "Allow"));
  });

  it("trusts one environment of one repository", () => {
    const environment = role === "preview" ? "staging-preview" : "staging";
    const [trust, ...others] = JSON.parse(readDocument(`access/aws-${role}-trust.json`)).Statement;
    expect(others).toEqual([]);
    expect(trust.Action).toBe("sts:AssumeRoleWithWebIdentity");
    expect(trust.Condition).toEqual({
      StringEquals: {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        // The form with ids that never change first; repositories from before July 2026 may still send the other.
        "token.actions.githubusercontent.com:sub": [
          `repo:example@1234567/runner-egress@7654321:environment:${environment}`,
          `repo:example/runner-egress:environment:${environment}`,
        ],
      },
    });
  });
});

it("only the deploy role may write anywhere", () => {
  const writing = (role: string) =>
    statementsOf(`access/aws-${role}.json`)
      .flatMap(({ Action }) => Action)
      .filter((action) => !/:(Describe|Get|List|Decrypt)/.test(action));
  expect(writing("preview")).toEqual([]);
  expect(writing("deploy")).toEqual(["s3:DeleteObject", "s3:PutObject"]);
});

describe("the state", () => {
  const PREFIX = "arn:aws:s3:::example-runner-egress-state/.pulumi";
  const objects = (stack: string) => [
    `stacks/runner-egress/${stack}.json`,
    `stacks/runner-egress/${stack}.json.bak`,
    `stacks/runner-egress/${stack}.pulumi-tags`,
    `history/runner-egress/${stack}/${stack}-1.history.json`,
    `backups/runner-egress/${stack}/${stack}.1.json`,
    `locks/organization/runner-egress/${stack}/1.json`,
  ];
  const policyOf = (file: string) => JSON.parse(readDocument(`access/${file}.json`));
  const may = (policy: IamPolicy, action: string, path: string) =>
    allows(policy, { action, resource: `${PREFIX}/${path}`, keys: {} });

  it("of staging is written by its deploy role and read by its preview role", () => {
    for (const path of objects("staging")) {
      for (const action of ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]) {
        expect(may(policyOf("aws-deploy"), action, path), `${action} ${path}`).toBe(true);
      }
    }
    expect(may(policyOf("aws-preview"), "s3:GetObject", "stacks/runner-egress/staging.json")).toBe(true);
    expect(may(policyOf("aws-deploy"), "s3:GetObject", "meta.yaml")).toBe(true);
  });

  it.each(["aws-deploy", "aws-preview"])("of another stack or project is out of reach of staging's %s", (file) => {
    const others = [...objects("prod"), "stacks/other/staging.json", "stacks/runner-egress/staging-2/x", "other"];
    for (const path of others) {
      for (const action of ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]) {
        expect(may(policyOf(file), action, path), `${action} ${path}`).toBe(false);
      }
    }
    expect(may(policyOf(file), "s3:PutObject", "meta.yaml")).toBe(false);
  });

  it("is shared by two accounts: the bucket lets each role do to its stack what its own policy lets it do", () => {
    const { Statement } = policyOf("aws-state-bucket") as {
      Statement: (IamPolicy["Statement"][number] & { Principal: { AWS: string | string[] } })[];
    };
    const of = (role: string): IamPolicy => ({
      Statement: Statement.filter(({ Principal }) => [Principal.AWS].flat().some((arn) => arn.endsWith(`/${role}`))),
    });
    for (const [stack, other] of [
      ["staging", "prod"],
      ["prod", "staging"],
    ] as const) {
      for (const kind of ["deploy", "preview"]) {
        const own = JSON.parse(
          readDocument(`access/aws-${kind}.json`).replaceAll("runner-egress/staging", `runner-egress/${stack}`),
        ) as IamPolicy;
        const bucket = of(`runner-egress-${stack}-${kind}`);
        for (const path of [...objects(stack), ...objects(other), "meta.yaml"]) {
          for (const action of ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]) {
            expect(may(bucket, action, path), `${stack} ${kind} ${action} ${path}`).toBe(may(own, action, path));
          }
        }
      }
    }
    const accounts = new Set(JSON.stringify(Statement).match(/iam::\d{12}/g));
    expect(accounts.size).toBe(2);
  });

  it("is decrypted with one key, by every role and by nobody else", () => {
    const [administer, decrypt, ...others] = policyOf("aws-state-key").Statement;
    expect(others).toEqual([]);
    expect(administer.Principal.AWS).toMatch(/:root$/);
    expect(decrypt.Action).toEqual(["kms:Decrypt"]);
    expect(decrypt.Principal.AWS).toHaveLength(4);
  });
});

interface RbacObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly rules?: readonly unknown[];
  readonly roleRef?: { readonly name: string };
  readonly subjects?: readonly unknown[];
}

describe.each(["preview", "deploy"])("access/kubernetes-%s.yaml", (role) => {
  const [definition, binding] = loadAll(readDocument(`access/kubernetes-${role}.yaml`)) as [RbacObject, RbacObject];

  it("has the documented verbs on network policies in the runner's namespace, and nothing else", () => {
    const sentence = new RegExp(`\`access/kubernetes-${role}.yaml\` grants ([^.]*?)(?:, \`access|\\.)`).exec(
      kubernetes,
    )?.[1];
    const verbs = [...(sentence ?? "").matchAll(/`(\w+)`/g)].map(([, verb]) => verb);
    expect(verbs.length).toBeGreaterThan(0);
    expect(definition.kind).toBe("Role");
    expect(definition.metadata.namespace).toBe("keeperhub");
    expect(definition.rules).toEqual([{ apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs }]);
  });

  it("binds that Role to the group of the same name", () => {
    expect(binding.roleRef?.name).toBe(definition.metadata.name);
    expect(binding.subjects).toEqual([
      { apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: `runner-egress-${role}` },
    ]);
  });
});
