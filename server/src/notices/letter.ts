/**
 * The e-mail that tells a manager of one or several notices: plain text and simple HTML in the clinic's language, with times
 * in the clinic's zone. Pure. It holds names of webhooks, numbers and times; no patient's data, and no part of an address.
 */
import type { Notice } from "./kinds.ts";
import { causeSentence, FRAME, type Locale, type Named, noticeWords } from "./words.ts";

/** More notices than this are counted rather than told one by one. For whoever reads them. */
export const NOTICES_TOLD_MAX = 20;

export interface LetterClinic {
  readonly name: string;
  readonly locale: Locale;
  readonly timeZone: string;
}

export interface Letter {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

interface Paragraph {
  readonly title: string;
  readonly text: string;
  readonly link: string;
}

export interface LetterNotices {
  /** Those that are told, at least one, oldest first. */
  readonly told: readonly Notice[];
  /** How many there are in all. */
  readonly count: number;
}

/** @param publicUrl the origin under which the page is found */
export function composeLetter(clinic: LetterClinic, notices: LetterNotices, publicUrl: string): Letter {
  const frame = FRAME[clinic.locale];
  const { count } = notices;
  const told = notices.told.map((notice) => paragraphOf(clinic, notice, publicUrl));
  const left = count - told.length;
  const [only] = told;
  const title = count === 1 && only !== undefined ? only.title : frame.several(count);
  const subject = frame.subject(plain(clinic.name), title);
  const all = `${publicUrl}/notices`;
  const why = frame.why(plain(clinic.name));
  const text = [
    ...told.map((one) => `${one.title}\n${one.text}\n${frame.openAt(one.link)}`),
    ...(left > 0 ? [`… ${frame.more(left)} ${all}`] : []),
    `--\n${why}`,
  ].join("\n\n");
  return { subject, text: `${text}\n`, html: htmlOf(clinic.locale, { told, left, all, why }) };
}

/** Where a webhook's card is on the page, or the delivery that is late. */
export function linkOf({ webhook, details }: Pick<Notice, "webhook" | "details">, publicUrl: string): string {
  if (details.deliveryId !== undefined) return `${publicUrl}/deliveries/${encodeURIComponent(details.deliveryId)}`;
  return `${publicUrl}/consults/export/webhooks${webhook === null ? "" : `#webhook-${webhook.id}`}`;
}

function paragraphOf(clinic: LetterClinic, notice: Notice, publicUrl: string): Paragraph {
  const words = noticeWords(clinic.locale, notice.kind, namedOf(clinic, notice));
  return { ...words, link: linkOf(notice, publicUrl) };
}

function namedOf({ locale, timeZone }: LetterClinic, { webhook, details }: Notice): Named {
  const time = (at: Temporal.Instant | undefined) => (at === undefined ? "" : timeWords(at, locale, timeZone));
  return {
    name: webhook === null ? FRAME[locale].nameless : plain(webhook.name),
    cause: causeSentence(locale, details.outcome, details.status),
    since: time(details.failingSince),
    offAt: time(details.offAt),
    startsAt: time(details.startsAt),
    expiresAt: time(details.expiresAt),
    isRemoval: details.event === "participant.removed",
    waiting: details.waiting ?? 0,
  };
}

/** "Tuesday, November 3 at 09:00", as the clinic's clock shows it; in French the first of a month is said so: "1er mars". */
function timeWords(at: Temporal.Instant, locale: Locale, timeZone: string): string {
  const format = new Intl.DateTimeFormat(locale === "en" ? "en-CA" : locale, {
    timeZone,
    weekday: "long",
    month: "long",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const text = format.format(at.epochMilliseconds);
  return locale === "fr-CA" ? text.replace(/(?<!\d)1 (?=\p{L}{3})/u, "1er ") : text;
}

/** Names come from people: without control characters they can begin neither a header nor a line of their own. */
function plain(name: string): string {
  return name.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
}

interface Page {
  readonly told: readonly Paragraph[];
  readonly left: number;
  readonly all: string;
  readonly why: string;
}

function htmlOf(locale: Locale, { told, left, all, why }: Page): string {
  const frame = FRAME[locale];
  const link = (to: string, words: string) => `<a href="${escaped(to)}">${escaped(words)}</a>`;
  const paragraphs = told.map(
    (one) => `<p><strong>${escaped(one.title)}</strong><br>${escaped(one.text)}<br>${link(one.link, frame.open)}</p>`,
  );
  const more = left > 0 ? [`<p>… ${escaped(frame.more(left))} ${link(all, frame.all)}</p>`] : [];
  const body = [...paragraphs, ...more, `<p><small>${escaped(why)}</small></p>`].join("\n");
  return `<!doctype html>\n<html lang="${locale}"><head><meta charset="utf-8"></head><body>\n${body}\n</body></html>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
