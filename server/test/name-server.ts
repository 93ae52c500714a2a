/** A name server on loopback that a test steers: which addresses a name has, or silence. */
import { createSocket } from "node:dgram";
import { isIP } from "node:net";

const TYPE_A = 1;
const TYPE_AAAA = 28;
const NAME_ERROR = 3;

export interface NameServer {
  /** As egress takes it: address and port. */
  address: string;
  /** Addresses by name, of both families; a name that is missing does not exist. */
  names: Record<string, string[]>;
  /** Every name that was asked for. */
  asked: string[];
  /** How long an answer may be kept; 0 unless a test says otherwise. */
  ttlSeconds: number;
  /** Called with each question before it is answered. */
  onQuestion: (name: string) => void;
  /** It hears and does not answer. */
  isSilent: boolean;
  close(): Promise<void>;
}

export async function createNameServer(names: Record<string, string[]>): Promise<NameServer> {
  const socket = createSocket("udp4");
  const server: NameServer = {
    address: "",
    names,
    asked: [],
    ttlSeconds: 0,
    onQuestion: () => {},
    isSilent: false,
    close: () => new Promise((fulfil) => socket.close(fulfil)),
  };
  socket.on("message", (query, from) => {
    const question = readQuestion(query);
    server.asked.push(question.name);
    server.onQuestion(question.name);
    if (!server.isSilent) socket.send(answer(query, question, server), from.port, from.address);
  });
  await new Promise<void>((fulfil) => socket.bind(0, "127.0.0.1", fulfil));
  server.address = `127.0.0.1:${socket.address().port}`;
  return server;
}

interface Question {
  name: string;
  type: number;
  /** where the question ends in the query */
  end: number;
}

/** RFC 1035 §4.1.2: labels with their lengths, then type and class. */
function readQuestion(query: Buffer): Question {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function answer(query: Buffer, { name, type, end }: Question, { names, ttlSeconds }: NameServer): Buffer {
  const addresses = names[name];
  const family = type === TYPE_A ? 4 : type === TYPE_AAAA ? 6 : 0;
  const records = (addresses ?? [])
    .filter((address) => isIP(address) === family)
    .map((address) => record({ type, address, ttlSeconds }));
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8180 | (addresses ? 0 : NAME_ERROR), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, query.subarray(12, end), ...records]);
}

function record({ type, address, ttlSeconds }: { type: number; address: string; ttlSeconds: number }): Buffer {
  const data = type === TYPE_A ? Buffer.from(address.split(".").map(Number)) : ipv6Bytes(address);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0); // the name of the question
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttlSeconds, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function ipv6Bytes(address: string): Buffer {
  const [left = [], right] = address.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = right ? Array<string>(8 - left.length - right.length).fill("0") : [];
  const groups = [...left, ...zeros, ...(right ?? [])];
  return Buffer.from(groups.map((group) => group.padStart(4, "0")).join(""), "hex");
}
