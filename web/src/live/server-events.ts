// Server-sent events out of an answer's bytes, as they come: https://html.spec.whatwg.org/multipage/server-sent-events.html.
// The browser's own EventSource cannot say who asks otherwise than by a cookie. It owns the reading alone: who asks again
// after an end, and when, is stream.ts.
import { EventSourceParserStream } from "eventsource-parser/stream";

/** An event with its line's name; `id` where it has one. */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
  readonly id?: string | undefined;
}

export interface Reading {
  readonly onEvent: (event: ServerEvent) => void;
  /** How long the server wants a page to wait before it asks again, in milliseconds. */
  readonly onRetry: (milliseconds: number) => void;
}

/** Of a line, and of an event that has not ended yet; ours have less than 200. */
const UNREAD_MAX_CHARACTERS = 16_384;

/** Reads to the end. @throws what the connection failed with, and ParseError where something is longer than it may be */
export async function readServerEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  { onEvent, onRetry }: Reading,
): Promise<void> {
  const events = body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream({ maxBufferSize: UNREAD_MAX_CHARACTERS, onRetry }))
    .getReader();
  try {
    for (;;) {
      const { done, value } = await events.read();
      if (done) return;
      onEvent({ event: value.event ?? "message", data: value.data, id: value.id });
    }
  } finally {
    // Whoever cannot read on lets the connection go as well.
    await events.cancel().catch(() => {});
  }
}
