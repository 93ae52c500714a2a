/**
 * One request and its answer, as undici hands it over piece by piece. Here are kept: the one deadline, the cap on the
 * answer, and whether anything of the body can have left.
 *
 * It is a handler of its own and not undici's request(): that one does not hear an abort before a connection stands, so a
 * look-up or a TLS handshake that hangs would outlive the deadline.
 */
import type { Dispatcher } from "undici";
import type { Answer } from "./outcome.ts";

export const ANSWER_BYTES_MAX = 16 * 1_024;
const ANSWER_HEADERS_MAX = 50;
const ANSWER_HEADER_MAX_CHARACTERS = 1_000;
/** 100, 103 … before the real answer; whoever sends more is not going to answer. */
const INTERIM_ANSWERS_MAX = 1_000;

/** How an exchange ended. `bodySent` is true from the moment at which the request was handed to a connection. */
export type Ended =
  | { how: "answered"; answer: Answer }
  | { how: "deadline"; bodySent: boolean }
  | { how: "failed"; error: Error; bodySent: boolean };

export class Exchange implements Dispatcher.DispatchHandler {
  readonly ended: Promise<Ended>;
  #end: (ended: Ended) => void = () => {};
  #isOver = false;
  #controller: Dispatcher.DispatchController | null = null;
  #head: Pick<Answer, "status" | "headers"> | null = null;
  #interimAnswers = 0;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor() {
    this.ended = new Promise((fulfil) => {
      this.#end = fulfil;
    });
  }

  /** The deadline has passed: what has come so far is all there is. */
  expire(): void {
    if (this.#isOver) return;
    if (this.#head) this.#finish(this.#answer(this.#head, true));
    else this.#finish({ how: "deadline", bodySent: this.#controller !== null });
    this.#drop("deadline");
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Where the connection stands only now, after the deadline, nothing is sent on it.
    if (this.#isOver) controller.abort(new Error("deadline"));
    else this.#controller = controller;
  }

  onResponseStart(_controller: unknown, status: number, headers: RawHeaders): void {
    if (status < 200)
      this.#countInterim(); // 100, 103: the answer is still to come
    else this.#head = { status, headers: keptHeaders(headers) };
  }

  #countInterim(): void {
    if (this.#isOver || ++this.#interimAnswers <= INTERIM_ANSWERS_MAX) return;
    const error = Object.assign(new Error("too many interim answers"), { code: "UND_ERR_RESPONSE" });
    this.#finish({ how: "failed", error, bodySent: true });
    this.#drop("too many interim answers");
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    if (this.#isOver || !this.#head) return;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size <= ANSWER_BYTES_MAX) return;
    this.#finish(this.#answer(this.#head, true));
    this.#drop("answer too long");
  }

  onResponseEnd(): void {
    if (this.#head) this.#finish(this.#answer(this.#head, false));
  }

  /** A body that breaks off is cut; the status has been given, and that is what counts (contract §7). */
  onResponseError(_controller: unknown, error: Error): void {
    if (this.#head) this.#finish(this.#answer(this.#head, true));
    else this.#finish({ how: "failed", error, bodySent: this.#controller !== null });
  }

  #answer(head: Pick<Answer, "status" | "headers">, truncated: boolean): Ended {
    const text = Buffer.concat(this.#chunks).subarray(0, ANSWER_BYTES_MAX).toString("utf8");
    return { how: "answered", answer: { ...head, text, truncated } };
  }

  #finish(ended: Ended): void {
    this.#isOver = true;
    this.#end(ended);
  }

  /** Closes the connection: what may still come on it is of no use to anybody. */
  #drop(why: string): void {
    this.#controller?.abort(new Error(why));
  }
}

type RawHeaders = Record<string, string | string[] | undefined>;

function keptHeaders(headers: RawHeaders): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers).slice(0, ANSWER_HEADERS_MAX)) {
    if (value === undefined || name === "set-cookie") continue;
    kept[name] = (Array.isArray(value) ? value.join(", ") : value).slice(0, ANSWER_HEADER_MAX_CHARACTERS);
  }
  return kept;
}
