import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AwsApi, element } from "./aws.ts";

/** How a network differs from a plain one. */
export interface NetworkOptions {
  /** Name of the VPC and the cluster; the DB subnet group is `NAME-db`. */
  readonly name: string;
  /** The first two numbers of its /16, such as `10.50`. */
  readonly prefix: string;
  /** Default: `us-east-1`. */
  readonly region?: string;
  /** Default: three, `PREFIX.100.0/24` to `PREFIX.102.0/24`. */
  readonly databaseCidrs?: readonly string[];
  /** Version of the vpc-cni add-on; `none` leaves it out. Default: one with a network policy agent of 1.3.1. */
  readonly vpcCni?: string;
  /** Default: true. */
  readonly networkPolicy?: boolean;
  /** Family of the pods; with `ipv6` the VPC and the database's subnets have IPv6 blocks, and pods send no IPv4. Default: `ipv4`. */
  readonly ipFamily?: "ipv4" | "ipv6";
}

/** A VPC with database subnets and an EKS cluster, as this project's environments have them. */
export class Network {
  readonly name: string;
  readonly region: string;
  readonly vpcId: string;
  readonly #api: AwsApi;
  readonly #blocks: string[];
  #addOn: object | undefined;
  /** Ids of the subnets in the DB subnet group, by their block. */
  readonly #databaseSubnets = new Map<string, string>();

  private constructor(name: string, region: string, vpcId: string, block: string) {
    this.name = name;
    this.region = region;
    this.vpcId = vpcId;
    this.#api = new AwsApi(region);
    this.#blocks = [block];
  }

