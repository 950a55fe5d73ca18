import * as pulumi from "@pulumi/pulumi";
import { defined } from "../../analysis/input.ts";
import { declareStack } from "../../program/declareStack.ts";
import type { RecordedFacts } from "../../program/facts/recordedFacts.ts";
import { answerCall } from "../../program/facts/recordedLookups.ts";
import type { LivePolicy } from "../../program/lookups/livePolicy.ts";
import { type ConfigValues, readProject } from "../../program/project.ts";
import { readStackFiles } from "../../program/stackFiles.ts";

export const COMPONENT = "runner-egress:index:RunnerEgress";
export const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";

/** A resource as the program registered it. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests know the inputs of each type
  readonly inputs: any;
  /** The URN of its provider, with an id. */
  readonly provider: string | undefined;
  /** The id of the live object that is taken over. */
  readonly imported: string | undefined;
}

/** A lookup of the program. */
export interface Called {
  readonly token: string;
  readonly args: object;
  readonly provider: string | undefined;
}

/** All that the program did in one run. */
export interface ProgramRun {
  /** Why it refused; empty where it did not. */
  readonly error: string;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly registered: readonly Registered[];
  /** The options of each resource, by its type. */
  readonly options: ReadonlyMap<string, pulumi.ResourceOptions>;
  readonly called: readonly Called[];
  readonly warnings: string;
  readonly notes: string;
}

/** The world that the program meets. */
export interface World {
  /** On top of the stack's own; `undefined` takes a key away. */
  readonly config?: Readonly<Record<string, string | undefined>>;
  /** Instead of the stack's own. */
  readonly facts?: RecordedFacts;
  /** The policy on the cluster. Default: none. */
  readonly live?: LivePolicy;
  /** The outputs of the last update. Default: there was none. */
  readonly deployed?: object;
  /** Instead of the recorded facts. */
  readonly answer?: (token: string) => object;
  /** Default: true. */
  readonly preview?: boolean;
}

/** Runs the program for a stack of the fixture project, under mocks and as the root of a stack. */
export async function runProgram(stack: string, world: World = {}): Promise<ProgramRun> {
  const { live, deployed = {}, preview = true } = world;
  const project = await readProject();
  const files = await readStackFiles(project, stack);
  const registered: Registered[] = [];
  const called: Called[] = [];
  const options = new Map<string, pulumi.ResourceOptions>();
  const said = { warn: [] as string[], info: [] as string[] };
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, provider, id }) => {
        registered.push({ type, name, inputs, provider: provider || undefined, imported: id || undefined });
        return { id: id || name, state: inputs };
      },
      call: ({ token, inputs, provider }) => {
        called.push({ token, args: inputs, provider: provider || undefined });
        if (token === "pulumi:pulumi:readStackOutputs") {
          return { outputs: deployed };
        }
        return world.answer?.(token) ?? answerCall(world.facts ?? files.facts, token, inputs);
      },
    },
    project.name,
    stack,
    preview,
    "organization",
  );
  pulumi.runtime.setAllConfig(defined({ ...files.values, ...world.config }) as ConfigValues);
  let error = "";
  const outputs = await pulumi.runtime.runInPulumiStack(async () => {
    // Mocks see no options, a transformation does.
    pulumi.runtime.registerStackTransformation(({ type, opts }) => {
      options.set(type, opts);
      return undefined;
    });
    try {
      return await declareStack({
        readLivePolicy: async () => live,
        log: {
          warn: async (text) => void said.warn.push(text),
          info: async (text) => void said.info.push(text),
        },
      });
    } catch (refusal) {
      if (!pulumi.RunError.isInstance(refusal)) {
        throw refusal;
      }
      error = refusal.message;
      return {};
    }
  });
  await pulumi.runtime.disconnect();
  return {
    error,
    outputs: outputs ?? {},
    registered,
    options,
    called,
    warnings: said.warn.join("\n"),
    notes: said.info.join("\n"),
  };
}

/** The only resource of a type. */
export function only({ registered }: ProgramRun, type: string): Registered {
  const [found, ...others] = registered.filter((resource) => resource.type === type);
  if (found === undefined || others.length > 0) {
    throw new Error(`expected one ${type}, got ${registered.map(({ type }) => type).join(", ")}`);
  }
  return found;
}
