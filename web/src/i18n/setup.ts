// Loads words: of the language that is spoken, room by room, each with the first screen that needs it; the other language only
// when somebody asks for it. Owns the remembered choice.
import { chooseLanguage, type Language } from "./languages.ts";
import { addWords, type Room, speak, type Words } from "./words.ts";

const STORED_UNDER = "hookwell.language";

const files = import.meta.glob<Words>("./*/*.json", { import: "default" });

/** What the frame around every screen says. */
const FIRST: Room = "shell";
/** Those of the screens that were opened so far; every language then needs them. */
const needed = new Set<Room>([FIRST]);
/** Those that were asked for: who has switched once may switch back at any moment. */
const languages = new Set<Language>();

async function load(language: Language, room: Room): Promise<void> {
  const file = files[`./${language}/${room}.json`];
  if (file === undefined) throw new Error(`There are no words of ${room} in ${language}.`);
  addWords(language, room, await file());
}

/** A screen or a dialog, once the words of its rooms are there, too. Those of the frame always are. */
export async function withWords<Screen>(rooms: readonly Room[], screen: Promise<Screen>): Promise<Screen> {
  for (const room of rooms) needed.add(room);
  const words = [...languages].flatMap((language) => rooms.map((room) => load(language, room)));
  const [shown] = await Promise.all([screen, ...words]);
  return shown;
}

function remembered(): string | null {
  try {
    return window.localStorage.getItem(STORED_UNDER);
  } catch {
    // Storage is blocked by the browser's settings; the browser's own languages decide.
    return null;
  }
}

/** Resolves when the first language is ready to be shown: the given one, or this browser's. */
export async function startLanguage(given?: Language): Promise<void> {
  const language = given ?? chooseLanguage(remembered(), navigator.languages);
  languages.add(language);
  await load(language, FIRST);
  speak(language);
}

/** Switches the whole page, and remembers the choice in this browser unless it holds for this visit only. */
export async function changeLanguage(language: Language, { remember = true } = {}): Promise<void> {
  languages.add(language);
  await Promise.all([...needed].map((room) => load(language, room)));
  speak(language);
  if (!remember) return;
  try {
    window.localStorage.setItem(STORED_UNDER, language);
  } catch {
    // Not remembered, then; the page itself has switched.
  }
}
