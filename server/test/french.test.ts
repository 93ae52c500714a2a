/**
 * French as it is written in Canada, in every word of the page, the server and the SDK. Spaces go by the Office québécois de la
 * langue française: one that does not break before a colon, before % and $ and inside guillemets, none before ; ! and ?.
 */
import { EVENTS, GROUPS } from "@hookwell/sdk";
import { CAUSES } from "@hookwell/sdk/cause-table";
import { expect, test } from "vitest";
import { dictionary } from "../../web/src/i18n/dictionary.ts";
import type { Tree } from "../../web/src/i18n/pseudo.ts";
import { composeAccountLetter, type LetterKind } from "../src/accounts/letters.ts";
import { ERROR_HEADERS, errorWords } from "../src/clinic/import/words.ts";
import { FIELD_CODES } from "../src/errors.ts";
import { NOTICE_KINDS, type Notice, type NoticeDetails } from "../src/notices/kinds.ts";
import { composeLetter } from "../src/notices/letter.ts";

/** What is wrong with a text, by its name. */
const MISTAKES: Readonly<Record<string, RegExp>> = {
  "a colon without a no-break space before it": /(?<!\u00a0|https?|\d(?=:\d)):/,
  "a percent or dollar sign without a no-break space before it": /[\d})] ?[%$]/,
  "guillemets without a no-break space inside": /«(?!\u00a0)|(?<!\u00a0)»/,
  "a space before ; ! or ?": /\s[;!?]/u,
  "a straight quotation mark or apostrophe": /["']/,
  "English quotation marks": /[“”‘]/,
  "three points for an ellipsis": /\.\.\./,
  "another word for « courriel »": /(?<!\p{L})(e-?mails?|mails?|mél)(?!\p{L})/iu,
  "another word for « activé » or « désactivé »":
    /(?<!\p{L})(en marche|éteint\p{L}*|allum\p{L}*|(?<!renvoi a été )arrêtée?s?|l’arrêt)(?!\p{L})/iu,
};

function flat(tree: Tree, prefix: string): [where: string, text: string][] {
  return Object.entries(tree).flatMap(([key, value]): [string, string][] =>
    typeof value === "string" ? [[prefix + key, value]] : flat(value, `${prefix}${key}.`),
  );
}

/** Without the selectors of ICU, which nobody reads. */
const readable = (text: string) => text.replaceAll(/\{\w+(, (plural|select|number),?)?/g, "{");

function wordsOfPage(): [string, string][] {
  return flat(dictionary("fr-CA"), "").map(([key, text]) => [key, readable(text)]);
}

function wordsOfSdk(): [string, string][] {
  const events = Object.entries(EVENTS).flatMap(([event, { label, sentence, firesNot }]) =>
    [label, sentence, firesNot].map((words): [string, string] => [event, words["fr-CA"]]),
  );
  const groups = Object.entries(GROUPS).map(([group, { label }]): [string, string] => [group, label["fr-CA"]]);
  const causes = Object.entries(CAUSES).flatMap(([cause, { text, advice }]) =>
    [...text["fr-CA"], ...(advice?.["fr-CA"] ?? [])].map((words): [string, string] => [`cause ${cause}`, words]),
  );
  return [...events, ...groups, ...causes];
}

/** In an e-mail the link stands as it is, and a signature is set off by two hyphens. */
const withoutLinks = (text: string) => text.replaceAll(/https?:\S+/g, "");

const LETTERS: readonly LetterKind[] = [
  { kind: "reset", minutes: 30 },
  { kind: "password_changed" },
  { kind: "second_factor_removed" },
  ...(["manager", "practitioner", "front_desk"] as const).map(
    (role): LetterKind => ({ kind: "invitation", clinic: "Physio Exemple", role, days: 7 }),
  ),
  { kind: "portal_confirm", clinic: "Physio Exemple", hours: 24 },
  { kind: "portal_known", clinic: "Physio Exemple", minutes: 30 },
  { kind: "portal_reset", clinic: "Physio Exemple", minutes: 30 },
];

const AT = Temporal.Instant.from("2026-03-01T19:05:00Z");
const DETAILS: readonly NoticeDetails[] = [
  {},
  { outcome: "answered", status: 503, failingSince: AT, offAt: AT, expiresAt: AT, startsAt: AT, waiting: 3 },
  { outcome: "answered", status: 410, startsAt: AT, event: "participant.removed", waiting: 1 },
];
const CLINIC = { name: "Physio Exemple", locale: "fr-CA", timeZone: "America/Toronto" } as const;

function wordsOfServer(): [string, string][] {
  const accounts = LETTERS.flatMap((letter): [string, string][] => {
    const { subject, text } = composeAccountLetter(letter, "fr-CA", "https://hooks.example.test/reset");
    return [subject, text].map((words) => [`letter ${letter.kind}`, withoutLinks(words)]);
  });
  const notices = NOTICE_KINDS.flatMap((kind) =>
    DETAILS.flatMap((details): [string, string][] => {
      const webhook = { id: 1, name: "Rappels" };
      const notice = (id: number): Notice => ({ id, kind, webhook, details, createdAt: AT });
      const one = composeLetter(CLINIC, { told: [notice(1)], count: 1 }, "https://hooks.example.test");
      const several = composeLetter(CLINIC, { told: [notice(1), notice(2)], count: 3 }, "https://hooks.example.test");
      return [one, several]
        .flatMap(({ subject, text }) => [subject, text])
        .map((words) => [`notice ${kind}`, withoutLinks(words)]);
    }),
  );
  const refusals = [
    "consult_full",
    "already_in_consult",
    "number_taken",
    "too_many_lines",
    "too_many_payments",
    "unknown",
  ];
  const lines = [...FIELD_CODES, ...refusals].map((code): [string, string] => [
    `line ${code}`,
    errorWords({ code, message: "" }, "fr-CA"),
  ]);
  return [
    ...accounts,
    ...notices,
    ...lines,
    ...ERROR_HEADERS["fr-CA"].map((words): [string, string] => ["head", words]),
  ];
}

const visible = (text: string) => text.replaceAll("\u00a0", "⍽");

test.each([
  ["the page", wordsOfPage],
  ["the SDK", wordsOfSdk],
  ["the server's e-mails and files", wordsOfServer],
])("French of %s has the spaces, marks and words of Canadian French", (_of, words) => {
  const lines = words().flatMap(([where, text]) => text.split("\n").map((line) => [where, line] as const));
  expect(lines.length).toBeGreaterThan(50);
  const found = lines.flatMap(([where, line]) =>
    Object.entries(MISTAKES).flatMap(([mistake, pattern]) =>
      pattern.test(line) ? [`${where}: ${mistake}: ${visible(line)}`] : [],
    ),
  );
  expect([...new Set(found)]).toEqual([]);
});

test.each([
  ["Un essai : rien.", "Un essai\u00a0: rien."],
  ["Avant: rien", "À 09:00"],
  ["{rate} % de taxe", "{rate}\u00a0% de taxe"],
  ["25,00$", "25,00\u00a0$"],
  ["« Rappels »", "«\u00a0Rappels\u00a0»"],
  ["Oublié ?", "Oublié?"],
  ["D'accord", "D’accord"],
  ["Un moment...", "Un moment…"],
  ["Votre e-mail", "Votre courriel"],
  ["Il est en marche.", "Il est activé."],
])("a mistake would be found: %s", (wrong, right) => {
  const mistakes = (text: string) => Object.values(MISTAKES).filter((pattern) => pattern.test(text)).length;
  expect(mistakes(wrong)).toBeGreaterThan(0);
  expect(mistakes(right)).toBe(0);
});
