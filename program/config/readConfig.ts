import { ADDRESS_FAMILIES, type AddressFamily } from "../../analysis/address.ts";
import { type Problem, ProblemsError } from "../../analysis/problems.ts";
import { checkContract } from "../../runner/checkContract.ts";
import { readAccepted } from "./acknowledgements.ts";
import { configKey, readContract } from "./contractConfig.ts";
import { Fields } from "./fields.ts";
import { readMustReach } from "./mustReach.ts";
import { nearestName } from "./nearestName.ts";
import type { AwsConfig, ClusterConfig, DatabaseSubnetChoice, StackConfig, VpcChoice } from "./stackConfig.ts";

/** Where the config comes from: what `pulumi config` holds, every value as text, objects as JSON. */
export interface ConfigSource {
  readonly project: string;
  readonly stack: string;
  /** By full key, such as `runner-egress:vpc`. */
  readonly values: Readonly<Record<string, string>>;
  /** The day in UTC as `YYYY-MM-DD`, after which an acknowledgement may have expired. */
  readonly today: string;
}

/** Keys of the project that a stack may set. */
const KEYS = [
  "vpc",
  "databaseSubnets",
  "cluster",
  "runner",
  "destinations",
  "mustReach",
  "adopt",
  "acknowledge",
] as const;

/** Keys of the AWS provider that this program passes on. */
const AWS_KEYS = ["region", "profile", "allowedAccountIds"] as const;

/**
 * Reads and checks the whole config of a stack.
 *
 * @throws {ProblemsError} with every problem, each with its key, the value and what is allowed.
 */
export function readConfig({ project, stack, values, today }: ConfigSource): StackConfig {
  const problems: Problem[] = [];
  const fieldsOf = (namespace: string, allowed: readonly string[], hint?: string) => {
    const prefix = `${namespace}:`;
    const members = Object.entries(values)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, text]) => [key.slice(prefix.length), plainValue(text)]);
    return new TopFields(namespace, Object.fromEntries(members), allowed, problems, {
      ...(hint !== undefined && { hint }),
    });
  };

  problems.push(...strayKeys(project, Object.keys(values)));
  const own = fieldsOf(project, KEYS);
  const aws = readAws(fieldsOf("aws", AWS_KEYS, "; other settings of the AWS provider have no effect here"));
  const cluster = readCluster(own);
  const vpc = readVpc(own, cluster);
  const databaseSubnets = readDatabaseSubnets(own);
  const contract = readContract(own);
  const adopt = own.flag("adopt") ?? false;
  const mustReach = readMustReach(own, contract.internet);
  const accepted = readAccepted(own, today);
  problems.push(
    ...checkContract(contract).map(({ where, ...rest }) => ({ where: configKey(project, where), ...rest })),
  );
  if (problems.length > 0 || aws === undefined || cluster === undefined || !vpc || !databaseSubnets) {
    throw new ProblemsError(`The config of stack ${stack} can't be used:`, problems);
  }
  return { stack: `${project}/${stack}`, aws, cluster, vpc, databaseSubnets, contract, mustReach, adopt, ...accepted };
}

/** The keys of a namespace: written with a colon where objects have a dot. */
class TopFields extends Fields {
  protected override where(name: string): string {
    return `${this.path}:${name}`;
  }
}

/**
 * Keys that look as if this program read them: of a misspelt project, and of the Kubernetes provider. Without their
 * values, which may be credentials.
 */
function strayKeys(project: string, keys: readonly string[]): Problem[] {
  return [...keys].sort().flatMap((where): Problem[] => {
    const [namespace = "", name = ""] = where.split(":");
    if (namespace === "kubernetes") {
      return [{ where, reason: `has no effect here: the cluster is given by ${project}:cluster. Remove it` }];
    }
    return namespace !== project && nearestName(namespace, [project]) !== undefined
      ? [{ where, reason: `nothing reads this key; did you mean ${project}:${name}?` }]
      : [];
  });
}

