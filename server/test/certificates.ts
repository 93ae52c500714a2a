/** Certificates made for one run of a test file, by openssl; nothing secret is checked in. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Certificate {
  key: string;
  cert: string;
}

export interface Certificates {
  /** Of an authority that nobody trusts until a test says so. */
  authority: string;
  /** Signed by the authority for this name. */
  trusted: Certificate;
  /** Signed by itself for this name. */
  selfSigned: Certificate;
  /** Signed by the authority for this name, and no longer valid. */
  expired: Certificate;
}

/** As far back as openssl goes. */
const EXPIRED_DAYS_AGO = 1;

/** Makes an authority and three certificates for `name`, valid for a day but for the expired one. */
export async function makeCertificates(name: string): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), "hookwell-certificates-"));
  const at = (file: string) => join(folder, file);
  const read = (file: string) => readFile(at(file), "utf8");
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const names = `subjectAltName=DNS:${name}`;
  try {
    await run("openssl", [
      "req",
      "-x509",
      ...newKey,
      "-keyout",
      at("ca.key"),
      "-out",
      at("ca.pem"),
      "-days",
      "1",
      "-subj",
      "/CN=Test Authority",
    ]);
    await run("openssl", [
      "req",
      "-x509",
      ...newKey,
      "-keyout",
      at("self.key"),
      "-out",
      at("self.pem"),
      "-days",
      "1",
      "-subj",
      `/CN=${name}`,
      "-addext",
      names,
    ]);
    await run("openssl", ["req", ...newKey, "-keyout", at("leaf.key"), "-out", at("leaf.csr"), "-subj", `/CN=${name}`]);
    await writeFile(at("names"), names);
    await run("openssl", [
      "x509",
      "-req",
      "-in",
      at("leaf.csr"),
      "-CA",
      at("ca.pem"),
      "-CAkey",
      at("ca.key"),
      "-CAcreateserial",
      "-days",
      "1",
      "-extfile",
      at("names"),
      "-out",
      at("leaf.pem"),
    ]);
    await run("openssl", ["req", ...newKey, "-keyout", at("old.key"), "-out", at("old.csr"), "-subj", `/CN=${name}`]);
    await run("openssl", [
      ...["x509", "-req", "-in", at("old.csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial"],
      ...["-days", String(-EXPIRED_DAYS_AGO), "-extfile", at("names"), "-out", at("old.pem")],
    ]);
    return {
      authority: await read("ca.pem"),
      trusted: { key: await read("leaf.key"), cert: await read("leaf.pem") },
      expired: { key: await read("old.key"), cert: await read("old.pem") },
      selfSigned: { key: await read("self.key"), cert: await read("self.pem") },
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}
