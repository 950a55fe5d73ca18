import type { StackConfig } from "../../program/config/stackConfig.ts";
import { canonicalJson } from "../../runner/canonicalJson.ts";
import { awsPolicy, grants, type Names, type RbacObject, rbac } from "./accessFiles.ts";
import type { Call } from "./call.ts";
import { codeOwners, pullRequestBranch, requiredChecks } from "./repositoryFiles.ts";

/** One thing that has to be there. */
export interface Part {
  /** What it is, for a line of the result. */
  readonly what: string;
  /** Asks for it and changes nothing. */
  readonly reads: Call;
  /** The part of the answer that counts. Default: that there is one. */
  readonly picks?: (answer: never) => unknown;
  /** What that has to be: of an object these members, of a list at least these. */
  readonly has?: unknown;
  /** The value that the answer is, or that what is made is. */
  readonly sets?: string;
  /** Make it where it is missing. None: it is made by another part, or by hand. */
  readonly makes?: readonly Call[];
  /** Change one that is different, where what makes it doesn't; a person decides that. */
  readonly changes?: readonly Call[];
}

/** What a fresh organisation needs, one after the other: each step may rest on those before it. */
export interface Step {
  readonly title: string;
  readonly why: string;
  readonly parts: readonly Part[];
}

/** What the steps are for. */
export interface Organisation {
  /** `OWNER/NAME` on GitHub. */
  readonly repository: string;
  /** Of the state; the same for all stacks. */
  readonly bucket: string;
  readonly region: string;
  /** ARN of the state's key, where bucket and key are another account's and there already. */
  readonly key?: string | undefined;
  readonly stacks: readonly SetupStack[];
  /** `ORG/TEAM` or `USER`. Default: who owns `.github/` by CODEOWNERS. */
  readonly reviewers?: readonly string[];
}

/** A stack and how its cluster is reached. */
export interface SetupStack {
  readonly name: string;
  readonly config: StackConfig;
  /** A change reaches it first, without an approval. */
  readonly isFirst: boolean;
  /** Name of the EKS cluster. */
  readonly cluster: string;
  /** Kubeconfig context; default: what `aws eks update-kubeconfig` calls it. */
  readonly context?: string | undefined;
}

const PROJECT = "runner-egress";
const ALIAS = "alias/runner-egress-state";
const OIDC = "token.actions.githubusercontent.com";
const AUDIENCE = "sts.amazonaws.com";
const KINDS = ["preview", "deploy"] as const;
/** GitHub Actions itself (api.github.com/apps/github-actions, 2026-12-01): nobody else can report a required check. */
const ACTIONS_APP = 15368;

/** The groups of `access/kubernetes-*.yaml` that a role is in. */
const GROUPS = { preview: ["runner-egress-preview"], deploy: ["egress-verify", "runner-egress-deploy"] } as const;

type Kind = (typeof KINDS)[number];
const roleName = (stack: string, kind: Kind) => `${PROJECT}-${stack}-${kind}`;
const roleArn = (stack: string, kind: Kind) => `arn:aws:iam::{{ACCOUNT}}:role/${roleName(stack, kind)}`;

/** The steps, as data: what is printed, checked, made and documented is this list. */
export function setupSteps(organisation: Organisation): Step[] {
  const { region, stacks } = organisation;
  return [
    lookups(organisation),
    ...(organisation.key === undefined
      ? [stateBucket(organisation), stateKey(organisation), pulumiStacks(organisation)]
      : []),
    {
      title: "GitHub as an identity provider",
      why: "Jobs trade a token of GitHub's for a role. There are no keys and no secrets.",
      parts: [
        {
          what: `identity provider ${OIDC}`,
          reads: aws(
            region,
            `iam get-open-id-connect-provider --open-id-connect-provider-arn arn:aws:iam::{{ACCOUNT}}:oidc-provider/${OIDC}`,
          ),
          picks: ({ ClientIDList }: { ClientIDList?: unknown }) => ClientIDList,
          has: [AUDIENCE],
          makes: [
            aws(region, `iam create-open-id-connect-provider --url https://${OIDC} --client-id-list ${AUDIENCE}`),
          ],
        },
      ],
    },
    {
      title: "Roles",
      why: "Two for each stack: previews only read, and only the deploy role writes. Each trusts one GitHub environment.",
      parts: stacks.flatMap((stack) => KINDS.flatMap((kind) => role(organisation, stack, kind))),
    },
    {
      title: "Access to the clusters",
      why: "An access entry puts a role into the groups to which access/kubernetes-*.yaml gives rights.",
      parts: stacks.flatMap(clusterAccess),
    },
    ...environments(organisation),
    branch(organisation),
    {
      title: "Where the state is",
      why: "Every job reads it from this variable of the repository.",
      parts: [variable(`repos/${organisation.repository}/actions`, "PULUMI_BACKEND_URL", stateUrl(organisation))],
    },
  ];
}

