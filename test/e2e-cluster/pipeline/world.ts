import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { mustRun } from "../../e2e/support/command.ts";
import { Network } from "../../e2e/support/network.ts";
import { FakeGitHub } from "../../support/fakeGitHub.ts";
import { addHost, apply, IMAGE, kubectl, PUBLIC_HOST, setUpPeers } from "../lab.ts";
import { actionsOf } from "./actions.ts";
import { AwsFront } from "./awsFront.ts";
import { EksAuthenticator } from "./eksAuthenticator.ts";
import {
  ACCOUNT,
  BUCKET,
  ENVIRONMENTS,
  type Environment,
  groupsOf,
  rbacOf,
  rolesOf,
  variablesOf,
} from "./environments.ts";
import { type Host, type JobResult, playWorkflow, type Texts } from "./playWorkflow.ts";
import { Repository } from "./repository.ts";

const NAME = "example/runner-egress";
const SUBJECT = "example@1234567/runner-egress@7654321";

/** Where the state and its key are; prod's jobs come from another region. */
const STATE_REGION = "us-east-1";
const PULL_REQUEST = 7;
const MODULES = resolve("node_modules");

/** Everything that the workflows meet: the repository, GitHub, AWS with its roles, and a cluster that enforces policies. */
export class World {
  readonly repository: Repository;
  readonly github: FakeGitHub;
  readonly aws: AwsFront;
  readonly #eks: EksAuthenticator;
  /** Artifacts of the runs, which a re-run of the same workflow finds. */
  readonly #artifacts: string;

  private constructor(parts: Pick<World, "repository" | "github" | "aws">, eks: EksAuthenticator, artifacts: string) {
    ({ repository: this.repository, github: this.github, aws: this.aws } = parts);
    this.#eks = eks;
    this.#artifacts = artifacts;
  }

  /** Sets up what docs/promotion.md says to set up once. */
  static async create(): Promise<World> {
    // The lab brings a cluster that enforces nothing; this is the one around it.
    process.env.KUBECONFIG = process.env.E2E_KUBECONFIG;
    setUpPeers();
    const repository = await Repository.create();
    const key = await createState();
    for (const environment of ENVIRONMENTS) {
      await createAccountParts(environment);
      await configure(repository, environment);
      addHost(`${environment.stack}-db`, `${environment.prefix}.100.20`, [5432, 22]);
    }
    const roles = await Promise.all(ENVIRONMENTS.map((environment) => rolesOf(environment, keyArn(STATE_REGION, key))));
    const aws = new AwsFront(process.env.AWS_ENDPOINT_URL ?? "", roles.flat(), (region) => keyArn(region, key));
    await aws.start();
    const eks = await EksAuthenticator.start(aws, Object.assign({}, ...ENVIRONMENTS.map(groupsOf)));
    aws.endpoint = eks;
    const github = await FakeGitHub.start(NAME, PULL_REQUEST);
    github.reviewed.add("prod");
    const artifacts = await mkdtemp(join(tmpdir(), "runner-egress-artifacts-"));
    return new World({ repository, github, aws }, eks, artifacts);
  }

