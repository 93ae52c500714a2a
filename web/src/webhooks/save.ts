// How the Configure dialog tests and saves. A saved webhook is tested as itself, with the unsaved changes for that one
// test, so that secret and headers are its own. A new one is tested as a draft on the server that Save turns live
// (contract §6), so that what was tested is what is saved.
import { ProblemError, webhooks } from "../api.ts";
import type { CreatedWebhook, RotatedSecret, TestAnswer, Webhook, WebhookInput } from "../api-types.ts";
import type { Intent } from "../intent.ts";
import { type Draft, draftOf, hostName, inputOf, testChanges, testInputOf } from "./draft.ts";
import type { Created } from "./SecretOnce.tsx";

export interface Saver {
  /** Sends the sample of an event as the draft says, and tells what the receiver answered. */
  test: (draft: Draft, event: string, intent: Intent) => Promise<TestAnswer>;
  /** Saves; answers the new secret after a creation, null after an edit. */
  save: (draft: Draft, intent: Intent) => Promise<Created | null>;
  /** Removes the server's draft, if there is one. */
  drop: () => void;
  /** From now on the server's draft is kept for the next test; the returned function ends that, and drops it. */
  open: () => () => void;
}

/** What only a saved webhook can do. */
export interface Editing {
  /** Loads what is stored now, to save over it. */
  reload: () => Promise<Draft>;
  rotateSecret: (intent: Intent) => Promise<RotatedSecret>;
  /** Ends the overlap of a rotation at once. */
  revokePreviousSecret: (intent: Intent) => Promise<void>;
}

function createdOf(webhook: Webhook, secret: string | undefined): Created {
  return { name: webhook.name, secret, isOn: webhook.enabled };
}

/** A person who closes a dialog need not hear of it; a draft that stays behind is gone after 24 hours. */
function forget(draft: Webhook): void {
  webhooks.abandon(draft.id).catch(() => undefined);
}

/** Changes the server's draft, or makes one; one that has expired meanwhile is made again. */
async function store(input: WebhookInput, known: CreatedWebhook | null, intent: Intent): Promise<CreatedWebhook> {
  if (known !== null) {
    try {
      return { ...(await webhooks.change(known.id, input)), secret: known.secret };
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status !== 404) throw error;
    }
  }
  return webhooks.create(input, intent);
}

/** One for each opening of the dialog on a new webhook. */
export function makeCreator(): Saver {
  let stored: CreatedWebhook | null = null;
  let isOpen = false;
  const drop = () => {
    if (stored !== null) forget(stored);
    stored = null;
  };
  return {
    drop,
    open: () => {
      isOpen = true;
      return () => {
        isOpen = false;
        drop();
      };
    },
    test: async (draft, event, intent) => {
      const made = await store({ ...testInputOf(draft), draft: true }, stored, intent);
      if (isOpen) stored = made;
      else forget(made);
      return webhooks.test(made.id, { event }, intent);
    },
    save: async (draft, intent) => {
      const live = await store({ ...inputOf(draft), draft: false }, stored, intent);
      stored = null;
      return createdOf(live, live.secret);
    },
  };
}

/** One for each opening of the dialog on a saved webhook. */
export function makeEditor(webhook: Webhook): Saver & Editing {
  let { version } = webhook;
  let saved = draftOf(webhook);
  return {
    drop: () => undefined,
    open: () => () => undefined,
    test: (draft, event, intent) => {
      const changes = testChanges(draft, saved);
      const what = Object.keys(changes).length === 0 ? { event } : { event, changes };
      return webhooks.test(webhook.id, what, intent);
    },
    save: async (draft) => {
      const name = hostName(draft.url);
      // Left empty, it is named after the address; the server would keep the old name.
      await webhooks.change(webhook.id, { ...(name === undefined ? {} : { name }), ...inputOf(draft), version });
      return null;
    },
    reload: async () => {
      const latest = await webhooks.get(webhook.id);
      version = latest.version;
      saved = draftOf(latest);
      return saved;
    },
    rotateSecret: async (intent) => {
      const rotated = await webhooks.rotateSecret(webhook.id, intent);
      // A rotation is a change of the webhook, too; counted and not read anew, so that another's change still shows.
      version += 1;
      return rotated;
    },
    revokePreviousSecret: async (intent) => {
      await webhooks.revokePreviousSecret(webhook.id, intent);
      version += 1;
    },
  };
}
