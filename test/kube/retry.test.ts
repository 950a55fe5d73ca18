import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ApiRequest, callApi } from "../../kube/apiServer.ts";
import { retryAfter } from "../../kube/retry.ts";

/** What the server does with the next requests: a status, or nothing but an end of the connection. */
let trouble: (number | "reset")[] = [];
let asked = 0;
let server: Server;

beforeAll(async () => {
  server = createServer((request, response) => {
    asked++;
    const next = trouble.shift();
    if (next === "reset") {
      request.socket.resetAndDestroy();
    } else {
      response.writeHead(next ?? 200, { "retry-after": "0" }).end('{"kind":"Status"}');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => server.close());
beforeEach(() => {
  trouble = [];
  asked = 0;
});

const call = (method: ApiRequest["method"]) =>
  callApi(
    { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, skipVerify: false },
    { method, path: "/x", ...(method === "POST" && { body: {} }) },
  );

describe("a request to an API server", () => {
  it.each<[ApiRequest["method"], (number | "reset")[], number]>([
    ["GET", [429], 2],
    ["GET", [500, 502, 503, 504], 5],
    ["GET", ["reset", 503], 3],
    ["DELETE", [504], 2],
    // Nothing was done with these, so a Job is not made twice.
    ["POST", [429, 503], 3],
  ])("%s is repeated while the server is in trouble: %j", async (method, first, requests) => {
    trouble = [...first];
    expect((await call(method)).status).toBe(200);
    expect(asked).toBe(requests);
  });

  it.each<[ApiRequest["method"], number]>([
    ["GET", 401],
    ["GET", 403],
    ["GET", 404],
    ["POST", 409],
    ["POST", 500],
    ["POST", 504],
  ])("%s is not repeated after %i, which stays as it is or may have been done", async (method, status) => {
    trouble = [status];
    expect((await call(method)).status).toBe(status);
    expect(asked).toBe(1);
  });

  it("that makes something is not repeated after a lost connection", async () => {
    trouble = ["reset"];
    await expect(call("POST")).rejects.toThrow();
    expect(asked).toBe(1);
  });

  it("ends with the last answer where the trouble lasts", async () => {
    trouble = Array(9).fill(503);
    expect((await call("GET")).status).toBe(503);
    expect(asked).toBe(5);
  });
});

it.each([
  ["7", 7000],
  ["0", 0],
  ["Wed, 21 Oct 2026 07:28:00 GMT", undefined],
  [undefined, undefined],
])("Retry-After %j is %j milliseconds", (header, milliseconds) => {
  expect(retryAfter(header)).toBe(milliseconds);
});
