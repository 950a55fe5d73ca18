import { canonicalJson } from "../../runner/canonicalJson.ts";
import { awsPolicy, grants, type Names, type RbacObject, rbac } from "./accessFiles.ts";
import { aws, github } from "./call.ts";
import { branch, environments, variable } from "./githubSteps.ts";
import { codeOwners } from "./repositoryFiles.ts";
import {
  type Answer,
  isReviewed,
  KINDS,
  type Kind,
  type Organisation,
  type Part,
  PROJECT,
  roleArn,
  roleName,
  type SetupStack,
  type Step,
  stateUrl,
} from "./step.ts";

const ALIAS = "alias/runner-egress-state";
const OIDC = "token.actions.githubusercontent.com";
const AUDIENCE = "sts.amazonaws.com";
/** The groups of `access/kubernetes-*.yaml` that a role is in. */
const GROUPS = { preview: ["runner-egress-preview"], deploy: ["egress-verify", "runner-egress-deploy"] } as const;

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
    environments(organisation),
    branch(organisation),
    {
      title: "Where the state is",
      why: "Every job reads it from this variable of the repository.",
      parts: [variable(`repos/${organisation.repository}/actions`, "PULUMI_BACKEND_URL", stateUrl(organisation))],
    },
  ];
}

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
