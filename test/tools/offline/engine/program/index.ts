import * as pulumi from "@pulumi/pulumi";

class Resource extends pulumi.CustomResource {}

/** One way of using the engine for each value of `fixture:case`. */
const cases: Readonly<Record<string, () => unknown>> = {
  values: () => {
    const thing = new Resource("test:index:Thing", "thing", {
      plain: "p",
      secret: pulumi.secret("s"),
      unknown: pulumi.output(pulumi.unknown),
      nested: [{ secret: pulumi.secret({ a: 1 }) }],
    });
    return { id: thing.id, secret: pulumi.secret("s") };
  },
  ids: () => {
    const object = new Resource("test:index:Object", "object", {
      metadata: { name: "n", namespace: "ns" },
    });
    const imported = new Resource("test:index:Object", "imported", {}, { import: "over/there" });
    return { object: object.id, imported: imported.id };
  },
  options: () => {
    const parent = new pulumi.ComponentResource("test:index:Parent", "parent", {}, { protect: true });
    const first = new Resource("test:index:Thing", "first", {}, { parent });
    new Resource(
      "test:index:Thing",
      "second",
      {},
      {
        parent,
        protect: false,
        dependsOn: [first],
        retainOnDelete: true,
        deleteBeforeReplace: true,
        ignoreChanges: ["a"],
        replaceOnChanges: ["b"],
        aliases: [
          { name: "former" },
          "urn:pulumi:test::fixture::test:index:Thing::older",
          { parent: pulumi.rootStackResource },
        ],
        version: "1.2.3",
      },
    );
  },
  disabled: () => new Resource("kubernetes:core/v1:Namespace", "namespace", {}),
  duplicate: () => {
    new Resource("test:index:Thing", "same", {});
    new Resource("test:index:Thing", "same", {});
  },
  invoke: async () => ({ answer: await pulumi.runtime.invoke("test:index:ask", { question: "why" }) }),
  log: async () => {
    console.log("to stdout");
    console.error("to stderr");
    await pulumi.log.warn("careful");
    await pulumi.log.debug("for nobody");
  },
  throws: () => {
    throw new Error("a bug");
  },
  runError: () => {
    throw new pulumi.RunError("a message for the user");
  },
  refusal: async () => {
    // Here, because the other cases do without the Kubernetes SDK.
    const { RunnerEgress } = await import("../../../../../components/runnerEgress.ts");
    const { KEEPERHUB_CONTRACT } = await import("../../../../../runner/contract.ts");
    const { keeperhubFacts } = await import("../../../../support/networkFacts.ts");
    const facts = { ...keeperhubFacts(), databaseSubnets: [] };
    new RunnerEgress("egress", { contract: { ...KEEPERHUB_CONTRACT, policyName: "A" }, facts: pulumi.output(facts) });
  },
  exits: () => process.exit(7),
  flags: () => ({ title: process.title, environment: process.env.FIXTURE, organization: pulumi.getOrganization() }),
  transform: () => {
    new Resource("test:index:Thing", "thing", {}, { transforms: [() => undefined] });
  },
};

export default await cases[new pulumi.Config().require("case")]?.();
