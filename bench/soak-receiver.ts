/** The soak's receiver, a process of its own: it accepts nearly all at once, and says when each delivery arrived first. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { machineMs } from "./receiver.ts";

/** Every so many-th delivery is refused at its first attempt, so that retries are in the hot table all the time. */
const REFUSED_EACH = 100;
const REPORT_EVERY_MS = 200;

const arrived: [string, number][] = [];
let count = 0;
const server = createServer((request, response) => {
  request.resume().once("end", () => {
    const isFirst = request.headers["webhook-attempt"] === "1";
    if (isFirst) arrived.push([String(request.headers["webhook-id"]), machineMs()]);
    count += 1;
    response.writeHead(isFirst && count % REFUSED_EACH === 0 ? 500 : 200).end("ok");
  });
});
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
setInterval(() => process.send?.({ arrived: arrived.splice(0) }), REPORT_EVERY_MS);
process.once("disconnect", () => process.exit());
