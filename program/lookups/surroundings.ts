import * as pulumi from "@pulumi/pulumi";
import { readLivePolicy } from "./livePolicy.ts";

/** What the program meets beside Pulumi's engine. */
export interface Surroundings {
  /** Reads the live policy. */
  readonly readLivePolicy: typeof readLivePolicy;
  /** Shows messages to whoever runs the program. */
  readonly log: Pick<typeof pulumi.log, "info" | "warn">;
}

/** In a preview and an update: the cluster's API server, and Pulumi's log. */
export const LIVE: Surroundings = { readLivePolicy, log: pulumi.log };