  static async create(options: NetworkOptions): Promise<Network> {
    const { name, prefix, region = "us-east-1", ipFamily = "ipv4" } = options;
    const block = `${prefix}.0.0/16`;
    const network = new Network(
      name,
      region,
      await createVpc(new AwsApi(region), name, block, ipFamily === "ipv6"),
      block,
    );
    const ipv6 = ipFamily === "ipv6" ? await network.#ipv6Block() : undefined;
    const cidrs = options.databaseCidrs ?? [100, 101, 102].map((third) => `${prefix}.${third}.0/24`);
    for (const [index, cidr] of cidrs.entries()) {
      const ipv6Block = ipv6?.replace(/00::\/56$/, `0${index}::/64`);
      network.#databaseSubnets.set(cidr, await network.createSubnet(cidr, "database", ipv6Block));
    }
    if (cidrs.length > 0) {
      await network.#groupSubnets();
    }
    const privateSubnetId = await network.createSubnet(`${prefix}.0.0/20`, "private");
    await network.#api.eks("POST", "/clusters", {
      name,
      version: "1.34",
      roleArn: "arn:aws:iam::123456789012:role/cluster",
      resourcesVpcConfig: { subnetIds: [privateSubnetId] },
      kubernetesNetworkConfig: { ipFamily },
    });
    if (options.vpcCni !== "none") {
      await network.#createAddOn(options);
    }
    return network;
  }

  /** Adds a subnet to the VPC; returns its id. */
  async createSubnet(cidr: string, tier = "database", ipv6Block?: string): Promise<string> {
    const ipv6 = ipv6Block === undefined ? {} : { Ipv6CidrBlock: ipv6Block };
    const parameters = { VpcId: this.vpcId, CidrBlock: cidr, ...ipv6, ...tagged("subnet", { Tier: tier }) };
    return element(await this.#api.query("ec2", "CreateSubnet", parameters), "subnetId");
  }

  /** Adds a subnet and puts it into the DB subnet group. */
  async addDatabaseSubnet(cidr: string): Promise<void> {
    this.#databaseSubnets.set(cidr, await this.createSubnet(cidr));
    await this.#regroupSubnets();
  }

  /** Takes a subnet out of the DB subnet group and deletes it. */
  async removeDatabaseSubnet(cidr: string): Promise<void> {
    const id = this.#databaseSubnets.get(cidr);
    if (id === undefined) {
      throw new Error(`the DB subnet group has no subnet ${cidr}`);
    }
    this.#databaseSubnets.delete(cidr);
    await this.#regroupSubnets();
    await this.#api.query("ec2", "DeleteSubnet", { SubnetId: id });
  }

  /** Puts subnets of another network into the DB subnet group. */
  async addForeignSubnet(id: string): Promise<void> {
    this.#databaseSubnets.set(`of another network: ${id}`, id);
    await this.#regroupSubnets();
  }

  /** Associates a secondary block with the VPC; returns the association's id. */
  async associate(cidr: string): Promise<string> {
    const answer = await this.#api.query("ec2", "AssociateVpcCidrBlock", { VpcId: this.vpcId, CidrBlock: cidr });
    this.#blocks.push(cidr);
    return element(answer, "associationId");
  }

  async disassociate(associationId: string): Promise<void> {
    await this.#api.query("ec2", "DisassociateVpcCidrBlock", { AssociationId: associationId });
  }

  /** Adds an empty second VPC of the same name. */
  async duplicate(): Promise<void> {
    await createVpc(this.#api, this.name, "10.254.0.0/16");
  }

  /** Gives the cluster another vpc-cni add-on. */
  async replaceAddOn(options: Pick<NetworkOptions, "vpcCni" | "networkPolicy">): Promise<void> {
    await this.#api.eks("DELETE", `/clusters/${this.name}/addons/vpc-cni`);
    await this.#createAddOn(options);
  }

  async #createAddOn({
    vpcCni = "v1.21.1-eksbuild.1",
    networkPolicy = true,
    ipFamily = "ipv4",
  }: Pick<NetworkOptions, "vpcCni" | "networkPolicy" | "ipFamily">): Promise<void> {
    this.#addOn = { version: vpcCni, networkPolicyEnabled: networkPolicy, ipv4Egress: true };
    await this.#api.eks("POST", `/clusters/${this.name}/addons`, {
      addonName: "vpc-cni",
      addonVersion: vpcCni,
      configurationValues: JSON.stringify({
        ...(networkPolicy && { enableNetworkPolicy: "true" }),
        ...(ipFamily === "ipv6" && { env: { ENABLE_V4_EGRESS: "false" } }),
      }),
    });
  }

  async #ipv6Block(): Promise<string> {
    return element(await this.#api.query("ec2", "DescribeVpcs", { "VpcId.1": this.vpcId }), "ipv6CidrBlock");
  }

  /** Writes the facts of a stack as `record` would, without the time that it takes. */
  async recordFacts(project: { readonly directory: string }, stack: string): Promise<void> {
    const facts = {
      source: "the suite's own network",
      recordedAt: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
      region: this.region,
      vpc: { id: this.vpcId, name: this.name, ipv4Cidrs: this.#blocks },
      databaseSubnets: Object.fromEntries([...this.#databaseSubnets].map(([cidr, id]) => [id, { cidrs: [cidr] }])),
      databaseSubnetGroup: `${this.name}-db`,
      cluster: { name: this.name, ipFamily: "ipv4", serviceCidr: "172.20.0.0/16" },
      vpcCni: this.#addOn,
    };
    await writeFile(join(project.directory, "facts", `${stack}.json`), JSON.stringify(facts, undefined, 2));
  }

  /** Makes the DB subnet group anew: moto 5.2 loses one that is modified. */
  async #regroupSubnets(): Promise<void> {
    await this.#api.query("rds", "DeleteDBSubnetGroup", { DBSubnetGroupName: `${this.name}-db` });
    await this.#groupSubnets();
  }

  async #groupSubnets(): Promise<void> {
    const subnets = [...this.#databaseSubnets.values()].map((id, index) => [
      `SubnetIds.SubnetIdentifier.${index + 1}`,
      id,
    ]);
    await this.#api.query("rds", "CreateDBSubnetGroup", {
      DBSubnetGroupName: `${this.name}-db`,
      DBSubnetGroupDescription: `Database of ${this.name}`,
      ...Object.fromEntries(subnets),
    });
  }
}

async function createVpc(api: AwsApi, name: string, cidr: string, hasIpv6 = false): Promise<string> {
  const ipv6 = hasIpv6 ? { AmazonProvidedIpv6CidrBlock: "true" } : {};
  const parameters = { CidrBlock: cidr, ...ipv6, ...tagged("vpc", { Name: name }) };
  return element(await api.query("ec2", "CreateVpc", parameters), "vpcId");
}

function tagged(type: string, tags: Readonly<Record<string, string>>): Record<string, string> {
  const parameters = Object.entries(tags).flatMap(([key, value], index) => [
    [`TagSpecification.1.Tag.${index + 1}.Key`, key],
    [`TagSpecification.1.Tag.${index + 1}.Value`, value],
  ]);
  return { "TagSpecification.1.ResourceType": type, ...Object.fromEntries(parameters) };
}
