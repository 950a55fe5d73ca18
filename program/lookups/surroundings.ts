import * as pulumi from "@pulumi/pulumi";
import type { RecordedFacts } from "../facts/recordedFacts.ts";
import { readRecordedFacts, recordedFactsPath } from "../facts/recordedFactsFile.ts";
import { readLivePolicy } from "./livePolicy.ts";

/** What the program meets beside Pulumi's engine. */
export interface Surroundings {
  /** Reads the live policy. */
  readonly readLivePolicy: typeof readLivePolicy;
  /** Reads what was last recorded of the stack's network. Default: the network that is found is the recorded one. */
  readonly readRecorded?: (stack: string) => Promise<RecordedFacts>;
  /** Shows messages to whoever runs the program. */
  readonly log: Pick<typeof pulumi.log, "info" | "warn">;
}

/** In a preview and an update: the cluster's API server, and Pulumi's log. */
export const LIVE: Surroundings = {
  readLivePolicy,
  readRecorded: (stack) => readRecordedFacts(recordedFactsPath({ directory: pulumi.getRootDirectory() }, stack)),
  log: pulumi.log,
};
