// JavaScript, because Pulumi runs every pack through ts-node, which cannot load an ES module in TypeScript. What it
// imports is loaded by Node.js itself, which strips the types.
import { PolicyPack } from "@pulumi/policy";
import { policies } from "./policies/index.ts";

new PolicyPack("runner-egress", {
  displayName: "Runner egress",
  enforcementLevel: "mandatory",
  policies,
});
