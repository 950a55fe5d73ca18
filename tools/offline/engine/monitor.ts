import {
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type aliasMessages from "@pulumi/pulumi/proto/alias_pb.js";
import type { IResourceMonitorServer } from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/resource_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { InvocationError } from "./invocationError.ts";
import type { Invocation, Registration } from "./transcript.ts";
import { decodeProperties, encodeProperties, type PropertyMap } from "./values.ts";

/** Answers a function call as the provider would; throws `InvocationError` when the provider would refuse. */
export type Answer = (invocation: Invocation) => PropertyMap;

/** What the monitor needs to know of the run, and where it puts what it hears. */
export interface MonitorOptions {
  readonly project: string;
  readonly stack: string;
  readonly dryRun: boolean;
  /** Packages without a default provider (`pulumi:disable-default-providers`); `*` stands for all of them. */
  readonly disabledDefaultProviders: readonly string[];
  readonly answer: Answer;
  readonly registrations: Registration[];
  readonly invocations: Invocation[];
  readonly outputs: Map<string, PropertyMap>;
}

const STACK_TYPE = "pulumi:pulumi:Stack";
const PROVIDER_TYPE = "pulumi:providers:";

// Callback-based features (transforms, hooks) are not among them: the SDK then says so instead of being ignored.
const FEATURES = [
  messages.ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_SECRETS,
  messages.ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
  messages.ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_OUTPUT_VALUES,
  messages.ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
  messages.ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
];

/**
 * The engine's resource monitor, as far as a program with lookups, components and Kubernetes objects needs it.
 *
 * It keeps what it is told and answers as the engine would: URNs from the parent's types, ids only where an engine
 * would know them, inputs as outputs. It has no state, no diff and no provider. A call that it does not know ends the
 * program with gRPC's "not implemented".
 */
export function resourceMonitor(options: MonitorOptions): UntypedServiceImplementation {
  const { registrations, invocations, outputs } = options;
  return {
    getDeploymentInfo: unary(() => {
      const info = new messages.DeploymentInfo();
      info.setProject(options.project).setStack(options.stack).setDryrun(options.dryRun);
      return info.setSupportedfeaturesList(FEATURES);
    }),

    registerResource: unary((request: messages.RegisterResourceRequest) => {
      const registration = registrationOf(request, options);
      requireProvider(options, registration.type, registration.custom ? registration.provider : "none");
      if (registrations.some(({ urn }) => urn === registration.urn)) {
        throw new InvocationError(`Duplicate resource URN '${registration.urn}'; try giving it a unique name`);
      }
      registrations.push(registration);
      const response = new messages.RegisterResourceResponse();
      response.setUrn(registration.urn).setId(idOf(registration, options.dryRun));
      // The inputs go back as they came: a secret stays a secret.
      return response.setObject(request.getObject());
    }),

    registerResourceOutputs: unary((request: messages.RegisterResourceOutputsRequest) => {
      outputs.set(request.getUrn(), decodeProperties(request.getOutputs()));
      return new empty.Empty();
    }),

    invoke: unary((request: messages.ResourceInvokeRequest) => {
      const token = request.getTok();
      const provider = providerUrn(request.getProvider());
      const args = decodeProperties(request.getArgs());
      const invocation: Invocation = { token, args, ...(provider && { provider }) };
      requireProvider(options, token, invocation.provider);
      invocations.push(invocation);
      return new messages.ResourceInvokeResponse().setReturn(encodeProperties(answered(options.answer, invocation)));
    }),

    signalAndWaitForShutdown: unary(() => new empty.Empty()),
  } satisfies Partial<IResourceMonitorServer>;
}

function answered(answer: Answer, invocation: Invocation): PropertyMap {
  try {
    return answer(invocation);
  } catch (error) {
    if (!(error instanceof InvocationError)) {
      throw error;
    }
    throw new InvocationError(`invocation of ${invocation.token} returned an error: ${error.message}`);
  }
}

/** Throws as the engine does where a resource or a function of a package would get a disabled default provider. */
function requireProvider(options: MonitorOptions, typeOrToken: string, provider: string | undefined): void {
  const [scope = "", name = ""] = typeOrToken.split(":");
  if (provider !== undefined || scope === "pulumi") {
    return;
  }
  const disabled = options.disabledDefaultProviders;
  if (disabled.includes("*") || disabled.includes(scope)) {
    throw new InvocationError(
      `Default provider for '${scope}' disabled. '${scope}:${name}' must use an explicit provider.`,
    );
  }
}

function registrationOf(request: messages.RegisterResourceRequest, options: MonitorOptions): Registration {
  const type = request.getType();
  const name = request.getName();
  const parent = request.getParent();
  const provider = providerUrn(request.getProvider());
  const importId = request.getImportid();
  const version = request.getVersion();
  return {
    urn: urnOf(options, parent, type, name),
    type,
    name,
    custom: request.getCustom(),
    ...(parent !== "" && { parent }),
    ...(provider && { provider }),
    providers: Object.fromEntries(
      request
        .getProvidersMap()
        .toArray()
        .sort()
        .map(([name, reference]) => [name, providerUrn(reference) ?? ""]),
    ),
    ...(request.hasProtect() && { protect: request.getProtect() === true }),
    ...(importId !== "" && { importId }),
    aliases: request.getAliasesList().map(aliasOf),
    dependencies: request.getDependenciesList().sort(),
    ...(request.hasRetainondelete() && { retainOnDelete: request.getRetainondelete() === true }),
    ...(request.getDeletebeforereplacedefined() && { deleteBeforeReplace: request.getDeletebeforereplace() }),
    ignoreChanges: request.getIgnorechangesList(),
    replaceOnChanges: request.getReplaceonchangesList(),
    ...(version !== "" && { version }),
    inputs: decodeProperties(request.getObject()),
  };
}

/** URN in a reference to a provider, which is `URN::ID` with an id that a preview doesn't know. */
function providerUrn(reference: string): string | undefined {
  return reference === "" ? undefined : reference.slice(0, reference.lastIndexOf("::"));
}

/** URN of a resource: the types of its parents, without the stack's, qualify its own. */
function urnOf({ stack, project }: MonitorOptions, parent: string, type: string, name: string): string {
  const parentType = parent.split("::")[2] ?? STACK_TYPE;
  const qualified = parentType === STACK_TYPE ? type : `${parentType}$${type}`;
  return `urn:pulumi:${stack}::${project}::${qualified}::${name}`;
}

/**
 * Id of a resource. A preview knows it only for what exists already, an update for all: `NAMESPACE/NAME` for a
 * Kubernetes object, the name for anything else.
 */
function idOf({ custom, importId, type, name, inputs }: Registration, dryRun: boolean): string {
  if (!custom) {
    return "";
  }
  if (importId !== undefined) {
    return importId;
  }
  if (dryRun) {
    return "";
  }
  const { metadata } = inputs;
  if (type.startsWith(PROVIDER_TYPE) || metadata === null || typeof metadata !== "object" || Array.isArray(metadata)) {
    return name;
  }
  return [metadata.namespace, metadata.name].filter((part) => typeof part === "string").join("/");
}

function aliasOf(alias: aliasMessages.Alias): Registration["aliases"][number] {
  const spec = alias.getSpec();
  if (spec === undefined) {
    return alias.getUrn();
  }
  const { name, type, stack, project, parenturn, noparent } = spec.toObject();
  const parent = noparent ? { noParent: true } : { parent: parenturn };
  return Object.fromEntries(Object.entries({ name, type, stack, project, ...parent }).filter(([, value]) => value));
}

/** A gRPC method of one request and one response from a function; what it throws becomes the program's error. */
function unary<Request, Response>(method: (request: Request) => Response) {
  return (call: ServerUnaryCall<Request, Response>, reply: sendUnaryData<Response>): void => {
    try {
      reply(null, method(call.request));
    } catch (error) {
      const details = error instanceof InvocationError ? error.message : String(error);
      reply({ code: status.UNKNOWN, details } as ServiceError);
    }
  };
}
