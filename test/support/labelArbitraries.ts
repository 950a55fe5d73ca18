import fc from "fast-check";
import { labelSelector } from "../../analysis/index.ts";

const key = fc.constantFrom("x", "y");

/** One requirement on label x or y. */
export const requirement = fc.oneof(
  fc.record({
    key,
    operator: fc.constantFrom("In" as const, "NotIn" as const),
    values: fc.subarray(["a", "b"], { minLength: 1 }),
  }),
  fc.record({
    key,
    operator: fc.constantFrom("Exists" as const, "DoesNotExist" as const),
    values: fc.constant<string[]>([]),
  }),
);

/** Selectors over two labels with a few values, which collide in every way. */
export const selector = fc.array(requirement, { maxLength: 3 }).map(labelSelector);
