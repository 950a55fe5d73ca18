import { currentContext, whatIsMissing } from "./environment.ts";

/** Refuses to run where the suites can't, also without `dev/suite.ts`, and says where the cluster is. */
export default async function setup(): Promise<void> {
  const missing = await whatIsMissing();
  if (missing !== undefined) {
    throw new Error(`NOT RUN: ${missing}`);
  }
  process.env.E2E_CONTEXT = await currentContext();
}
