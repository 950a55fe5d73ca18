import { ADDRESS_FAMILIES } from "../../analysis/address.ts";
import { defined, Input } from "../../analysis/input.ts";
import { nearestName } from "../../analysis/nearestName.ts";
import { type Problem, ProblemsError } from "../../analysis/problems.ts";
import { checkContract } from "../../runner/checkContract.ts";
import { readAccepted } from "./acknowledgements.ts";
import { configKey, readContract } from "./contractConfig.ts";
import { readMustReach } from "./mustReach.ts";
import type { AwsConfig, ClusterConfig, DatabaseSubnetChoice, StackConfig, VpcChoice } from "./stackConfig.ts";

/** Where the config comes from: what `pulumi config` holds, every value as text, objects as JSON. */
export interface ConfigSource {
  readonly project: string;
  readonly stack: string;
  /** By full key, such as `runner-egress:vpc`. */
  readonly values: Readonly<Record<string, string>>;
  /** The day as `YYYY-MM-DD`, after which an acknowledgement may have expired. Default: this machine's, in UTC. */
  readonly today?: string;
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
  const problems: Problem[] = strayKeys(project, Object.keys(values));
  const namespace = (name: string) => {
    const prefix = `${name}:`;
    const members = Object.entries(values)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, text]) => [key.slice(prefix.length), plainValue(text)]);
    return new Input(Object.fromEntries(members), prefix, problems);
  };
  const own = namespace(project);
  own.object(KEYS);
  const aws = readAws(namespace("aws"));
  const cluster = readCluster(own.at("cluster"));
  const vpc = readVpc(own.at("vpc"), cluster);
  const contract = readContract(own);
  const databaseSubnets = readDatabaseSubnets(own.at("databaseSubnets"), contract.database !== undefined);
  const adopt = own.at("adopt").flag() ?? false;
  const mustReach = readMustReach(own.at("mustReach"), contract.internet);
  const accepted = readAccepted(own.at("acknowledge"), today ?? new Date().toISOString().slice(0, 10));
  problems.push(
    ...checkContract(contract).map(({ where, ...rest }) => ({ where: configKey(project, where), ...rest })),
  );
  if (problems.length > 0 || aws === undefined || cluster === undefined || vpc === undefined) {
    throw new ProblemsError(`The config of stack ${stack} can't be used:`, problems);
  }
  return {
    ...{ stack: `${project}/${stack}`, aws, cluster, vpc, contract, mustReach, adopt },
    ...accepted,
    ...defined({ databaseSubnets }),
  };
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

function readAws(aws: Input): AwsConfig | undefined {
  aws.object(AWS_KEYS, { hint: "; other settings of the AWS provider have no effect here" });
  const region = aws
    .at("region")
    .required("the AWS region of the VPC, such as us-east-1")
    .text("an AWS region such as us-east-1");
  const profile = aws.at("profile").text("a profile of the AWS config");
  const allowedAccountIds = readAccountIds(aws.at("allowedAccountIds"));
  return region === undefined ? undefined : { region, ...defined({ profile, allowedAccountIds }) };
}

/** `pulumi config set` makes numbers of account ids. One with all its twelve digits lost no leading zero. */
function readAccountIds(input: Input): string[] | undefined {
  const { value } = input;
  const ids = Array.isArray(value) ? value.map(String) : [];
  return !input.isGiven || (ids.length > 0 && ids.every((id) => /^\d{12}$/.test(id)))
    ? input.isGiven
      ? ids
      : undefined
    : input.wrong('must be a list of account ids, twelve digits each, such as ["123456789012"]');
}

function readCluster(input: Input): ClusterConfig | undefined {
  const own = input
    .required("{eks: NAME} or {context: NAME, ipFamily: ipv4}")
    .object(["eks", "roleArn", "context", "ipFamily"]);
  if (own === undefined) {
    return undefined;
  }
  const eks = own.at("eks").text("the name of an EKS cluster");
  const context = own.at("context").text("a context of the kubeconfig");
  const roleArn = own.at("roleArn").text("the ARN of an IAM role");
  const ipFamily = own.at("ipFamily").choice(ADDRESS_FAMILIES);
  if (own.has("eks")) {
    if (own.has("ipFamily")) {
      own.at("ipFamily").wrong("EKS knows the family of its cluster; drop this key or cluster.eks");
    }
    if (own.has("roleArn") && own.has("context")) {
      own.at("roleArn").wrong("the kubeconfig context brings its own credentials; drop this key or cluster.context");
    }
    return eks === undefined ? undefined : { eks, ...defined({ roleArn, context }) };
  }
  if (!own.has("context")) {
    return own.at("eks").missing("the name of the EKS cluster, or cluster.context and cluster.ipFamily");
  }
  if (own.has("roleArn")) {
    own.at("roleArn").wrong("only for a cluster that is given by cluster.eks");
  }
  own.at("ipFamily").required("the pods' address family, which a kubeconfig does not tell: ipv4 or ipv6");
  return context === undefined || ipFamily === undefined ? undefined : { context, ipFamily };
}

function readVpc(input: Input, cluster: ClusterConfig | undefined): VpcChoice | undefined {
  const own = input.required("{id: ID}, {name: NAME-TAG} or {ofCluster: true}").object(["id", "name", "ofCluster"]);
  const id = own?.at("id").text("a VPC id such as vpc-0123456789abcdef0");
  const name = own && exactly(own.at("name"), own.at("name").text("the Name tag of a VPC"));
  const ofCluster = own?.at("ofCluster").flag();
  if (own?.onlyOf(["id", "name", "ofCluster"], "which VPC") === undefined) {
    return undefined;
  }
  if (ofCluster === false) {
    return own.at("ofCluster").wrong("must be true, or left out");
  }
  if (ofCluster && cluster !== undefined && !("eks" in cluster)) {
    return own.at("ofCluster").wrong("only EKS tells the VPC of its cluster; give vpc.id or vpc.name");
  }
  return (id !== undefined && { id }) || (name !== undefined && { name }) || (ofCluster && { ofCluster });
}

/** @param isNeeded whether the runners may reach the database */
function readDatabaseSubnets(input: Input, isNeeded: boolean): DatabaseSubnetChoice | undefined {
  const given = isNeeded ? input.required("{subnetGroup: NAME}, {tags: {KEY: VALUE}} or {ids: [ID]}") : input;
  const own = given.object(["subnetGroup", "tags", "ids"]);
  const subnetGroup = own?.at("subnetGroup").text("the name of an RDS DB subnet group");
  const tags = own && exactly(own.at("tags"), own.at("tags").textMap("tags of the database subnets"));
  const ids = own?.at("ids").texts("subnet ids");
  if (own?.onlyOf(["subnetGroup", "tags", "ids"], "which database subnets") === undefined) {
    return undefined;
  }
  return (subnetGroup !== undefined && { subnetGroup }) || (tags && { tags }) || (ids && { ids });
}

/**
 * Tag values without the wildcards that EC2 knows in filters: `*` and `?`, with a backslash to escape them (Filtering your
 * resources, EC2 user guide, read 2026-11). One would select more than it says, and so open the database's ports to it.
 */
function exactly<Tags extends string | Readonly<Record<string, string>>>(
  input: Input,
  tags: Tags | undefined,
): Tags | undefined {
  const values = typeof tags === "string" ? [tags] : Object.values(tags ?? {});
  return values.some((value) => /[*?\\]/.test(value))
    ? input.wrong("*, ? and \\ would match other tag values, too; write the value out or give ids")
    : tags;
}
