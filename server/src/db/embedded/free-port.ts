/** A port that nobody listens on. */
import { type AddressInfo, createServer } from "node:net";

/** A port of this address that was free a moment ago; whoever takes it must be ready to find that somebody was quicker. */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
