import type { ServerUnaryCall, sendUnaryData, UntypedServiceImplementation } from "@grpc/grpc-js";
import type { IEngineServer } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/engine_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import type { Diagnostic } from "./transcript.ts";

const SEVERITIES: Readonly<Record<messages.LogSeverity, Diagnostic["severity"]>> = {
  [messages.LogSeverity.DEBUG]: "debug",
  [messages.LogSeverity.INFO]: "info",
  [messages.LogSeverity.WARNING]: "warning",
  [messages.LogSeverity.ERROR]: "error",
};

/** The engine's log, which is what a user sees of a program; keeps all lines but those for debugging. */
export function engineLog(diagnostics: Diagnostic[]): UntypedServiceImplementation {
  return {
    log(call: ServerUnaryCall<messages.LogRequest, empty.Empty>, reply: sendUnaryData<empty.Empty>): void {
      const urn = call.request.getUrn();
      const severity = SEVERITIES[call.request.getSeverity()];
      if (severity !== "debug") {
        diagnostics.push({ severity, message: call.request.getMessage(), ...(urn !== "" && { urn }) });
      }
      reply(null, new empty.Empty());
    },
  } satisfies Partial<IEngineServer>;
}
