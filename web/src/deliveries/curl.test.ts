/** The command is run by a real shell and a real curl-like program would get exactly the message: quotes and all. */
import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { curlOf } from "./curl.ts";

const request = {
  headers: { "content-type": "application/json", "webhook-id": "msg_1", "webhook-signature": "v1,••••••" },
  masked: ["webhook-signature"],
};

it("is read by a shell as the address, each header that is shown, and the very text", () => {
  const body = `{"name":"L'île \\"$HOME\\" \`id\`\\n"}`;
  const command = curlOf(request, body).replace(/^curl/, `printf '%s\\n'`);
  const words = execFileSync("/bin/sh", ["-c", command], { env: { ADDRESS: "https://hooks.example.test/in" } });
  expect(words.toString("utf8").split("\n")).toEqual([
    "https://hooks.example.test/in",
    ...["--header", "content-type: application/json", "--header", "webhook-id: msg_1"],
    ...["--data-binary", body, ""],
  ]);
});

it("holds nothing that is masked", () => {
  expect(curlOf(request, "{}")).not.toMatch(/signature|•/);
});
