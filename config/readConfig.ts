import { ADDRESS_FAMILIES, type AddressFamily } from "../analysis/address.ts";
import { type Problem, ProblemsError } from "../analysis/problems.ts";
import { checkContract } from "../rules/checkContract.ts";
import { configKey, readContract } from "./contractConfig.ts";
import { Fields, unknownName } from "./fields.ts";
import {
  ACKNOWLEDGEMENTS,
  type Acknowledgement,
  type AwsConfig,
  type ClusterConfig,
  type DatabaseSubnetChoice,
  type StackConfig,
  type VpcChoice,
} from "./stackConfig.ts";

/** Where the config comes from: what `pulumi config` holds, every value as text, objects as JSON. */
export interface ConfigSource {
  readonly project: string;
  readonly stack: string;
  /** By full key, such as `runner-egress:vpc`. */
  readonly values: Readonly<Record<string, string>>;
}

/** Keys of the project that a stack may set. */
export const KEYS = ["vpc", "databaseSubnets", "cluster", "runner", "destinations", "adopt", "acknowledge"] as const;

/** Keys of the AWS provider that this program passes on. */
const AWS_KEYS = ["region", "profile", "allowedAccountIds"] as const;

/**
 * Reads and checks the whole config of a stack.
 *
 * @throws {ProblemsError} with every problem, each with its key, the value and what is allowed.
 */
export function readConfig({ project, stack, values }: ConfigSource): StackConfig {
  const problems: Problem[] = [];
  const fieldsOf = (namespace: string, allowed: readonly string[], hint: string) => {
    const prefix = `${namespace}:`;
    const members: Record<string, unknown> = {};
    for (const [key, text] of Object.entries(values).filter(([key]) => key.startsWith(prefix))) {
      const name = key.slice(prefix.length);
      if (allowed.includes(name)) {
        members[name] = plainValue(text);
      } else {
        problems.push({ where: key, value: text, reason: unknownName(name, allowed) + hint });
      }
    }
    return new TopFields(namespace, members, allowed, problems);
  };

  const own = fieldsOf(project, KEYS, "");
  const aws = readAws(fieldsOf("aws", AWS_KEYS, ": other settings of the provider have no effect here"));
  const cluster = readCluster(own);
  const vpc = readVpc(own, cluster);
  const databaseSubnets = readDatabaseSubnets(own);
  const contract = readContract(own);
  const adopt = own.flag("adopt") ?? false;
  const acknowledge = readAcknowledgements(own);
  problems.push(
    ...checkContract(contract).map(({ where, ...rest }) => ({ where: configKey(project, where), ...rest })),
  );
  if (problems.length > 0 || aws === undefined || cluster === undefined || !vpc || !databaseSubnets) {
    throw new ProblemsError(`The config of stack ${stack} has ${problems.length} problem(s):`, problems);
  }
  return { stack: `${project}/${stack}`, aws, cluster, vpc, databaseSubnets, contract, adopt, acknowledge };
}

/** The keys of a namespace: written with a colon where objects have a dot. */
class TopFields extends Fields {
  protected override where(name: string): string {
    return `${this.path}:${name}`;
  }
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
  const name = fields.text("name", "the Name tag of a VPC");
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
  const tags = fields.textMap("tags", "tags of the database subnets");
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

function readAcknowledgements(own: Fields): Map<Acknowledgement, string> {
  const fields = own.object("acknowledge", ACKNOWLEDGEMENTS);
  const accepted = new Map<Acknowledgement, string>();
  for (const name of ACKNOWLEDGEMENTS) {
    const reason = fields?.text(name, "the reason why this stack accepts it");
    if (reason !== undefined) {
      accepted.set(name, reason);
    }
  }
  return accepted;
}
