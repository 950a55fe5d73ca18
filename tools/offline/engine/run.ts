import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import { engineLog } from "./log.ts";
import { type Answer, resourceMonitor } from "./monitor.ts";
import type { Project } from "./project.ts";
import type { ConfigValues } from "./stackConfig.ts";
import type { Diagnostic, Invocation, Registration, Transcript } from "./transcript.ts";
import type { PropertyMap } from "./values.ts";

/** One run of the program. */
export interface RunOptions {
  readonly project: Project;
  readonly stack: string;
  readonly config: ConfigValues;
  /** True as in `pulumi preview`, false as in `pulumi up`. */
  readonly dryRun: boolean;
  /** Answers the program's function calls. */
  readonly answer: Answer;
  /** Environment of the program, in full. */
  readonly environment: NodeJS.ProcessEnv;
}

/** How a run ended, and all that the program told the engine. */
export interface Run extends Transcript {
  readonly succeeded: boolean;
  /** Outputs of the stack; empty when the program did not get that far. */
  readonly stackOutputs: PropertyMap;
}

/** Exit status with which the SDK says that the user has seen the error (@pulumi/pulumi cmd/run, 3.270). */
const ALREADY_REPORTED = 32;

/**
 * Runs a Pulumi program as the engine and its language host do: the SDK's own `cmd/run` in a process of its own, which
 * talks to a resource monitor and a log on loopback. Needs no Pulumi CLI, no provider plugin and no network.
 */
export async function runProgram(options: RunOptions): Promise<Run> {
  const { project, stack, config, dryRun, answer } = options;
  const registrations: Registration[] = [];
  const invocations: Invocation[] = [];
  const outputs = new Map<string, PropertyMap>();
  const diagnostics: Diagnostic[] = [];

  const server = new Server();
  server.addService(EngineService, engineLog(diagnostics));
  server.addService(
    ResourceMonitorService,
    resourceMonitor({
      project: project.name,
      stack,
      dryRun,
      disabledDefaultProviders: disabledDefaultProviders(config),
      answer,
      registrations,
      invocations,
      outputs,
    }),
  );
  const bind = promisify(server.bindAsync.bind(server));
  const port = await bind("127.0.0.1:0", ServerCredentials.createInsecure());
  try {
    const { code, output } = await runLanguageHost(options, `127.0.0.1:${port}`);
    for (const message of output) {
      diagnostics.push({ severity: "info", message });
    }
    if (code !== 0 && code !== ALREADY_REPORTED) {
      const message = `Program exited with ${typeof code === "string" ? `signal ${code}` : `non-zero exit code: ${code}`}`;
      diagnostics.push({ severity: "error", message });
    }
    const succeeded = code === 0 && !diagnostics.some(({ severity }) => severity === "error");
    const stackUrn = registrations.find(({ type }) => type === "pulumi:pulumi:Stack")?.urn;
    const stackOutputs = outputs.get(stackUrn ?? "") ?? {};
    return { succeeded, registrations, invocations, outputs, diagnostics, stackOutputs };
  } finally {
    server.forceShutdown();
  }
}

/** Runs the program's process to its end; returns how it ended and what it wrote, line by line. */
async function runLanguageHost(
  { project, stack, config, dryRun, environment }: RunOptions,
  address: string,
): Promise<{ code: number | NodeJS.Signals; output: string[] }> {
  const require = createRequire(`${project.directory}/package.json`);
  const child = spawn(
    process.execPath,
    [
      ...project.nodeArguments,
      require.resolve("@pulumi/pulumi/cmd/run"),
      `--monitor=${address}`,
      `--engine=${address}`,
      "--organization=organization",
      `--project=${project.name}`,
      `--root-directory=${project.directory}`,
      `--stack=${stack}`,
      `--pwd=${project.directory}`,
      "--parallel=16",
      ...(dryRun ? ["--dry-run"] : []),
      project.main,
    ],
    {
      cwd: project.directory,
      env: {
        ...environment,
        ...(project.typescript && { PULUMI_NODEJS_TYPESCRIPT: "true" }),
        PULUMI_CONFIG: JSON.stringify(config),
        PULUMI_CONFIG_SECRET_KEYS: "[]",
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, endedBy) => resolve(code ?? endedBy ?? "SIGKILL"));
  });
  const [code, ...streams] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, output: streams.flatMap((stream) => stream.split("\n")).filter((line) => line.trim() !== "") };
}

function disabledDefaultProviders(config: ConfigValues): string[] {
  const value = config["pulumi:disable-default-providers"];
  return value === undefined ? [] : (JSON.parse(value) as string[]);
}
