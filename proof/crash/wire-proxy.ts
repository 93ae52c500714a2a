/**
 * A proxy between a program and PostgreSQL that knows enough of the wire protocol to tell which statement passes by.
 *
 * Owns: its connections. Promises: without a trap every byte passes as it came; a trap springs at the named moment of the
 * named statement, once: *before* it reaches the database (it never does), *during* (it has just been passed on), or *after*
 * the database has done it and committed (its answer never arrives). It can go deaf, too: the connections of that moment
 * stay open and silent, as behind a firewall that has forgotten them. Does not kill anybody: the trap's owner does.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export type Moment = "before" | "during" | "after";

export interface Trap {
  /** matched against the statement's name and text */
  statement: RegExp;
  moment: Moment;
  /** only on a connection on which such a statement has passed before */
  after?: RegExp;
  spring: () => void;
}

const TYPE_BYTES = 1;
const LENGTH_BYTES = 4;

export class WireProxy {
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  #targetPort: number;
  #trap: Trap | null = null;
  /** connections on which the trap's `after` has passed */
  #ready = new WeakSet<Socket>();
  port = 0;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((near) => this.#accept(near));
  }

  /** Listens on a free port of the loopback interface and passes on to another one. */
  static async listen(targetPort: number): Promise<WireProxy> {
    const proxy = new WireProxy(targetPort);
    await new Promise<void>((fulfil, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(0, "127.0.0.1", fulfil);
    });
    proxy.port = (proxy.#server.address() as AddressInfo).port;
    return proxy;
  }

  /** The same database, by way of this proxy. */
  urlFor(databaseUrl: string): string {
    const url = new URL(databaseUrl);
    url.hostname = "127.0.0.1";
    url.port = String(this.port);
    return url.href;
  }

  /** The database is elsewhere now: new connections go there. */
  retarget(port: number): void {
    this.#targetPort = port;
  }

  /** Sets the one trap; it springs once. */
  set(trap: Trap): void {
    this.#trap = trap;
    this.#ready = new WeakSet();
  }

  /** The connections of this moment pass nothing on any more, and nothing says so; new ones work. Returns how many. */
  goDeaf(): number {
    for (const connection of this.#connections) connection.isDeaf = true;
    return this.#connections.size;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    await new Promise<void>((fulfil) => this.#server.close(() => fulfil()));
  }

  #accept(near: Socket): void {
    const connection = new Connection(near, connect(this.#targetPort, "127.0.0.1"), (statement) =>
      this.#passes(statement, near),
    );
    this.#connections.add(connection);
    near.once("close", () => this.#connections.delete(connection));
  }

  /** Whether the trap is for this statement; then it is sprung, or will be. */
  #passes(statement: string, connection: Socket): Trap | null {
    const trap = this.#trap;
    if (trap?.after?.test(statement)) this.#ready.add(connection);
    if (!trap?.statement.test(statement) || (trap.after && !this.#ready.has(connection))) return null;
    this.#trap = null;
    return trap;
  }
}

class Connection {
  isDeaf = false;
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #passes: (statement: string) => Trap | null;
  /** texts of prepared statements by name; the unnamed one's is the last that was parsed */
  readonly #texts = new Map<string, string>();
  #sent: Buffer = Buffer.alloc(0);
  #isStarted = false;
  /** nothing passes towards the database any more */
  #isCut = false;
  /** answers are held back until the statement is over */
  #waiting: Trap | null = null;
  #answered: Buffer = Buffer.alloc(0);

  constructor(near: Socket, far: Socket, passes: (statement: string) => Trap | null) {
    this.#near = near;
    this.#far = far;
    this.#passes = passes;
    near.on("data", (chunk: Buffer) => this.#fromNear(chunk));
    far.on("data", (chunk: Buffer) => this.#fromFar(chunk));
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on("error", () => {}); // killing and cutting is what this is for
      socket.on("close", () => this.#ended(socket));
    }
  }

  destroy(): void {
    this.#near.destroy();
    this.#far.destroy();
  }

  /** Where one side has gone, so has the other; a deaf connection's client is not told, and its database neither. */
  #ended(socket: Socket): void {
    if (this.isDeaf && socket === this.#far) return;
    this.destroy();
  }

  #fromNear(chunk: Buffer): void {
    if (this.isDeaf || this.#isCut) return;
    this.#sent = this.#sent.length === 0 ? chunk : Buffer.concat([this.#sent, chunk]);
    let at = 0;
    for (let length = this.#frameAt(at); length > 0 && !this.#isCut; length = this.#frameAt(at)) {
      this.#pass(this.#sent.subarray(at, at + length));
      at += length;
    }
    this.#sent = this.#sent.subarray(at);
  }

  /** The length of the message that begins there; 0 while it is not complete. The first one has no type. */
  #frameAt(at: number): number {
    const head = this.#isStarted ? TYPE_BYTES : 0;
    if (this.#sent.length < at + head + LENGTH_BYTES) return 0;
    const length = head + this.#sent.readInt32BE(at + head);
    return this.#sent.length < at + length ? 0 : length;
  }

  #pass(frame: Buffer): void {
    const trap = this.#isStarted ? this.#trapFor(frame) : null;
    this.#isStarted = true;
    if (trap?.moment === "before") {
      this.#isCut = true;
      trap.spring();
      return;
    }
    if (trap?.moment === "after") this.#waiting = trap;
    this.#far.write(frame);
    // The rest of the statement is in the same breath, and has to pass as well.
    if (trap?.moment === "during") setImmediate(trap.spring);
  }

  #trapFor(frame: Buffer): Trap | null {
    const type = String.fromCharCode(frame[0] ?? 0);
    const [first = "", second = ""] = type === "P" || type === "B" || type === "Q" ? stringsOf(frame) : [];
    if (type === "P") this.#texts.set(first, second);
    if (type === "Q") return this.#passes(first);
    return type === "B" ? this.#passes(`${second} ${this.#texts.get(second) ?? ""}`) : null;
  }

  #fromFar(chunk: Buffer): void {
    if (this.isDeaf) return;
    if (!this.#waiting) this.#near.write(chunk);
    else if (this.#isOver(chunk)) {
      const { spring } = this.#waiting;
      this.#waiting = null;
      this.isDeaf = true;
      spring();
    }
  }

  /** ReadyForQuery says that the statement is over and, outside a transaction block, committed. */
  #isOver(chunk: Buffer): boolean {
    this.#answered = Buffer.concat([this.#answered, chunk]);
    for (let at = 0; this.#answered.length >= at + TYPE_BYTES + LENGTH_BYTES; ) {
      if (this.#answered[at] === "Z".charCodeAt(0)) return true;
      at += TYPE_BYTES + this.#answered.readInt32BE(at + TYPE_BYTES);
    }
    return false;
  }
}

/** The first two zero-terminated strings of a message. */
function stringsOf(frame: Buffer): string[] {
  const begin = TYPE_BYTES + LENGTH_BYTES;
  const end = frame.indexOf(0, begin);
  const nextEnd = frame.indexOf(0, end + 1);
  return [frame.toString("utf8", begin, end), nextEnd < 0 ? "" : frame.toString("utf8", end + 1, nextEnd)];
}
