import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { mustRun, run } from "../../e2e/support/command.ts";
import { Network } from "../../e2e/support/network.ts";
import { FakeGitHub } from "../../support/fakeGitHub.ts";
import { addHost, apply, IMAGE, kubectl, PUBLIC_HOST, setUpPeers } from "../lab.ts";
import { actionsOf } from "./actions.ts";
import { AwsFront } from "./awsFront.ts";
import { EksAuthenticator } from "./eksAuthenticator.ts";
import {
  BUCKET,
  ENVIRONMENTS,
  type Environment,
  groupsOf,
  rbacOf,
  repositoryVariables,
  variablesIn,
} from "./environments.ts";
import { type Host, playWorkflow, type RunResults, type Texts } from "./playWorkflow.ts";
import { Repository } from "./repository.ts";

const NAME = "example/runner-egress";
const SUBJECT = "example@1234567/runner-egress@7654321";

/** Where the state and its key are; prod's jobs come from another region. */
const STATE_REGION = "us-east-1";
const PULL_REQUEST = 7;
const MODULES = resolve("node_modules");

/** The name of both stacks' policy. */
export const POLICY = "workflow-runner-block-imds";

interface PlayOptions {
  readonly run?: string;
  readonly jobs?: readonly string[];
  readonly cancelsAt?: RegExp;
}

/** What is live of a stack, and what its state says. */
export interface Truth {
  readonly uid: string | undefined;
  readonly isOurs: boolean;
  /** Whether the policy opens TCP 22. */
  readonly ssh: boolean;
  /** The commit that the stack was last updated from, by the newest update that succeeded. */
  readonly deployed: string | undefined;
}

interface Update {
  readonly kind: string;
  readonly result: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Where the rights of each stack's roles go: a cluster for each. */
type Clusters = Readonly<Record<Environment["stack"], string | undefined>>;

/** Everything that the workflows meet: the repository, GitHub, AWS with its roles, and a cluster that enforces policies. */
export class World {
  readonly repository: Repository;
  readonly github: FakeGitHub;
  readonly aws: AwsFront;
  readonly #eks: EksAuthenticator;
  /** Artifacts of the runs, which a re-run of the same workflow finds. */
  readonly #artifacts: string;
  readonly #clusters: Clusters;
  /** Results of the last attempt of each run. */
  readonly #runs = new Map<string, RunResults>();

  private constructor(
    parts: Pick<World, "repository" | "github" | "aws">,
    eks: EksAuthenticator,
    artifacts: string,
    clusters: Clusters,
  ) {
    ({ repository: this.repository, github: this.github, aws: this.aws } = parts);
    this.#eks = eks;
    this.#artifacts = artifacts;
    this.#clusters = clusters;
  }

