import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { loadAll } from "js-yaml";

/*
 * Only what one read of one object needs. The official client library costs half a second at every preview, most of it
 * for the models of every Kubernetes kind.
 */

/** A kubeconfig, in the members that are read here. */
export interface Kubeconfig {
  readonly "current-context"?: string;
  readonly clusters?: readonly { readonly name: string; readonly cluster: KubeconfigCluster }[];
  readonly users?: readonly { readonly name: string; readonly user: KubeconfigUser }[];
  readonly contexts?: readonly { readonly name: string; readonly context: { cluster: string; user: string } }[];
}

export interface KubeconfigCluster {
  readonly server: string;
  readonly "certificate-authority"?: string;
  readonly "certificate-authority-data"?: string;
  readonly "insecure-skip-tls-verify"?: boolean;
  readonly "tls-server-name"?: string;
  readonly "proxy-url"?: string;
}

export interface KubeconfigUser {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly "client-certificate"?: string;
  readonly "client-certificate-data"?: string;
  readonly "client-key"?: string;
  readonly "client-key-data"?: string;
  readonly username?: string;
  readonly password?: string;
  /** A command that prints credentials (`client.authentication.k8s.io`). */
  readonly exec?: {
    readonly apiVersion: string;
    readonly command: string;
    readonly args?: readonly string[] | null;
    readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  };
  readonly as?: string;
  readonly "as-groups"?: readonly string[];
  readonly "auth-provider"?: unknown;
}

/** How to reach an API server and who to be there. */
export interface ClusterAccess {
  readonly server: string;
  /** PEM; the system's authorities where it is missing. */
  readonly certificateAuthority?: string;
  readonly skipVerify: boolean;
  readonly serverName?: string;
  readonly proxy?: string;
  readonly token?: string;
  readonly basic?: { readonly username: string; readonly password: string };
  /** PEM. */
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  /** Whose rights the request has instead of the caller's own. */
  readonly impersonated?: { readonly user: string; readonly groups: readonly string[] };
}

const EXEC_SECONDS = 60;

/** A kubeconfig that can't be read, or a context that can't be used. */
export class KubeconfigError extends Error {
  override readonly name = "KubeconfigError";
}

/**
 * The user's kubeconfig, as kubectl finds it: the files of `KUBECONFIG`, else `~/.kube/config`. The first mention of a name
 * counts; of several files some may be missing.
 *
 * @throws {KubeconfigError} when the only file can't be read, or one is no YAML.
 */
export async function readKubeconfig(environment: NodeJS.ProcessEnv = process.env): Promise<Kubeconfig> {
  const files = environment.KUBECONFIG
    ? environment.KUBECONFIG.split(delimiter).filter((file) => file !== "")
    : [join(homedir(), ".kube", "config")];
  const parts = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT" && files.length > 1) {
          return "";
        }
        throw new KubeconfigError(`the kubeconfig can't be read: ${error.message}`);
      });
      return absolutePaths(parse(text, file), dirname(file));
    }),
  );
  const current = parts.find((part) => part["current-context"])?.["current-context"];
  return {
    ...(current && { "current-context": current }),
    clusters: parts.flatMap(({ clusters }) => clusters ?? []),
    users: parts.flatMap(({ users }) => users ?? []),
    contexts: parts.flatMap(({ contexts }) => contexts ?? []),
  };
}

function parse(text: string, file: string): Kubeconfig {
  try {
    return (loadAll(text)[0] ?? {}) as Kubeconfig;
  } catch (error) {
    throw new KubeconfigError(`${file} is not YAML: ${(error as Error).message}`);
  }
}

const PATHS: readonly string[] = ["certificate-authority", "client-certificate", "client-key", "tokenFile"];

/** Paths in a kubeconfig are relative to its folder. */
function absolutePaths(config: Kubeconfig, folder: string): Kubeconfig {
  const absolute = <Entry extends object>(entry: Entry): Entry =>
    Object.fromEntries(
      Object.entries(entry).map(([name, value]) => [
        name,
        PATHS.includes(name) && value ? resolve(folder, value) : value,
      ]),
    ) as Entry;
  return {
    ...config,
    clusters: (config.clusters ?? []).map(({ name, cluster }) => ({ name, cluster: absolute(cluster) })),
    users: (config.users ?? []).map(({ name, user }) => ({ name, user: absolute(user) })),
  };
}

