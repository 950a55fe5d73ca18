import { expect, it } from "vitest";
import { failureText } from "../../../program/lookups/failureText.ts";

const CALL = "invocation of aws:ec2/getVpc:getVpc returned an error: ";

it.each([
  [
    `${CALL}invoking aws:ec2/getVpc:getVpc: 1 error occurred:\n\t* no matching EC2 VPC found\n\n`,
    "no matching EC2 VPC found",
  ],
  ["Invoke of aws:ec2/getVpc:getVpc failed: not now", "not now"],
  [
    "EC2: DescribeVpcs, https response error StatusCode: 403, RequestID: abc-1, api error X: no.",
    "EC2: DescribeVpcs, api error X: no",
  ],
  ["EC2: DescribeVpcs, https response error StatusCode: 500, RequestID: , not XML", "EC2: DescribeVpcs, not XML"],
  ["read tcp: connection reset", "read tcp: connection reset"],
])("of %j keeps what is the same at every run", (message, text) => {
  expect(failureText(new Error(message))).toBe(text);
  expect(failureText(message)).toBe(text);
});
