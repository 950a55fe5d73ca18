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
}

/** A VPC with database subnets and an EKS cluster, as this project's environments have them. */
export class Network {
  readonly name: string;
  readonly region: string;
  readonly vpcId: string;
  readonly #api: AwsApi;
  /** Ids of the subnets in the DB subnet group, by their block. */
  readonly #databaseSubnets = new Map<string, string>();

  private constructor(name: string, region: string, vpcId: string) {
    this.name = name;
    this.region = region;
    this.vpcId = vpcId;
    this.#api = new AwsApi(region);
  }

  static async create(options: NetworkOptions): Promise<Network> {
    const { name, prefix, region = "us-east-1" } = options;
    const network = new Network(name, region, await createVpc(new AwsApi(region), name, `${prefix}.0.0/16`));
    const cidrs = options.databaseCidrs ?? [100, 101, 102].map((third) => `${prefix}.${third}.0/24`);
    for (const cidr of cidrs) {
      network.#databaseSubnets.set(cidr, await network.createSubnet(cidr));
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
      kubernetesNetworkConfig: { ipFamily: "ipv4" },
    });
    if (options.vpcCni !== "none") {
      await network.#createAddOn(options);
    }
    return network;
  }

  /** Adds a subnet to the VPC; returns its id. */
  async createSubnet(cidr: string, tier = "database"): Promise<string> {
    const parameters = { VpcId: this.vpcId, CidrBlock: cidr, ...tagged("subnet", { Tier: tier }) };
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
  }: Pick<NetworkOptions, "vpcCni" | "networkPolicy">): Promise<void> {
    await this.#api.eks("POST", `/clusters/${this.name}/addons`, {
      addonName: "vpc-cni",
      addonVersion: vpcCni,
      configurationValues: JSON.stringify(networkPolicy ? { enableNetworkPolicy: "true" } : {}),
    });
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

async function createVpc(api: AwsApi, name: string, cidr: string): Promise<string> {
  const parameters = { CidrBlock: cidr, ...tagged("vpc", { Name: name }) };
  return element(await api.query("ec2", "CreateVpc", parameters), "vpcId");
}

function tagged(type: string, tags: Readonly<Record<string, string>>): Record<string, string> {
  const parameters = Object.entries(tags).flatMap(([key, value], index) => [
    [`TagSpecification.1.Tag.${index + 1}.Key`, key],
    [`TagSpecification.1.Tag.${index + 1}.Value`, value],
  ]);
  return { "TagSpecification.1.ResourceType": type, ...Object.fromEntries(parameters) };
}
