import { declareStack } from "./program/declareStack.ts";

export const { policyName, namespace, facts } = await declareStack();