  /** Sets everything up as a reader of docs/promotion.md does, with `runner-egress setup --apply`. */
  static async create(): Promise<World> {
    // The lab brings a cluster that enforces nothing; the other is the one around it.
    const idle = process.env.KUBECONFIG;
    process.env.KUBECONFIG = process.env.E2E_KUBECONFIG;
    setUpPeers();
    const repository = await Repository.create();
    for (const environment of ENVIRONMENTS) {
      await createAccountParts(environment);
      await configure(repository, environment);
      addHost(`${environment.stack}-db`, `${environment.prefix}.100.20`, [5432, 22]);
    }
    const aws = new AwsFront(process.env.AWS_ENDPOINT_URL ?? "");
    await aws.start();
    const github = await FakeGitHub.start(NAME, PULL_REQUEST);
    const clusters = { staging: process.env.KUBECONFIG, prod: idle };
    await setUp(repository, aws, github, clusters);
    // Both stacks deploy to the one that enforces: each has its own names in it.
    for (const environment of ENVIRONMENTS) {
      apply(...(await rbacOf(environment)));
    }
    const eks = await EksAuthenticator.start(aws, (role) => groupsOf(aws, role));
    aws.endpoint = eks;
    const artifacts = await mkdtemp(join(tmpdir(), "runner-egress-artifacts-"));
    return new World({ repository, github, aws }, eks, artifacts, clusters);
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
   * @param options `run`: which run, the workflow's only one by default; `jobs`: the only jobs to play, all by default, the
   *   others are as they were in the attempt before; `cancelsAt`: what a step prints when the run is cancelled
   */
  async play(
    workflow: "preview" | "deploy" | "drift",
    commit: string,
    { run = workflow, jobs, cancelsAt }: PlayOptions = {},
  ): Promise<RunResults> {
    const host = { ...this.host(run, commit), cancelsAt };
    const results = await playWorkflow(`.github/workflows/${workflow}.yml`, host, jobs, this.#runs.get(run));
    this.#runs.set(run, results);
    return results;
  }

  /** What is true of each stack: its live policy, and the commit in its state. */
  async truth(): Promise<Record<Environment["stack"], Truth>> {
    const found: Partial<Record<Environment["stack"], Truth>> = {};
    for (const { stack, namespace } of ENVIRONMENTS) {
      const live = kubectl("-n", namespace, "get", "networkpolicy", POLICY, "--ignore-not-found", "-o", "json");
      const { metadata, spec } = live === "" ? {} : JSON.parse(live);
      const list = ["stack", "history", "--json", "--stack", stack];
      const env = { PULUMI_BACKEND_URL: stateUrl(), AWS_REGION: STATE_REGION };
      const history = await run("pulumi", list, { cwd: this.repository.path, env });
      const updates = history.status === 0 ? (JSON.parse(history.stdout) as Update[]) : [];
      found[stack] = {
        uid: metadata?.uid,
        isOurs: metadata?.annotations?.["runner-egress.keeperhub.com/stack"] !== undefined,
        ssh: JSON.stringify(spec ?? "").includes('"port":22'),
        deployed: updates.find(({ kind, result }) => kind === "update" && result === "succeeded")?.environment[
          "git.head"
        ],
      };
    }
    return found as Record<Environment["stack"], Truth>;
  }

  /** Sets everything up that is not there. */
  setUp(): Promise<void> {
    return setUp(this.repository, this.aws, this.github, this.#clusters);
  }

  /** Takes the state of a stack away, with its history. */
  async loseState(stack: Environment["stack"]): Promise<void> {
    const aws = (...args: string[]) => mustRun(join(process.env.E2E_AWS_FOLDER ?? "", "aws"), args);
    await aws("s3", "rm", `s3://${BUCKET}/.pulumi/stacks/runner-egress/${stack}.json`);
    await aws("s3", "rm", "--recursive", `s3://${BUCKET}/.pulumi/history/runner-egress/${stack}/`);
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
      variables: repositoryVariables(this.github.settings),
      environments: variablesIn(this.github.settings),
      env: this.#environment(),
      actions: actionsOf({
        repository: this.repository.path,
        commit,
        artifacts,
        aws: this.aws.url,
        subject: SUBJECT,
        uploaded: (name) => this.github.artifacts.push(name),
      }),
      replace: (command, { workspace }) =>
        command === "npm ci --omit=dev" ? linkProduction(join(workspace, "node_modules")) : undefined,
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
      GITHUB_RUN_ID: "42",
      GITHUB_SERVER_URL: "https://github.example",
    };
  }
}

/** What `npm ci --omit=dev` would install. */
async function linkProduction(folder: string): Promise<void> {
  const { packages } = JSON.parse(await readFile("package-lock.json", "utf8")) as {
    packages: Record<string, { dev?: boolean }>;
  };
  for (const [path, { dev = false }] of Object.entries(packages)) {
    const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1];
    if (name !== undefined && !dev && existsSync(path)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await symlink(resolve(path), join(folder, name));
    }
  }
}

function stateUrl(): string {
  return `s3://${BUCKET}?region=${STATE_REGION}`;
}

/** What a fresh organisation does once, with an administrator's credentials. */
async function setUp(repository: Repository, aws: AwsFront, github: FakeGitHub, clusters: Clusters): Promise<void> {
  const kubeconfig = await kubeconfigOf(clusters);
  for (const { stack, namespace } of ENVIRONMENTS) {
    const object = JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    await mustRun("kubectl", ["--kubeconfig", kubeconfig, "--context", stack, "apply", "-f", "-"], { input: object });
  }
  const contexts = ENVIRONMENTS.flatMap(({ stack }) => ["--context", `${stack}=${stack}`]);
  const options = ["--repository", NAME, "--state", stateUrl(), "--reviewer", "example/network-security", ...contexts];
  github.settings.content.set("/orgs/example/teams/network-security", { id: 42 });
  await mustRun("node", ["tools/cli/main.ts", "setup", "--apply", ...options], {
    cwd: repository.path,
    env: {
      PATH: [process.env.E2E_AWS_FOLDER, join(MODULES, ".bin"), process.env.PATH].join(delimiter),
      AWS_ENDPOINT_URL: aws.url,
      GITHUB_API_URL: github.origin,
      GITHUB_TOKEN: "secret",
      KUBECONFIG: kubeconfig,
    },
  });
  await rm(kubeconfig);
}

/** A kubeconfig with a context of each stack's name, from one for each. */
async function kubeconfigOf(clusters: Clusters): Promise<string> {
  const all: Record<"clusters" | "users" | "contexts", object[]> = { clusters: [], users: [], contexts: [] };
  for (const [name, file = ""] of Object.entries(clusters)) {
    const view = ["--kubeconfig", file, "config", "view", "--raw", "--flatten", "--minify", "-o", "json"];
    const {
      clusters: [{ cluster }],
      users: [{ user }],
    } = JSON.parse(await mustRun("kubectl", view));
    all.clusters.push({ name, cluster });
    all.users.push({ name, user });
    all.contexts.push({ name, context: { cluster: name, user: name } });
  }
  const path = join(await mkdtemp(join(tmpdir(), "runner-egress-kubeconfig-")), "config");
  await writeFile(path, JSON.stringify({ apiVersion: "v1", kind: "Config", ...all }));
  return path;
}

/** The network, and the namespace in the cluster. */
async function createAccountParts(environment: Environment): Promise<void> {
  const { stack, region, prefix, namespace } = environment;
  await Network.create({ name: `techops-${stack}`, prefix, region });
  if (namespace !== "keeperhub") {
    kubectl("create", "namespace", namespace);
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted");
  }
}

/** In the repository what a stack needs here and what verify may try. */
async function configure(repository: Repository, { stack, prefix, namespace }: Environment): Promise<void> {
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
}