/** Members of an answer. */
type Answer = Readonly<Record<string, unknown>>;

function lookups({ repository, region, reviewers = codeOwners(), stacks }: Organisation): Step {
  return {
    title: "What is there already",
    why: "The account, the ids of the repository and those of the reviewers stand in what follows.",
    parts: [
      { what: "AWS account", reads: aws(region, "sts get-caller-identity --query Account"), sets: "ACCOUNT" },
      { what: `owner of ${repository}`, reads: github(`repos/${repository}`, "owner.id"), sets: "OWNER_ID" },
      { what: `repository ${repository}`, reads: github(`repos/${repository}`, "id"), sets: "REPOSITORY_ID" },
      ...(stacks.some(isReviewed) ? reviewers : []).map((reviewer, index) => ({
        what: `reviewer ${reviewer}`,
        reads: github(reviewer.includes("/") ? `orgs/${reviewer.replace("/", "/teams/")}` : `users/${reviewer}`, "id"),
        sets: `REVIEWER_${index + 1}`,
      })),
    ],
  };
}

function stateBucket({ bucket, region }: Organisation): Step {
  const s3 = (command: string, ...more: string[]) => aws(region, `s3api ${command} --bucket ${bucket}`, ...more);
  const block = { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true };
  // The region in which S3 began takes no constraint.
  const constraint = region === "us-east-1" ? [] : ["--create-bucket-configuration", `LocationConstraint=${region}`];
  return {
    title: "State bucket",
    why: "Of this project alone, with versions: a lost state comes back from the version before.",
    parts: [
      { what: `bucket ${bucket}`, reads: s3("head-bucket"), makes: [s3("create-bucket", ...constraint)] },
      {
        what: `versions of ${bucket}`,
        reads: s3("get-bucket-versioning"),
        has: { Status: "Enabled" },
        makes: [s3("put-bucket-versioning", "--versioning-configuration", "Status=Enabled")],
      },
      {
        what: `no public access to ${bucket}`,
        reads: s3("get-public-access-block"),
        has: { PublicAccessBlockConfiguration: block },
        makes: [s3("put-public-access-block", "--public-access-block-configuration", JSON.stringify(block))],
      },
    ],
  };
}

function stateKey({ region }: Organisation): Step {
  const kms = (command: string, ...more: string[]) => aws(region, `kms ${command}`, ...more);
  return {
    title: "State key",
    why: "Encrypts the secrets in the state. Its region is named wherever it is used: jobs of other regions need it, too.",
    parts: [
      {
        what: ALIAS,
        reads: kms(`describe-key --key-id ${ALIAS} --query KeyMetadata.KeyId`),
        sets: "KEY",
        makes: [
          kms("create-key --query KeyMetadata.KeyId", "--description", "Secrets in the state of runner-egress"),
          kms(`create-alias --alias-name ${ALIAS} --target-key-id {{KEY}}`),
        ],
      },
      {
        what: `rotation of ${ALIAS}`,
        reads: kms("get-key-rotation-status --key-id {{KEY}}"),
        // Off is how a key begins.
        picks: ({ KeyRotationEnabled }: Answer) => KeyRotationEnabled || undefined,
        has: true,
        makes: [kms("enable-key-rotation --key-id {{KEY}}")],
      },
    ],
  };
}

function stateUrl({ bucket, region }: Organisation): string {
  return `s3://${bucket}?region=${region}`;
}

function pulumiStacks(organisation: Organisation): Step {
  const { bucket, region, stacks } = organisation;
  const provider = `awskms://${ALIAS}?region=${region}`;
  return {
    title: "Stacks",
    why: "Commit what this writes to Pulumi.STACK.yaml. Whoever does it needs kms:Encrypt once; the roles only decrypt.",
    parts: stacks.flatMap(({ name }) => [
      {
        what: `state of ${name}`,
        reads: aws(region, `s3api head-object --bucket ${bucket} --key .pulumi/stacks/${PROJECT}/${name}.json`),
        makes: [
          {
            run: ["pulumi", "stack", "init", name, "--non-interactive", "--secrets-provider", provider],
            env: { PULUMI_BACKEND_URL: stateUrl(organisation) },
          },
        ],
      },
      {
        what: `secrets provider in Pulumi.${name}.yaml`,
        reads: { run: ["cat", `Pulumi.${name}.yaml`] },
        picks: (text: string) => /^secretsprovider: (.*)$/m.exec(text)?.[1],
        has: provider,
      },
    ]),
  };
}