/** Numbers stay text: `pulumi config` stores an account id with the digits that somebody typed. */
function plainValue(text: string): unknown {
  if (text === "true" || text === "false") {
    return text === "true";
  }
  if (/^\s*[[{]/.test(text)) {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }
  return text;
}

function readAws(fields: Fields): AwsConfig | undefined {
  const region = fields.text("region", "an AWS region such as us-east-1");
  const profile = fields.text("profile", "a profile of the AWS config");
  const allowedAccountIds = accountIds(fields);
  if (!fields.has("region")) {
    return fields.missing("region", "the AWS region of the VPC, such as us-east-1");
  }
  return region === undefined
    ? undefined
    : { region, ...(profile !== undefined && { profile }), ...(allowedAccountIds && { allowedAccountIds }) };
}

/** `pulumi config set` makes numbers of account ids. One with all its twelve digits lost no leading zero. */
function accountIds(fields: Fields): string[] | undefined {
  const ids = fields.list("allowedAccountIds")?.map(String);
  return ids === undefined || (ids.length > 0 && ids.every((id) => /^\d{12}$/.test(id)))
    ? ids
    : fields.wrong("allowedAccountIds", 'must be a list of account ids, twelve digits each, such as ["123456789012"]');
}

function readCluster(own: Fields): ClusterConfig | undefined {
  const fields = own.object("cluster", ["eks", "roleArn", "context", "ipFamily"]);
  if (fields === undefined) {
    return own.has("cluster") ? undefined : own.missing("cluster", "{eks: NAME} or {context: NAME, ipFamily: ipv4}");
  }
  const eks = fields.text("eks", "the name of an EKS cluster");
  const context = fields.text("context", "a context of the kubeconfig");
  const roleArn = fields.text("roleArn", "the ARN of an IAM role");
  const ipFamily = fields.choice<AddressFamily>("ipFamily", ADDRESS_FAMILIES);
  if (fields.has("eks")) {
    if (fields.has("ipFamily")) {
      fields.wrong("ipFamily", "EKS knows the family of its cluster; drop this key or cluster.eks");
    }
    if (fields.has("roleArn") && fields.has("context")) {
      fields.wrong("roleArn", "the kubeconfig context brings its own credentials; drop this key or cluster.context");
    }
    return eks === undefined
      ? undefined
      : { eks, ...(roleArn !== undefined && { roleArn }), ...(context !== undefined && { context }) };
  }
  if (!fields.has("context")) {
    return fields.missing("eks", "the name of the EKS cluster, or cluster.context and cluster.ipFamily");
  }
  if (fields.has("roleArn")) {
    fields.wrong("roleArn", "only for a cluster that is given by cluster.eks");
  }
  if (!fields.has("ipFamily")) {
    return fields.missing("ipFamily", "the pods' address family, which a kubeconfig does not tell: ipv4 or ipv6");
  }
  return context === undefined || ipFamily === undefined ? undefined : { context, ipFamily };
}

function readVpc(own: Fields, cluster: ClusterConfig | undefined): VpcChoice | undefined {
  const fields = own.object("vpc", ["id", "name", "ofCluster"]);
  if (fields === undefined) {
    return own.has("vpc") ? undefined : own.missing("vpc", "{id: ID}, {name: NAME-TAG} or {ofCluster: true}");
  }
  const id = fields.text("id", "a VPC id such as vpc-0123456789abcdef0");
  const name = exactly(fields, "name", fields.text("name", "the Name tag of a VPC"));
  const ofCluster = fields.flag("ofCluster");
  switch (fields.onlyOf(["id", "name", "ofCluster"], "which VPC")) {
    case "id":
      return id === undefined ? undefined : { id };
    case "name":
      return name === undefined ? undefined : { name };
    case "ofCluster":
      if (cluster !== undefined && !("eks" in cluster)) {
        return fields.wrong("ofCluster", "only EKS tells the VPC of its cluster; give vpc.id or vpc.name");
      }
      return ofCluster === false ? fields.wrong("ofCluster", "must be true, or left out") : ofCluster && { ofCluster };
    default:
      return undefined;
  }
}

function readDatabaseSubnets(own: Fields): DatabaseSubnetChoice | undefined {
  const fields = own.object("databaseSubnets", ["subnetGroup", "tags", "ids"]);
  if (fields === undefined) {
    return own.has("databaseSubnets")
      ? undefined
      : own.missing("databaseSubnets", "{subnetGroup: NAME}, {tags: {KEY: VALUE}} or {ids: [ID]}");
  }
  const subnetGroup = fields.text("subnetGroup", "the name of an RDS DB subnet group");
  const tags = exactly(fields, "tags", fields.textMap("tags", "tags of the database subnets"));
  const ids = fields.texts("ids", "subnet ids");
  switch (fields.onlyOf(["subnetGroup", "tags", "ids"], "which database subnets")) {
    case "subnetGroup":
      return subnetGroup === undefined ? undefined : { subnetGroup };
    case "tags":
      return tags && { tags };
    case "ids":
      return ids && { ids };
    default:
      return undefined;
  }
}

/**
 * Tag values without the wildcards that EC2 knows in filters: `*` and `?`, with a backslash to escape them (Filtering your
 * resources, EC2 user guide, read 2026-11). One would select more than it says, and so open the database's ports to it.
 */
function exactly<Tags extends string | Readonly<Record<string, string>>>(
  fields: Fields,
  name: string,
  tags: Tags | undefined,
): Tags | undefined {
  const values = typeof tags === "string" ? [tags] : Object.values(tags ?? {});
  return values.some((value) => /[*?\\]/.test(value))
    ? fields.wrong(name, "*, ? and \\ would match other tag values, too; write the value out or give ids")
    : tags;
}