  async remove(): Promise<void> {
    this.github.stop();
    this.#eks.stop();
    this.aws.stop();
    await this.repository.remove();
    await rm(this.#artifacts, { recursive: true });
  }

  /**
   * Plays a workflow for a commit. Attempts of one run share their artifacts.
   *
   * @param options `run`: which run, the workflow's only one by default; `jobs`: the only jobs to play, all by default
   */
  play(
    workflow: "preview" | "deploy" | "drift",
    commit: string,
    { run = workflow, jobs }: { readonly run?: string; readonly jobs?: readonly string[] } = {},
  ): Promise<Map<string, JobResult>> {
    return playWorkflow(`.github/workflows/${workflow}.yml`, this.host(run, commit), jobs);
  }

  host(run: string, commit: string): Host {
    const artifacts = join(this.#artifacts, run);
    return {
      github: {
        repository: NAME,
        sha: commit,
        token: "secret",
        event: { pull_request: { number: PULL_REQUEST, head: { repo: { full_name: NAME } } } },
      },
      variables: { PULUMI_BACKEND_URL: stateUrl() },
      environments: Object.assign({}, ...ENVIRONMENTS.map(variablesOf)),
      env: this.#environment(),
      actions: actionsOf({ repository: this.repository.path, commit, artifacts, aws: this.aws.url, subject: SUBJECT }),
      replace: (command, { workspace }) =>
        command === "npm ci" ? symlink(MODULES, join(workspace, "node_modules")) : undefined,
    };
  }

  /** Of this process only what a fresh machine would have, and where things are here. No credentials. */
  #environment(): Texts {
    const kept = Object.entries(process.env).filter(
      ([name]) => name.startsWith("PULUMI_") && !/PASSPHRASE|BACKEND_URL/.test(name),
    );
    return {
      ...(Object.fromEntries(kept) as Texts),
      PATH: [process.env.E2E_AWS_FOLDER, join(MODULES, ".bin"), process.env.PATH].join(delimiter),
      HOME: tmpdir(),
      CI: "true",
      AWS_ENDPOINT_URL: this.aws.url,
      AWS_EC2_METADATA_DISABLED: "true",
      GITHUB_ACTIONS: "true",
      GITHUB_API_URL: this.github.origin,
      GITHUB_REPOSITORY: NAME,
    };
  }
}

function stateUrl(): string {
  return `s3://${BUCKET}?region=${STATE_REGION}`;
}

function keyArn(region: string, key: string): string {
  return `arn:aws:kms:${region}:${ACCOUNT}:key/${key}`;
}

/** The bucket of the state and its only key, whose id is returned. */
async function createState(): Promise<string> {
  const aws = (...args: string[]) =>
    mustRun(join(process.env.E2E_AWS_FOLDER ?? "", "aws"), [...args, "--region", STATE_REGION, "--output", "text"]);
  await aws("s3api", "create-bucket", "--bucket", BUCKET);
  const key = (await aws("kms", "create-key", "--query", "KeyMetadata.KeyId")).trim();
  await aws("kms", "create-alias", "--alias-name", "alias/runner-egress-state", "--target-key-id", key);
  return key;
}

/** The network, and the rights in the cluster. */
async function createAccountParts(environment: Environment): Promise<void> {
  const { stack, region, prefix, namespace } = environment;
  await Network.create({ name: `techops-${stack}`, prefix, region });
  if (namespace !== "keeperhub") {
    kubectl("create", "namespace", namespace);
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted");
  }
  apply(...(await rbacOf(environment)));
}

/** The stack in the shared state, and in the repository what it needs here and what verify may try. */
async function configure(repository: Repository, { stack, region, prefix, namespace }: Environment): Promise<void> {
  if (namespace !== "keeperhub") {
    await repository.edit(`Pulumi.${stack}.yaml`, ({ config, ...file }) => ({
      ...file,
      config: { ...(config as object), "runner-egress:runner": { namespace } },
    }));
  }
  const database = `${prefix}.100.20`;
  await repository.write(
    `verify.${stack}.yaml`,
    JSON.stringify({
      image: IMAGE,
      targets: [
        { name: "database", to: `${database}:5432/tcp`, expect: "allow" },
        { name: "database over ssh", to: `${database}:22/tcp`, expect: "deny" },
        { name: "public host", to: `${PUBLIC_HOST}:443/tcp`, expect: "allow" },
      ],
    }),
  );
  const provider = `awskms://alias/runner-egress-state?region=${STATE_REGION}`;
  await mustRun("pulumi", ["stack", "init", stack, "--secrets-provider", provider], {
    cwd: repository.path,
    env: { PULUMI_BACKEND_URL: stateUrl(), AWS_REGION: region },
  });
}