function role(
  { repository, bucket, region, key = `arn:aws:kms:${region}:{{ACCOUNT}}:key/{{KEY}}` }: Organisation,
  { name, config, cluster }: SetupStack,
  kind: Kind,
): Part[] {
  const [owner = "", project = ""] = repository.split("/");
  const { databaseSubnets } = config;
  const names: Names = {
    stack: name,
    region: config.aws.region,
    cluster,
    subnetGroup:
      databaseSubnets !== undefined && "subnetGroup" in databaseSubnets ? databaseSubnets.subnetGroup : undefined,
    namespace: config.contract.namespace,
    account: "{{ACCOUNT}}",
    subjects: [`repo:${owner}@{{OWNER_ID}}/${project}@{{REPOSITORY_ID}}`, `repo:${repository}`],
    bucket,
    key,
  };
  const own = roleName(name, kind);
  const trust = awsPolicy(`aws-${kind}-trust`, names);
  const policy = awsPolicy(`aws-${kind}`, names);
  return [
    {
      what: `role ${own}, and whom it trusts`,
      reads: aws(region, `iam get-role --role-name ${own}`),
      picks: ({ Role }: { Role?: Answer }) => canonicalJson(Role?.AssumeRolePolicyDocument),
      has: trust,
      makes: [aws(region, `iam create-role --role-name ${own}`, "--assume-role-policy-document", trust)],
      changes: [aws(region, `iam update-assume-role-policy --role-name ${own}`, "--policy-document", trust)],
    },
    {
      what: `what ${own} may do`,
      reads: aws(region, `iam get-role-policy --role-name ${own} --policy-name ${PROJECT}`),
      picks: ({ PolicyDocument }: Answer) => canonicalJson(PolicyDocument),
      has: policy,
      makes: [
        aws(region, `iam put-role-policy --role-name ${own} --policy-name ${PROJECT}`, "--policy-document", policy),
      ],
    },
  ];
}

function clusterAccess({ name, config, cluster, context }: SetupStack): Part[] {
  const { region } = config.aws;
  const kubectl = ["kubectl", "--context", context ?? `arn:aws:eks:${region}:{{ACCOUNT}}:cluster/${cluster}`];
  const entries = KINDS.map((kind): Part => {
    const entry = `--cluster-name ${cluster} --principal-arn ${roleArn(name, kind)}`;
    const groups = ["--kubernetes-groups", ...GROUPS[kind]];
    return {
      what: `access entry of ${roleName(name, kind)} in ${cluster}`,
      reads: aws(region, `eks describe-access-entry ${entry}`),
      picks: ({ accessEntry }: { accessEntry?: { kubernetesGroups?: string[] } }) =>
        [...(accessEntry?.kubernetesGroups ?? [])].sort().join(" "),
      has: GROUPS[kind].join(" "),
      makes: [aws(region, `eks create-access-entry ${entry}`, ...groups)],
      changes: [aws(region, `eks update-access-entry ${entry}`, ...groups)],
    };
  });
  const { namespace } = config.contract;
  const rights = [...KINDS, "verify"].map((kind): Part => {
    const file = `kubernetes-${kind}`;
    const objects = rbac(file, namespace);
    const [path, input] =
      namespace === "keeperhub"
        ? [`access/${file}.yaml`, {}]
        : ["-", { input: JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }) }];
    return {
      what: `access/${file}.yaml in ${cluster}`,
      reads: { run: [...kubectl, "get", "--ignore-not-found", "--output", "json", "--filename", path], ...input },
      picks: (answer: RbacObject & { items?: RbacObject[] }) =>
        grants(answer.items ?? (answer.kind === undefined ? [] : [answer])),
      has: grants(objects),
      makes: [{ run: [...kubectl, "apply", "--filename", path], ...input }],
    };
  });
  return [...entries, ...rights];
}

function isReviewed({ config, isFirst }: SetupStack): boolean {
  return !isFirst && !config.acknowledge.has("deployment-not-reviewed");
}

interface Rule {
  readonly type: string;
  readonly prevent_self_review?: boolean;
  readonly reviewers?: readonly { readonly reviewer: { readonly id: number } }[];
}