/**
 * Access to the cluster of a context; runs the credential command if there is one.
 *
 * @throws {KubeconfigError} that names what is missing or not supported.
 * @throws {Error} when the credential command fails.
 */
export async function accessFrom(kubeconfig: Kubeconfig, contextName?: string): Promise<ClusterAccess> {
  const name = contextName ?? kubeconfig["current-context"];
  const context = kubeconfig.contexts?.find((entry) => entry.name === name)?.context;
  if (context === undefined) {
    const known = kubeconfig.contexts?.map((entry) => entry.name) ?? [];
    throw new KubeconfigError(
      `the kubeconfig has no context ${JSON.stringify(name)}; it has ${known.join(", ") || "none"}`,
    );
  }
  const cluster = kubeconfig.clusters?.find((entry) => entry.name === context.cluster)?.cluster;
  if (!cluster?.server) {
    throw new KubeconfigError(
      `the kubeconfig's context ${name} names the cluster ${context.cluster}, which it does not have`,
    );
  }
  const user = kubeconfig.users?.find((entry) => entry.name === context.user)?.user ?? {};
  if (user["auth-provider"] !== undefined) {
    throw new KubeconfigError(`user ${context.user} has an auth-provider, which kubectl dropped in 1.26; use exec`);
  }
  const certificateAuthority = await pem(cluster["certificate-authority-data"], cluster["certificate-authority"]);
  const credentials = user.exec === undefined ? await staticCredentials(user) : await runExec(user.exec);
  return {
    server: cluster.server,
    ...(certificateAuthority !== undefined && { certificateAuthority }),
    skipVerify: cluster["insecure-skip-tls-verify"] === true,
    ...(cluster["tls-server-name"] && { serverName: cluster["tls-server-name"] }),
    ...(cluster["proxy-url"] && { proxy: cluster["proxy-url"] }),
    ...credentials,
    ...(user.as && { impersonated: { user: user.as, groups: user["as-groups"] ?? [] } }),
  };
}

type Credentials = Pick<ClusterAccess, "token" | "basic" | "clientCertificate" | "clientKey">;

async function staticCredentials(user: KubeconfigUser): Promise<Credentials> {
  const clientCertificate = await pem(user["client-certificate-data"], user["client-certificate"]);
  const clientKey = await pem(user["client-key-data"], user["client-key"]);
  // As in client-go, the file wins: it is what gets renewed.
  const token = user.tokenFile ? (await readFile(user.tokenFile, "utf8")).trim() : user.token;
  return {
    ...(token && { token }),
    ...(user.username && { basic: { username: user.username, password: user.password ?? "" } }),
    ...(clientCertificate && { clientCertificate }),
    ...(clientKey && { clientKey }),
  };
}

async function runExec({ apiVersion, command, args, env }: NonNullable<KubeconfigUser["exec"]>): Promise<Credentials> {
  const line = [command, ...(args ?? [])];
  const environment = {
    ...process.env,
    ...Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])),
    KUBERNETES_EXEC_INFO: JSON.stringify({ apiVersion, kind: "ExecCredential", spec: { interactive: false } }),
  };
  const options = { env: environment, timeout: EXEC_SECONDS * 1000 };
  const { stdout } = await promisify(execFile)(command, line.slice(1), options).catch((error) => {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
    const why = code === "ENOENT" ? "it is not installed or not on PATH" : stderr?.trim() || message;
    throw new Error(`the credential command "${line.join(" ")}" failed: ${why}`);
  });
  let status: { token?: string; clientCertificateData?: string; clientKeyData?: string } | undefined;
  try {
    ({ status } = JSON.parse(stdout));
  } catch {
    throw new Error(`the credential command "${command}" printed no JSON`);
  }
  const { token, clientCertificateData: clientCertificate, clientKeyData: clientKey } = status ?? {};
  if (!token && !clientCertificate) {
    throw new Error(`the credential command "${command}" printed neither a token nor a certificate`);
  }
  return {
    ...(token && { token }),
    ...(clientCertificate && { clientCertificate }),
    ...(clientKey && { clientKey }),
  };
}

async function pem(data: string | undefined, file: string | undefined): Promise<string | undefined> {
  if (data) {
    return Buffer.from(data, "base64").toString("utf8");
  }
  return file ? readFile(file, "utf8") : undefined;
}