function environments({ repository, stacks, reviewers = codeOwners() }: Organisation): Step[] {
  const asked = reviewers.map((reviewer, index) => ({
    type: reviewer.includes("/") ? "Team" : "User",
    id: `{{#REVIEWER_${index + 1}}}`,
  }));
  const parts = stacks.flatMap((stack) =>
    KINDS.flatMap((kind): Part[] => {
      const { name, config } = stack;
      const environment = kind === "deploy" ? name : `${name}-preview`;
      const path = `repos/${repository}/environments/${environment}`;
      const isDeploy = kind === "deploy";
      const gate = isDeploy && isReviewed(stack) ? asked : [];
      const policy = isDeploy ? { protected_branches: false, custom_branch_policies: true } : null;
      const variables = {
        [`AWS_${kind.toUpperCase()}_ROLE`]: roleArn(name, kind),
        AWS_REGION: config.aws.region,
        AWS_ACCOUNT_ID: "{{ACCOUNT}}",
      };
      return [
        {
          what: `environment ${environment} and its rules`,
          reads: github(path),
          picks: ({
            protection_rules = [],
            deployment_branch_policy = null,
          }: Answer & { protection_rules?: Rule[] }) => {
            const rules = protection_rules.filter(({ type }) => type === "required_reviewers");
            return {
              branches: deployment_branch_policy,
              reviewers: rules.flatMap(({ reviewers: found = [] }) => found.map(({ reviewer }) => reviewer.id)),
              othersOnly: rules.every(({ prevent_self_review }) => prevent_self_review === true),
            };
          },
          has: { branches: policy, ...(gate.length > 0 && { reviewers: gate.map(({ id }) => id), othersOnly: true }) },
          makes: [
            {
              github: "PUT",
              path,
              body: {
                deployment_branch_policy: policy,
                ...(gate.length > 0 && { reviewers: gate, prevent_self_review: true }),
              },
            },
          ],
        },
        ...(isDeploy
          ? [
              {
                what: `the only branch that deploys to ${environment}`,
                reads: github(`${path}/deployment-branch-policies`),
                picks: ({ branch_policies }: { branch_policies?: { name: string; type?: string }[] }) =>
                  Object.fromEntries([
                    [
                      "refs",
                      (branch_policies ?? []).map(({ name: ref, type = "branch" }) => `${type} ${ref}`).join(", ") ||
                        undefined,
                    ],
                  ]),
                has: { refs: `branch ${pullRequestBranch()}` },
                makes: [
                  {
                    github: "POST" as const,
                    path: `${path}/deployment-branch-policies`,
                    body: { name: pullRequestBranch(), type: "branch" },
                  },
                ],
              },
            ]
          : []),
        ...Object.entries(variables).map(([key, value]) => variable(path, key, value, environment)),
      ];
    }),
  );
  return [
    {
      title: "GitHub environments",
      why: "A role trusts an environment, and the environment says who may use it: any pull request the previews' roles, one branch the deploy roles, and after the first stack only with an approval by somebody else. Private repositories have required reviewers with GitHub Enterprise only.",
      parts,
    },
  ];
}

function variable(path: string, name: string, value: string, environment?: string): Part {
  return {
    what: `variable ${name}${environment === undefined ? "" : ` of ${environment}`}`,
    reads: github(`${path}/variables/${name}`),
    picks: (answer: Answer) => answer.value,
    has: value,
    makes: [{ github: "POST", path: `${path}/variables`, body: { name, value } }],
    changes: [{ github: "PATCH", path: `${path}/variables/${name}`, body: { value } }],
  };
}

function branch({ repository }: Organisation): Step {
  const name = pullRequestBranch();
  const path = `repos/${repository}/branches/${name}/protection`;
  const checks = requiredChecks().map((context) => ({ context, app_id: ACTIONS_APP }));
  const reviews = { required_approving_review_count: 1, require_code_owner_reviews: true, dismiss_stale_reviews: true };
  return {
    title: `The branch ${name}`,
    why: "Pull requests only, up to date, with the checks that every one of them gets and a review by .github/CODEOWNERS, in which your team has to stand: what is merged is what was previewed.",
    parts: [
      {
        what: `protection of ${name}`,
        reads: github(path),
        has: {
          required_status_checks: { strict: true, checks },
          required_pull_request_reviews: reviews,
          enforce_admins: { enabled: true },
          allow_force_pushes: { enabled: false },
          allow_deletions: { enabled: false },
        },
        makes: [
          {
            github: "PUT",
            path,
            body: {
              required_status_checks: { strict: true, checks },
              required_pull_request_reviews: reviews,
              enforce_admins: true,
              restrictions: null,
            },
          },
        ],
      },
    ],
  };
}

/** A command of AWS's command line; what may have spaces in it stands in `more`. */
function aws(region: string, words: string, ...more: readonly string[]): Call {
  return { run: ["aws", ...words.split(" "), ...more, "--region", region] };
}

function github(path: string, pick?: string): Call {
  return { github: "GET", path, ...(pick !== undefined && { pick }) };
}
